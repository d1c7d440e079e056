/** What the checkpoints of the configured accounts say of the times that were read. */
import type { Json } from '../../core/json.ts';
import { MINUTE } from '../../core/clock.ts';
import type { LookupEventsConfig } from './config.ts';
import { filterName } from './filter.ts';
import { type Progress, readProgress } from './progress.ts';
import { nameOf, type Target, targetsOf } from './target.ts';

/** Epoch milliseconds, the end exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface ReadTimes {
  readonly account: string;
  readonly region: string;
  /** Only some of KMS's calls are asked for: those that change something, or named ones. */
  readonly partial: boolean;
  /** Read, though late events may still come. */
  readonly read: readonly Span[];
  /** Read again when they were older than the overlap: nothing more is expected. */
  readonly complete: readonly Span[];
  /** Can no longer be had. */
  readonly gaps: readonly Span[];
}

/**
 * An account and Region is asked by several filters: what all of them have read was read, what one of them misses is missing.
 * @param checkpointOf value of a checkpoint by its name, null where there is none
 */
export function readTimes(config: LookupEventsConfig, services: readonly string[], checkpointOf: (name: string) => Json): ReadTimes[] {
  return targetsOf(config, services).flatMap((target) => {
    const progress = target.filters.map((filter) =>
      readProgress(checkpointOf(`${nameOf(target)}/${filterName(filter)}`), config.overlap_minutes * MINUTE),
    );
    return progress.every((each) => each !== null) ? [timesOf(target, progress)] : [];
  });
}

/** Names of the checkpoints that `readTimes` will ask for. */
export function checkpointNames(config: LookupEventsConfig, services: readonly string[]): string[] {
  return targetsOf(config, services).flatMap((target) => target.filters.map((filter) => `${nameOf(target)}/${filterName(filter)}`));
}

function timesOf({ account, region, filters }: Target, progress: readonly Progress[]): ReadTimes {
  const since = Math.max(...progress.map((each) => each.since));
  const gaps = progress.flatMap((each) => each.gaps.map(({ from, to }) => ({ from, to })));
  const until = (end: (each: Progress) => number): Span[] =>
    gaps.reduce<Span[]>((spans, gap) => spans.flatMap((span) => without(span, gap)), [{ from: since, to: Math.min(...progress.map(end)) }]);
  return {
    account,
    region,
    partial: !filters.some(({ attribute }) => attribute.AttributeKey === 'EventSource' && attribute.AttributeValue === 'kms.amazonaws.com'),
    read: until((each) => each.highWater),
    complete: until((each) => each.settled),
    gaps,
  };
}

function without(span: Span, gap: Span): Span[] {
  const parts = [
    { from: span.from, to: Math.min(span.to, gap.from) },
    { from: Math.max(span.from, gap.to), to: span.to },
  ];
  return parts.filter(({ from, to }) => from < to);
}
