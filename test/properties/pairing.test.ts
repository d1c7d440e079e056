/** KMS's own events on EventBridge and CloudTrail's records of the same happenings, told in any order and number. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';
import type { KmsEvent } from '../../services/core/event.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import type { KeySubject } from '../../services/detectors/contract.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { standInFor } from '../../services/sources/eventbridge/stand-in.ts';
import { eventsOf, findingsOf } from '../support/oracle.ts';
import { NOBODY } from '../support/pipeline.ts';
import { ACCOUNT, eventId, KEYS, record, REGION, resources, START } from '../support/records.ts';

type Kind = 'RotateKey' | 'DeleteExpiredKeyMaterial' | 'DeleteKey';

const DETAIL_TYPES = {
  RotateKey: 'KMS CMK Rotation',
  DeleteExpiredKeyMaterial: 'KMS Imported Key Material Expiration',
  DeleteKey: 'KMS CMK Deletion',
} as const;

const KEY = KEYS[0];
const ID = KEY.slice(KEY.indexOf('/') + 1);

interface Happening {
  readonly kind: Kind;
  readonly at: number;
  readonly key?: string;
  readonly material?: string;
}

let told = 0;

function fromCloudTrail({ kind, at, key = KEY, material }: Happening): string {
  told += 1;
  return JSON.stringify(
    record(kind, at, {
      ...resources(key),
      eventID: eventId(90_000 + told),
      eventType: 'AwsServiceEvent',
      userIdentity: { accountId: ACCOUNT, invokedBy: 'AWS Internal' },
      serviceEventDetails: {
        keyId: key,
        ...(kind === 'RotateKey' && { rotationType: 'AUTOMATIC' }),
        ...(material !== undefined && { currentKeyMaterialId: material }),
      },
    }),
  );
}

function fromEventBridge({ kind, at, key = KEY, material }: Happening): string {
  told += 1;
  const detail = {
    'key-id': ID,
    ...(kind === 'RotateKey' && { 'rotation-type': 'AUTOMATIC' }),
    ...(material !== undefined && { 'current-key-material-id': material }),
  };
  return JSON.stringify(
    standInFor({
      id: `0e0e0e0e-0000-4000-8000-${String(told).padStart(12, '0')}`,
      source: 'aws.kms',
      'detail-type': DETAIL_TYPES[kind],
      account: ACCOUNT,
      region: REGION,
      time: `${new Date(at).toISOString().slice(0, 19)}Z`,
      resources: [key],
      detail,
    }),
  );
}

const created = JSON.stringify(
  record('CreateKey', START, {
    ...resources(KEY),
    responseElements: {
      keyMetadata: { arn: KEY, keyId: ID, origin: 'AWS_KMS', keySpec: 'SYMMETRIC_DEFAULT', keyManager: 'CUSTOMER', enabled: true },
    },
  }),
);
const enabled = JSON.stringify(record('EnableKeyRotation', START + HOUR, resources(KEY)));
const imported = JSON.stringify(record('ImportKeyMaterial', START + 2 * HOUR, resources(KEYS[1])));

interface Judged {
  readonly facts: KeySubject['facts'] | undefined;
  readonly steps: readonly string[];
  readonly findings: readonly DerivedFinding[];
}

function judge(records: readonly string[], key: string = KEY): Judged {
  const events: KmsEvent[] = eventsOf(records);
  const subjects = subjectsOf(events, NOBODY);
  const subject = subjects.find((each): each is KeySubject => each.kind === 'key' && each.arn === key);
  return {
    facts: subject?.facts,
    steps: subject?.timeline.map(({ event }) => `${event.operation} ${event.eventId}`) ?? [],
    // As of a fixed moment: which telling is the newest must not matter either.
    findings: findingsOf(
      subjects.filter((each) => each.kind === 'key'),
      START + 500 * DAY,
    ),
  };
}

const kinds = fc.constantFrom<Kind>('RotateKey', 'DeleteExpiredKeyMaterial', 'DeleteKey');

test('whatever the order and number of the two tellings, the pair comes to what the record alone comes to', () => {
  fc.assert(
    fc.property(
      kinds,
      fc.integer({ min: -10 * 60, max: 10 * 60 }),
      fc.boolean(),
      fc.array(fc.boolean(), { maxLength: 6 }),
      fc.integer({ min: 0, max: 400 }),
      (kind, seconds, namesMaterial, more, day) => {
        const happening = { kind, at: START + (20 + day) * DAY, ...(namesMaterial && { material: 'a'.repeat(64) }) };
        const trail = fromCloudTrail(happening);
        const bridge = fromEventBridge({ ...happening, at: happening.at + seconds * 1000 });
        const around = [created, enabled, imported];
        const alone = judge([...around, trail]);
        const tellings = [trail, bridge, ...more.map((isTrail) => (isTrail ? trail : bridge))];
        expect(judge([...around, ...tellings])).toEqual(alone);
        expect(judge([...tellings.toReversed(), ...around])).toEqual(alone);
      },
    ),
    { numRuns: 60 },
  );
});

test('without the record the stand-in counts, and tells the same but for its id', () => {
  for (const kind of ['RotateKey', 'DeleteExpiredKeyMaterial', 'DeleteKey'] as const) {
    const happening = { kind, at: START + 20 * DAY };
    const [bridge, trail] = [judge([created, fromEventBridge(happening)]), judge([created, fromCloudTrail(happening)])];
    expect(bridge.steps).toHaveLength(2);
    expect(bridge.findings.map(({ detector, occurrences }) => [detector, occurrences])).toEqual(
      trail.findings.map(({ detector, occurrences }) => [detector, occurrences]),
    );
  }
});

test.each([
  ['rotations', { kind: 'RotateKey', at: START + 20 * DAY }, { kind: 'RotateKey', at: START + 23 * DAY }],
  ['rotations an hour apart', { kind: 'RotateKey', at: START + 20 * DAY }, { kind: 'RotateKey', at: START + 20 * DAY + HOUR }],
  [
    'rotations of different key material',
    { kind: 'RotateKey', at: START + 20 * DAY, material: 'a' },
    { kind: 'RotateKey', at: START + 20 * DAY + MINUTE, material: 'b' },
  ],
  ['expiries', { kind: 'DeleteExpiredKeyMaterial', at: START + 20 * DAY }, { kind: 'DeleteExpiredKeyMaterial', at: START + 21 * DAY }],
  ['a rotation and an expiry', { kind: 'RotateKey', at: START + 20 * DAY }, { kind: 'DeleteExpiredKeyMaterial', at: START + 20 * DAY }],
] satisfies [string, Happening, Happening][])('%s are two, one told by each', (_, first, second) => {
  expect(judge([created, fromCloudTrail(first), fromEventBridge(second)]).steps).toHaveLength(3);
  expect(judge([created, fromEventBridge(first), fromCloudTrail(second)]).steps).toHaveLength(3);
});

test('two rotations that both told count twice, and each stand-in goes with its own record', () => {
  const [first, second] = [START + 20 * DAY, START + 25 * DAY].map((at): Happening => ({ kind: 'RotateKey', at }));
  const trail = [fromCloudTrail(first!), fromCloudTrail(second!)];
  const both = judge([created, fromEventBridge(second!), fromEventBridge(first!), ...trail.toReversed()]);
  expect(both).toEqual(judge([created, ...trail]));
  expect(both.facts?.lastRotated?.value).toBe(second!.at);
});

test('another key, a refused call and a call of that name by a person pair with nothing', () => {
  const at = START + 20 * DAY;
  const bridge = fromEventBridge({ kind: 'RotateKey', at });
  expect(judge([created, bridge, fromCloudTrail({ kind: 'RotateKey', at, key: KEYS[1] })]).steps).toHaveLength(2);
  const refused = JSON.stringify(record('RotateKey', at, { ...resources(KEY), errorCode: 'AccessDenied', errorMessage: 'no' }));
  expect(judge([created, bridge, refused]).steps).toHaveLength(3);
  const ordered = JSON.stringify(record('RotateKeyOnDemand', at, resources(KEY)));
  expect(judge([created, bridge, ordered]).steps).toHaveLength(3);
});

test('a thousand stand-ins and records of one key are paired in no time', () => {
  const happenings = Array.from({ length: 1_000 }, (_, n): Happening => ({ kind: 'RotateKey', at: START + n * HOUR }));
  const since = performance.now();
  expect(judge([created, ...happenings.flatMap((each) => [fromEventBridge(each), fromCloudTrail(each)])]).steps).toHaveLength(1_001);
  expect(performance.now() - since).toBeLessThan(5_000);
});
