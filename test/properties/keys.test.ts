import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type EventDetail, type KmsEvent, OUTCOMES } from '../../services/core/event.ts';
import type { KeyFacts } from '../../services/core/key.ts';
import { configureDetectors } from '../../services/detectors/configure.ts';
import {
  type Detector,
  defineEventDetector,
  defineStateDetector,
  defineWindowDetector,
  type Match,
} from '../../services/detectors/contract.ts';
import { deriveFindings } from '../../services/detectors/engine.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { factsOf, foldTimeline, mergeFacts } from '../../services/keys/reduce.ts';
import { ADMIN, ALIAS, KEY, OTHER_KEY, PRIMARY, REPLICA, ROOT, stored, tell } from '../unit/keys/fabricate.ts';

const CONTROL = [
  'CreateKey',
  'EnableKey',
  'DisableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'DeleteKey',
  'EnableKeyRotation',
  'DisableKeyRotation',
  'RotateKeyOnDemand',
  'RotateKey',
  'ImportKeyMaterial',
  'DeleteImportedKeyMaterial',
  'DeleteExpiredKeyMaterial',
  'PutKeyPolicy',
  'ReplicateKey',
  'UpdatePrimaryRegion',
  'TagResource',
  'UntagResource',
  'UpdateKeyDescription',
  'CreateAlias',
  'UpdateAlias',
  'DeleteAlias',
  'SomethingNew',
];
const OTHERS = ['Decrypt', 'Encrypt', 'GenerateDataKey', 'DescribeKey', 'ListGrants', 'CreateGrant'];
const KEYS = [KEY, OTHER_KEY, PRIMARY, REPLICA, ALIAS];

const details: fc.Arbitrary<EventDetail | null> = fc.option(
  fc.record(
    {
      metadata: fc.record(
        {
          keySpec: fc.constantFrom('SYMMETRIC_DEFAULT', 'RSA_2048', 'HMAC_256'),
          keyUsage: fc.constantFrom('ENCRYPT_DECRYPT', 'SIGN_VERIFY'),
          origin: fc.constantFrom('AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM'),
          keyState: fc.constantFrom('Enabled', 'Creating', 'PendingImport', 'Disabled'),
          enabled: fc.boolean(),
          multiRegionKeyType: fc.constantFrom('PRIMARY', 'REPLICA'),
          creationDate: fc.integer({ min: 0, max: 9 }),
        },
        { requiredKeys: [] },
      ),
      policy: fc.constantFrom('{}', '{"a":1}'),
      policyOmitted: fc.constant(true as const),
      pendingWindowInDays: fc.constantFrom(7, 30, -1, 1e300),
      deletionDate: fc.integer({ min: 0, max: 9 }),
      keyState: fc.constantFrom('PendingDeletion', 'PendingReplicaDeletion'),
      rotationPeriodInDays: fc.constantFrom(90, 365, 2560),
      rotationType: fc.constantFrom('AUTOMATIC', 'ON_DEMAND'),
      keyMaterialId: fc.constantFrom('m1', 'm2'),
      importType: fc.constantFrom('NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'),
      validTo: fc.integer({ min: 0, max: 9 }),
      primaryRegion: fc.constantFrom('us-east-1', 'eu-west-1'),
      description: fc.constantFrom('x', 'y'),
      tags: fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'team'), fc.constantFrom('1', '2'), { noNullPrototype: false }),
      tagKeys: fc.array(fc.constantFrom('__proto__', 'team')),
    },
    { requiredKeys: [] },
  ),
);

/** Few times, few ids, few essences: ties of all of them, and two tellings of one event, are common. */
function events(operations: readonly string[], keys: readonly (string | null)[]): fc.Arbitrary<KmsEvent[]> {
  const event = fc
    .record({
      operation: fc.constantFrom(...operations),
      at: fc.constantFrom(0, 1000, 2000, 3000, 3_600_000, 7_200_000),
      id: fc.option(fc.constantFrom('odd-id', '00000000-0000-4000-8000-000000000001', 'ffffffff-0000-4000-8000-000000000002'), {
        nil: undefined,
        freq: 2,
      }),
      key: fc.constantFrom(...keys),
      otherKey: fc.constantFrom(null, ...KEYS),
      actor: fc.constantFrom(ADMIN, ROOT),
      outcome: fc.oneof({ weight: 3, arbitrary: fc.constant('ok' as const) }, fc.constantFrom(...OUTCOMES)),
      service: fc.oneof({ weight: 9, arbitrary: fc.constant('kms') }, fc.constant('cloudtrail')),
      region: fc.constantFrom('eu-west-1', 'us-east-1'),
      detail: details,
      essence: fc.option(fc.constant('0'.repeat(16)), { nil: undefined, freq: 1 }),
      protectsLogs: fc.boolean(),
    })
    .map(({ operation, ...telling }) => tell(operation, telling));
  return fc.array(event, { minLength: 1, maxLength: 25 });
}

/** Merges a list pairwise in a grouping that `cuts` decides. */
function mergeInAnyGrouping(parts: readonly KeyFacts[], cuts: readonly number[]): KeyFacts {
  let rest = [...parts];
  for (const cut of cuts) {
    if (rest.length < 2) break;
    const at = cut % (rest.length - 1);
    rest = [...rest.slice(0, at), mergeFacts(rest[at] as KeyFacts, rest[at + 1] as KeyFacts), ...rest.slice(at + 2)];
  }
  return rest.reduce(mergeFacts, {});
}

describe('key facts', () => {
  it('are the same for every order, grouping and repetition of the events, to the byte', () => {
    const scenario = events(CONTROL, [KEY, PRIMARY]).chain((all) =>
      fc.record({
        all: fc.constant(all),
        order: fc.shuffledSubarray([...all, ...all.slice(0, 5)], { minLength: all.length + Math.min(all.length, 5) }),
        cuts: fc.array(fc.nat(100), { maxLength: 40 }),
        keyArn: fc.constantFrom(KEY, PRIMARY, REPLICA),
      }),
    );
    fc.assert(
      fc.property(scenario, ({ all, order, cuts, keyArn }) => {
        const expected = foldTimeline(all.map(stored), keyArn).at(-1)?.after ?? {};
        const parts = order.map((event) => factsOf(stored(event), keyArn));
        expect(JSON.stringify(mergeInAnyGrouping(parts, cuts))).toBe(JSON.stringify(expected));
      }),
      { numRuns: 1500 },
    );
  });

  it('merge to the same after a database gave their fields back in another order', () => {
    const reversed = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, item]) => [name, reversed(item)]),
          )
        : value;
    fc.assert(
      fc.property(events(CONTROL, [KEY]), (all) => {
        const parts = all.map((event) => factsOf(stored(event), KEY));
        const straight = parts.reduce(mergeFacts, {});
        const back = parts.map((facts) => reversed(facts) as KeyFacts).reduceRight((a, b) => mergeFacts(b, a), {});
        expect(back).toEqual(straight);
      }),
      { numRuns: 300 },
    );
  });
});

const ABOUT = {
  severity: 'medium',
  status: 'test',
  family: 'deletion',
  techniques: [],
  blindSpots: [],
  falsePositives: [],
  params: z.strictObject({}),
} as const;

function matchOf(at: number, evidence: readonly string[], details: Match['details']): Match {
  return { at, evidence, details, explanation: { what: JSON.stringify(details), why: '', benign: '', now: [] } };
}

/** Detectors that put everything a subject says into their findings, so that any difference shows. */
const TELLTALES: readonly Detector[] = [
  defineEventDetector({
    ...ABOUT,
    id: 'event-telltale',
    title: 'event',
    kind: 'event',
    subject: 'key',
    events: ['kms:*'],
    outcome: 'any',
    dedupKey: (event) => [event.actor.id],
    evaluate: ({ event, before, after }) =>
      matchOf(event.eventTime, [event.eventId], JSON.parse(JSON.stringify({ before, after })) as Match['details']),
    mends: ({ event }) => (event.operation === 'EnableKey' ? `by ${event.eventId}` : null),
  }),
  defineEventDetector({
    ...ABOUT,
    id: 'alias-telltale',
    title: 'alias',
    kind: 'event',
    subject: 'alias',
    events: ['kms:*'],
    dedupKey: (_, subject) => [subject.arn],
    evaluate: ({ event, before, after }, subject) =>
      matchOf(event.eventTime, [event.eventId], { before, after, used: { ...subject.lastUsed } }),
  }),
  defineStateDetector({
    ...ABOUT,
    id: 'state-telltale',
    title: 'state',
    kind: 'state',
    subject: 'key',
    events: ['kms:*'],
    dedupKey: (subject) => [subject.arn],
    evaluate: (subject, context) =>
      matchOf(
        0,
        [],
        JSON.parse(
          JSON.stringify({ ...subject, state: context.stateOf(subject.facts), rotation: context.rotationOf(subject.facts) }),
        ) as Match['details'],
      ),
  }),
  ...(['account', 'actor'] as const).map((subject) =>
    defineWindowDetector({
      ...ABOUT,
      id: `${subject}-telltale`,
      title: subject,
      kind: 'window',
      subject,
      events: ['kms:*'],
      evaluate: (told) => [{ ...matchOf(0, [], JSON.parse(JSON.stringify(told)) as Match['details']), dedupKey: ['all'] }],
    }),
  ),
];

describe('findings', () => {
  const organization = { ownAccounts: new Set<string>(), logKeys: new Set([OTHER_KEY]) };
  const moment = { asOf: 10_000_000, organization, now: () => 0 };
  const detectors = configureDetectors(TELLTALES);

  it('are identical for every order and repetition of the events', () => {
    const scenario = events([...CONTROL, ...OTHERS], [...KEYS, null]).chain((all) =>
      fc.record({
        all: fc.constant(all),
        order: fc.shuffledSubarray([...all, ...all.slice(0, 5)], { minLength: all.length + Math.min(all.length, 5) }),
      }),
    );
    let found = 0;
    fc.assert(
      fc.property(scenario, ({ all, order }) => {
        const derive = (told: readonly KmsEvent[]) =>
          subjectsOf(told, organization).map((subject) => deriveFindings(subject, detectors, moment));
        const expected = derive(all);
        found += expected.flatMap(({ findings }) => findings).length;
        expect(expected.flatMap(({ failures }) => failures)).toEqual([]);
        expect(JSON.stringify(derive(order))).toBe(JSON.stringify(expected));
      }),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(400);
  });
});
