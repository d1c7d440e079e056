import type { StoredEvent } from '../core/event.ts';
import type { Place } from './case.ts';
import type { StepOf, Subject } from './contract.ts';

export type Step = StepOf<'key'> | StepOf<'alias'> | StepOf<'account'>;

/** A subject as the engine walks through it: its events, indexed by name once for all detectors. */
export interface Scene {
  readonly steps: readonly Step[];
  /** What findings of this subject are filed under, as far as the subject itself tells; region '' where it has none. */
  readonly place: Place;
  /** Ascending indices of the steps that one of the patterns (`service:Operation`, `service:*`) names. */
  stepsFor(patterns: readonly string[]): readonly number[];
  keyOf(step: Step): string | null;
}

export function sceneOf(subject: Subject): Scene {
  const steps = stepsOf(subject);
  const byName = new Map<string, number[]>();
  for (const [index, { event }] of steps.entries()) {
    for (const name of [`${event.service}:${event.operation}`, `${event.service}:*`]) {
      const indices = byName.get(name);
      if (indices) indices.push(index);
      else byName.set(name, [index]);
    }
  }
  return {
    steps,
    place: placeOf(subject),
    stepsFor(patterns) {
      const found = [...new Set(patterns)].flatMap((pattern) => byName.get(pattern) ?? []);
      return patterns.length < 2 ? found : [...new Set(found)].sort((a, b) => a - b);
    },
    keyOf(step) {
      if (subject.kind === 'key') return subject.arn;
      if ('after' in step && typeof step.after === 'string') return step.after;
      if ('before' in step && typeof step.before === 'string') return step.before;
      return step.event.key?.arn ?? null;
    },
  };
}

function stepsOf(subject: Subject): readonly Step[] {
  switch (subject.kind) {
    case 'key':
    case 'alias':
      return subject.timeline;
    case 'account':
      return subject.timeline.map((event: StoredEvent) => ({ event }));
    case 'actor':
      return [];
  }
}

function placeOf(subject: Subject): Place {
  switch (subject.kind) {
    case 'key':
      return { keyArn: subject.arn, actor: null, account: subject.account, region: subject.region };
    case 'alias':
      return { keyArn: null, actor: null, account: subject.account, region: subject.region };
    case 'account':
      return { keyArn: null, actor: null, account: subject.account, region: '' };
    case 'actor':
      return { keyArn: null, actor: subject.actor.id, account: subject.actor.account ?? '', region: '' };
  }
}
