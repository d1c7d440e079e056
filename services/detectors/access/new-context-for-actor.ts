import { z } from 'zod';
import { DAY, HOUR } from '../../core/clock.ts';
import type { CallProfile } from '../../core/habit.ts';
import { activeDays, type Appearance, appearances, learnedSince, settled } from '../baseline.ts';
import { type ActorSubject, defineWindowDetector } from '../contract.ts';
import { personOf } from '../person.ts';
import { surprise } from '../statistics.ts';
import { actorFirst, argument, count, iso, listed, moment, plain } from '../wording.ts';

interface Params {
  readonly learningDays: number;
  readonly memoryDays: number;
  readonly minimumDays: number;
  readonly surpriseBits: number;
  readonly settlingDays: number;
}

/** Novelties not seen yet that count beforehand, and the most that one new value can surprise: tell how much change is everyday life. */
interface Weight {
  readonly prior: number;
  readonly most: number;
}

interface Dimension extends Weight {
  readonly name: string;
  valueOf(profile: CallProfile): string | null;
  /** A program moves less than a person does. */
  ofPrograms?(value: string): Weight | null;
}

const DIRECT = 'none';
const PLACE: Weight = { prior: 0.25, most: 16 };
const PLACE_OF_PROGRAMS: Weight = { prior: 0.125, most: 16 };

/** Calls that come through a service tell its address, its client and its choice of operation, not the caller's. */
const DIMENSIONS: readonly Dimension[] = [
  { name: 'Region', ...PLACE, valueOf: ({ region }) => region },
  {
    name: 'network',
    ...PLACE,
    valueOf: ({ network, callingService }) => (callingService === null ? network : null),
    ofPrograms: () => PLACE_OF_PROGRAMS,
  },
  {
    name: 'VPC endpoint',
    ...PLACE,
    valueOf: ({ vpcEndpoint, callingService }) => (callingService === null ? vpcEndpoint : null),
    ofPrograms: () => PLACE_OF_PROGRAMS,
  },
  { name: 'client', prior: 0.5, most: 6, valueOf: ({ userAgent, callingService }) => (callingService === null ? userAgent : null) },
  {
    name: 'calling service',
    prior: 0.5,
    most: 6,
    valueOf: ({ callingService, operationClass }) => callingService ?? (operationClass === 'use' ? DIRECT : null),
    // Whose credentials were only ever used by AWS services begins to call by itself.
    ofPrograms: (value) => (value === DIRECT ? PLACE_OF_PROGRAMS : null),
  },
  { name: 'operation', prior: 1, most: 5, valueOf: ({ operation, callingService }) => (callingService === null ? operation : null) },
];

interface Factor {
  readonly dimension: Dimension;
  readonly appearance: Appearance;
  readonly days: number;
  readonly bits: number;
}

/** A caller under unusual circumstances: how much each new one surprises, added up; `docs/baselines.md` tells the method. */
export default defineWindowDetector<Params, 'actor'>({
  id: 'new-context-for-actor',
  title: 'A known caller called KMS in a new way',
  severity: 'medium',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({
    learningDays: z.int().min(1).max(365).default(14),
    memoryDays: z.int().min(15).max(730).default(90),
    minimumDays: z.int().min(1).max(90).default(5),
    surpriseBits: z.number().min(1).max(40).default(7),
    settlingDays: z.int().min(1).max(365).default(30),
  }),
  techniques: ['T1078.004', 'T1550.001'],
  blindSpots: [
    'Callers on record for less than the learning days, or seen on fewer days than the minimum.',
    'Stolen credentials that are used from the network, with the client and for the operations of their owner.',
    'A role that many people or programs share changes so often that nothing surprises.',
  ],
  falsePositives: ['A deployment into another Region or network.', 'A person who travels, or a new version of a program with another SDK.'],

  evaluate(subject, { params, asOf }) {
    const days = (subject.presence ?? []).map(({ day }) => day);
    const byDay = Map.groupBy(factorsOf(subject, days, params), ({ appearance }) => Math.floor(appearance.at / DAY));
    return [...byDay].flatMap(([day, all]) => {
      const factors = strongest(all);
      const bits = factors.reduce((sum, factor) => sum + factor.bits, 0);
      if (bits < params.surpriseBits) return [];
      const times = factors.map(({ appearance }) => appearance.at);
      const at = Math.min(...times);
      const until = Math.max(...times);
      const observed = factors.map(({ dimension, appearance }) => `${dimension.name} ${plain(appearance.value, 80)}`);
      return [
        {
          dedupKey: [subject.actor.id, new Date(day * DAY).toISOString().slice(0, 10)],
          at,
          until,
          occurrences: 1,
          actor: subject.actor.id,
          region: factors[0]?.appearance.habit.profile.region ?? '',
          evidence: [...new Set(factors.map(({ appearance }) => appearance.eventId))],
          explanation: {
            what: `${actorFirst(subject.actor)} called KMS on ${moment(at)} as it had not before: ${listed(observed)}.`,
            why: `${factors.map(expectation).join(' ')} Surprise in all: ${bits.toFixed(1)} bits; reported from ${params.surpriseBits} bits on.`,
            benign: 'The program was moved, deployed into another Region or got another SDK; the person was travelling.',
            now: [
              `Ask the owner of ${plain(subject.actor.name, 80)} whether this was expected.`,
              `Look at the calls around it: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(at - HOUR)} --end-time ${iso(until + HOUR)} --region ${argument(factors[0]?.appearance.habit.profile.region ?? '', 'REGION')}`,
              'See what else the same session did in other services, and where its credentials came from.',
              'If nobody knows the calls: revoke the sessions of the role, or deactivate the access key.',
            ],
          },
          details: {
            surprise_bits: Number(bits.toFixed(2)),
            active_days: factors[0]?.days ?? 0,
            factors: factors.map(({ dimension, appearance, bits: own }) => ({
              dimension: dimension.name,
              observed: plain(appearance.value, 120),
              known: appearance.known.slice(0, 5).map((value) => plain(value, 120)),
              known_count: appearance.known.length,
              surprise_bits: Number(own.toFixed(2)),
            })),
          },
          ...settled(until, asOf, {
            days: params.settlingDays,
            reason: `The new way is ${params.settlingDays} days old: it now counts as known.`,
          }),
        },
      ];
    });
  },
});

function factorsOf({ actor, habits = [] }: ActorSubject, days: readonly number[], params: Params): Factor[] {
  const memory = params.memoryDays * DAY;
  const isProgram = personOf(actor) === null;
  return DIMENSIONS.flatMap((dimension) =>
    appearances(habits, (profile) => dimension.valueOf(profile), memory).flatMap((appearance): Factor[] => {
      // Without a value to compare with, the dimension itself is being learned.
      if (appearance.known.length === 0 || appearance.at < learnedSince(habits, appearance.at, memory) + params.learningDays * DAY)
        return [];
      if (isNamedAnew(appearance)) return [];
      const known = activeDays(days, appearance.at, memory);
      if (known < params.minimumDays) return [];
      const { prior, most } = (isProgram ? dimension.ofPrograms?.(appearance.value) : null) ?? dimension;
      const bits = Math.min(most, surprise(appearance.novelties, known, prior));
      return bits > 0 ? [{ dimension, appearance, days: known, bits }] : [];
    }),
  );
}

/** Networks told by number or country and not before, or no more: a database was given or taken away, and the caller did not move. */
function isNamedAnew({ value, known }: Appearance): boolean {
  const form = formOf(value);
  const forms = known.map(formOf);
  return form !== null && !forms.includes(form) && forms.some((other) => other !== null);
}

/** How a public network is told, see `platform/networks.ts`; null for other values. */
function formOf(value: string): string | null {
  const match = /^(?:(AS)\d+|[0-9a-f.:]+\/\d+)( [A-Z]{2})?$/.exec(value);
  return match === null ? null : `${match[1] ?? 'prefix'}${match[2] === undefined ? '' : ' country'}`;
}

/** Of each dimension the most surprising value of the day: several say the same thing. */
function strongest(factors: readonly Factor[]): Factor[] {
  const best = new Map<string, Factor>();
  for (const factor of factors) {
    const known = best.get(factor.dimension.name);
    if (known === undefined || factor.bits > known.bits) best.set(factor.dimension.name, factor);
  }
  return [...best.values()].sort((a, b) => b.bits - a.bits);
}

function expectation({ dimension, appearance, days, bits }: Factor): string {
  const { known, novelties } = appearance;
  return `Observed ${dimension.name}: ${plain(appearance.value, 80)}; expected one of ${known.length} known (${listed(known, 3)}), since ${count(days, 'day')} with calls brought ${count(novelties, 'new one')} (${bits.toFixed(1)} bits).`;
}
