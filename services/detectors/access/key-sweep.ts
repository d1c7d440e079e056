import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { SKETCH_BITS } from '../../core/habit.ts';
import { learnedSince, settled } from '../baseline.ts';
import { type ActorSubject, type DailySpread, defineWindowDetector } from '../contract.ts';
import { linearCount, type Outlier, outlierOf } from '../statistics.ts';
import { actorFirst, argument, count, iso, keyId, listed, moment, plain } from '../wording.ts';

interface Params {
  readonly minimumKeys: number;
  readonly minimumFresh: number;
  readonly minimumContexts: number;
  readonly factor: number;
  readonly learningDays: number;
  readonly memoryDays: number;
  readonly settlingDays: number;
}

/** What stands out on one day. */
interface Sweep {
  readonly day: number;
  readonly kind: 'keys' | 'fresh' | 'contexts';
  readonly outlier: Outlier;
}

const COMPARED_DAYS = 28;
const FRESH_SPAN = 7;

/**
 * How many different keys a caller used on a day, how many of them in a week for the first time, and how many different encryption
 * contexts it used on a day, against the four weeks (eight for first times) before.
 */
export default defineWindowDetector<Params, 'actor'>({
  id: 'key-sweep',
  title: 'A caller went through far more keys or secrets than usual',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({
    minimumKeys: z.int().min(3).default(8),
    minimumFresh: z.int().min(3).default(6),
    minimumContexts: z.int().min(5).default(40),
    factor: z.number().min(1).default(2),
    learningDays: z.int().min(7).max(365).default(14),
    memoryDays: z.int().min(15).max(730).default(90),
    settlingDays: z.int().min(1).max(365).default(14),
  }),
  techniques: ['T1530', 'T1555.006'],
  blindSpots: [
    'Callers on record for less than the learning days: their first use of established keys is reported one by one.',
    'Encryption contexts are estimated with a sketch, which tells no more than some hundreds apart.',
    'A sweep slower than a few keys a week.',
  ],
  falsePositives: [
    'A backup, a migration or an inventory of secrets that runs for the first time.',
    'A service that was rolled out to many keys at once.',
  ],

  evaluate(subject, { params, asOf }) {
    return episodesOf(sweepsOf(subject, params)).map((sweeps) => {
      const days = new Set(sweeps.map(({ day }) => day));
      const kinds = new Set(sweeps.map(({ kind }) => kind));
      const spreads = (subject.spreads ?? []).filter((spread) => spread.operationClass === 'use' && isOf(spread, sweeps));
      const present = (subject.presence ?? []).filter(({ day }) => days.has(day));
      const keys = [...new Set(spreads.flatMap((spread) => spread.keys))];
      const at = Math.min(...spreads.map(({ firstAt }) => firstAt));
      const until = Math.max(...spreads.map(({ lastAt }) => lastAt));
      const peak = sweeps.toSorted((a, b) => b.outlier.z - a.outlier.z || a.day - b.day)[0] as Sweep;
      const most = Math.max(...spreads.map((spread) => spread.count));
      const evidence = spreads.flatMap((spread) => spread.evidence);
      return {
        dedupKey: [subject.actor.id, new Date(Math.min(...days) * DAY).toISOString().slice(0, 10)],
        keyArn: keys.length === 1 ? (keys[0] ?? null) : null,
        at,
        until,
        occurrences: days.size,
        actor: subject.actor.id,
        evidence: [...new Set(evidence.length > 0 ? evidence : present.map(({ firstEventId }) => firstEventId))],
        explanation: {
          what: `${actorFirst(subject.actor)} used ${count(most, 'different key')} on one day, from ${moment(at)} on${kinds.has('contexts') ? `, with about ${Math.max(...present.map(({ bits }) => linearCount(bits, SKETCH_BITS)))} different encryption contexts` : ''}. Among the keys: ${listed(keys.map(keyId), 5)}.`,
          why: sweeps
            .slice(0, 3)
            .map((sweep) => reason(sweep))
            .join(' '),
          benign: 'A backup, a migration or a rollout reached many keys for the first time.',
          now: [
            `Ask the owner of ${plain(subject.actor.name, 80)} what ran on that day.`,
            `List the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(at)} --end-time ${iso(until + DAY)} --region ${argument(regionOf(keys), 'REGION')}`,
            'The encryption contexts of the calls tell which secrets, parameters, objects or volumes were decrypted: count those as read.',
            'If nobody knows it: revoke the sessions of the caller, and replace the secrets it decrypted.',
          ],
        },
        details: {
          days: days.size,
          kinds: [...kinds].sort(),
          most_keys_a_day: most,
          peak_day: new Date(peak.day * DAY).toISOString().slice(0, 10),
          peak_observed: peak.outlier.value,
          expected_median: peak.outlier.median,
          expected_percentile_95: peak.outlier.percentile95,
          modified_z: Number(peak.outlier.z.toFixed(2)),
          keys: keys.slice(0, 10).map((key) => plain(key, 256)),
        },
        ...settled(until, asOf, { days: params.settlingDays, reason: `No day stood out for ${params.settlingDays} days.` }),
      };
    });
  },
});

function sweepsOf(subject: ActorSubject, params: Params): Sweep[] {
  const spreads = (subject.spreads ?? []).filter(({ operationClass }) => operationClass === 'use');
  const present = subject.presence ?? [];
  const [first] = present;
  if (first === undefined) return [];
  const used = new Map(spreads.map((spread) => [spread.day, spread.count]));
  const fresh = new Map(spreads.map((spread) => [spread.day, spread.fresh]));
  const contexts = new Map(present.map(({ day, bits }) => [day, linearCount(bits, SKETCH_BITS)]));
  // Days without any call say nothing of how a day with calls looks.
  const active = present.map(({ day }) => day);
  const freshUpTo = (day: number): number => sum(fresh, day - FRESH_SPAN + 1, day);
  return spreads.flatMap(({ day }): Sweep[] => {
    if (day * DAY < learnedSince(subject.habits ?? [], day * DAY, params.memoryDays * DAY) + params.learningDays * DAY) return [];
    const before = active.filter((past) => past < day && past >= day - COMPARED_DAYS);
    const weeks = Array.from({ length: 8 }, (_, week) => day - FRESH_SPAN * (week + 1)).filter(
      (end) => end - FRESH_SPAN + 1 >= first.day + FRESH_SPAN,
    );
    const compared = (values: ReadonlyMap<number, number>): number[] => before.map((past) => values.get(past) ?? 0);
    const found = [
      {
        kind: 'keys' as const,
        outlier: outlierOf(used.get(day) ?? 0, compared(used), { minimum: params.minimumKeys, factor: params.factor }),
      },
      {
        kind: 'fresh' as const,
        outlier:
          (fresh.get(day) ?? 0) > 0
            ? outlierOf(freshUpTo(day), weeks.map(freshUpTo), { minimum: params.minimumFresh, factor: params.factor })
            : null,
      },
      {
        kind: 'contexts' as const,
        outlier: outlierOf(contexts.get(day) ?? 0, compared(contexts), { minimum: params.minimumContexts, factor: params.factor }),
      },
    ];
    return found.flatMap(({ kind, outlier }) => (outlier === null ? [] : [{ day, kind, outlier }]));
  });
}

function sum(values: ReadonlyMap<number, number>, from: number, to: number): number {
  let total = 0;
  for (let day = from; day <= to; day++) total += values.get(day) ?? 0;
  return total;
}

/** Sweeps within a week of each other are one story. */
function episodesOf(sweeps: readonly Sweep[]): Sweep[][] {
  const episodes: Sweep[][] = [];
  for (const sweep of sweeps) {
    const last = episodes.at(-1);
    if (last && sweep.day - (last.at(-1) as Sweep).day <= FRESH_SPAN) last.push(sweep);
    else episodes.push([sweep]);
  }
  return episodes;
}

/** Is a day part of the story? First times are counted over the week before as well. */
function isOf({ day }: DailySpread, sweeps: readonly Sweep[]): boolean {
  return sweeps.some((sweep) => (sweep.kind === 'fresh' ? day <= sweep.day && day > sweep.day - FRESH_SPAN : day === sweep.day));
}

const NOUNS = {
  keys: 'different keys on',
  fresh: 'keys for the first time in the week up to',
  contexts: 'different encryption contexts (estimated) on',
} as const;

function reason({ day, kind, outlier }: Sweep): string {
  return `Observed: ${outlier.value} ${NOUNS[kind]} ${new Date(day * DAY).toISOString().slice(0, 10)}; expected from the weeks before: median ${outlier.median}, at most ${outlier.percentile95} in 95 of 100 cases (modified z-score ${outlier.z.toFixed(1)}).`;
}

function regionOf(keys: readonly string[]): string {
  return keys[0]?.split(':')[3] ?? '';
}
