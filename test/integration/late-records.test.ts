/** Records that change what another subject's findings say: each of them comes last once, in a delivery of its own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../services/core/clock.ts';
import { arranged, openPlace, type Place, plain } from '../support/arrangement.ts';
import { differences } from '../support/dump.ts';
import { storedFindings } from '../support/oracle.ts';
import { ACCOUNTS, ALIASES, aliasArn, CALLERS, type Fields, KEYS, logsUnder, record, resources, START } from '../support/records.ts';

const DAYS = (n: number): number => START + n * DAY;
const byAlias = (name: string): Fields => ({ requestParameters: { keyId: name } });
const disabled = { errorCode: 'DisabledException', errorMessage: 'the key is disabled' };
const moves = (operation: string, at: number, to: string, aliasName = ALIASES[0] as string): Fields =>
  record(operation, at, {
    requestParameters: { aliasName, targetKeyId: to },
    ...resources(aliasArn(aliasName), to),
    eventID: `${operation} ${at} ${to} ${aliasName}`,
  });

const CASES: readonly { readonly what: string; readonly records: readonly Fields[]; readonly finds: readonly string[] }[] = [
  {
    what: 'a refused call counts as the begin of the habits of a key',
    records: [
      record('Decrypt', DAYS(0), { ...resources(KEYS[0]), userIdentity: CALLERS[3], errorCode: 'AccessDenied', errorMessage: 'no' }),
      record('Decrypt', DAYS(10), resources(KEYS[0])),
      record('Decrypt', DAYS(20), { ...resources(KEYS[0]), userIdentity: CALLERS[2] }),
    ],
    finds: ['new-actor-for-key'],
  },
  {
    what: 'the first use of a key tells of the alias that it lost',
    records: [
      moves('CreateAlias', DAYS(0), KEYS[0]),
      record('Decrypt', DAYS(4), resources(KEYS[0])),
      moves('DeleteAlias', DAYS(5), KEYS[0]),
    ],
    finds: ['alias-deleted'],
  },
  {
    what: 'use of a key through one alias tells of another that it lost',
    records: [
      moves('CreateAlias', DAYS(0), KEYS[0]),
      moves('CreateAlias', DAYS(1), KEYS[0], ALIASES[1]),
      record('Decrypt', DAYS(4), byAlias(ALIASES[1])),
      record('DeleteAlias', DAYS(5), { requestParameters: { aliasName: ALIASES[0] }, ...resources(aliasArn(ALIASES[0])) }),
    ],
    finds: ['alias-deleted'],
  },
  {
    what: 'a control call that names an alias is one of the key that it pointed to then',
    records: [
      moves('CreateAlias', DAYS(0), KEYS[0]),
      record('DisableKey', DAYS(1), byAlias(ALIASES[0])),
      moves('UpdateAlias', DAYS(2), KEYS[1]),
    ],
    finds: ['key-disabled', 'alias-repointed'],
  },
  {
    what: 'failed calls through an alias count for the key of their moment, also where the alias moves within their hour',
    records: [
      moves('CreateAlias', DAYS(0), KEYS[0]),
      record('DisableKey', DAYS(0) + 1000, resources(KEYS[0])),
      record('DisableKey', DAYS(0) + 2000, resources(KEYS[1])),
      record('Decrypt', DAYS(1) + 10 * MINUTE, { ...byAlias(ALIASES[0]), ...disabled }),
      moves('UpdateAlias', DAYS(1) + 20 * MINUTE, KEYS[1]),
      record('Decrypt', DAYS(1) + 30 * MINUTE, { ...byAlias(ALIASES[0]), ...disabled }),
    ],
    finds: ['disabled-key-used', 'disabled-key-used'],
  },
  {
    what: "the caller of ReEncrypt is a user of the destination's key too",
    records: [
      record('Decrypt', DAYS(0), resources(KEYS[1])),
      record('ReEncrypt', DAYS(20), {
        ...resources(KEYS[0], KEYS[1]),
        requestParameters: { sourceKeyId: KEYS[0], destinationKeyId: KEYS[1] },
        userIdentity: CALLERS[2],
      }),
    ],
    finds: ['new-actor-for-key'],
  },
  {
    what: 'a key protects logs where only a call through its alias shows it',
    records: [
      moves('CreateAlias', DAYS(0), KEYS[0]),
      record('GenerateDataKey', DAYS(1), logsUnder(ALIASES[0])),
      record('DisableKey', DAYS(2), resources(KEYS[0])),
    ],
    finds: ['log-key-endangered'],
  },
  {
    what: 'two accounts that tell of one trail have a finding each',
    records: ACCOUNTS.map((account, n) =>
      record('StopLogging', DAYS(n), {
        eventSource: 'cloudtrail.amazonaws.com',
        recipientAccountId: account,
        requestParameters: { name: `arn:aws:cloudtrail:eu-west-1:${ACCOUNTS[0]}:trail/main` },
      }),
    ),
    finds: ['trail-stopped', 'trail-stopped'],
  },
];

let one: Place;
let other: Place;

beforeAll(async () => {
  one = await openPlace(1);
  other = await openPlace(1);
});

afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

describe('whichever record comes last', () => {
  test.each(CASES.map((each) => [each.what, each] as const))('%s', async (_what, { records, finds }) => {
    const texts = records.map((fields) => JSON.stringify(fields));
    const expected = await plain(one, texts);
    const found = (await storedFindings(one.pipeline)).map(({ detector }) => detector);
    expect(found.filter((detector) => finds.includes(detector)).toSorted()).toEqual(finds.toSorted());
    for (let last = 0; last < texts.length; last++) {
      const sightings = [...texts.keys()].filter((n) => n !== last).map((n, delivery) => ({ record: n, delivery, respelled: false }));
      // One delivery after the other, and the one with the last record when all others are detected.
      const all = [...sightings, { record: last, delivery: sightings.length, respelled: false }];
      const arrangement = { workers: 1, sightings: all, deliveries: texts.length, early: sightings.length };
      expect([last, differences(expected, await arranged(other, texts, arrangement))]).toEqual([last, []]);
    }
  });
});
