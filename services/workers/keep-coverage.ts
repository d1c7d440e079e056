/** What the collecting role tells the coverage ledger: that sources are being read, and what a polled one has read to its end. */
import { HOUR } from '../core/clock.ts';
import type { Json } from '../core/json.ts';
import type { LookupEventsConfig } from '../sources/lookup-events/config.ts';
import { checkpointNames, readTimes, type Span } from '../sources/lookup-events/coverage.ts';
import type { SourceName } from '../sources/contract.ts';
import { readCheckpoints } from '../store/checkpoints.ts';
import { markListened, setComplete, setGaps } from '../store/coverage.ts';
import { completeUntil } from '../store/read/coverage.ts';
import type { Deps } from './deps.ts';

export interface Collected {
  /** Sources that this process reads. */
  readonly sources: readonly SourceName[];
  readonly lookupEvents: LookupEventsConfig | undefined;
  /** Whose records any enabled detector needs. */
  readonly services: readonly string[];
}

/** Hours are told again from this much before what the ledger has: a late word does no harm. */
const AGAIN_MS = HOUR;

/** @returns what is to be done every minute or so; after a crash it makes up for what was not told */
export function keepCoverage(deps: Deps, { sources, lookupEvents, services }: Collected): () => Promise<void> {
  let told: Map<string, number> | null = null;
  return async () => {
    const now = deps.clock.now();
    await markListened(deps.pool, sources, Math.floor(now / HOUR) * HOUR);
    if (lookupEvents === undefined) return;
    told ??= await completeUntil(deps.pool, 'lookup-events');
    const checkpoints = await readCheckpoints(deps.pool, checkpointNames(lookupEvents, services));
    const times = readTimes(lookupEvents, services, (name): Json => checkpoints.get(name) ?? null);
    const complete = [];
    const gaps = [];
    const until = new Map<string, number>();
    for (const { account, region, partial, read, complete: settled, gaps: lost } of times) {
      const name = `${account}/${region}`;
      const from = (told.get(name) ?? Number.NEGATIVE_INFINITY) - AGAIN_MS;
      const place = { account, region, source: 'lookup-events' };
      for (const span of after(settled, from)) complete.push({ ...place, ...span, partial });
      for (const span of after(read, from)) complete.push({ ...place, ...span, partial, complete: false });
      for (const span of after(lost, from)) gaps.push({ ...place, ...span, gap: 'expired' as const });
      until.set(name, settled.at(-1)?.to ?? Number.NEGATIVE_INFINITY);
    }
    await setGaps(deps.pool, gaps, now);
    await setComplete(deps.pool, complete, now);
    for (const [name, end] of until) told.set(name, end);
  };
}

function after(spans: readonly Span[], from: number): Span[] {
  return spans.map((span) => ({ from: Math.max(span.from, from), to: span.to })).filter((span) => span.from < span.to);
}
