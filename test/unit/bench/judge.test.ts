import { describe, expect, test } from 'vitest';
import { judge, type Trial, type Verdict } from '../../../bench/detection-quality/judge.ts';
import type { Told } from '../../../bench/detection-quality/score.ts';
import { DAY, HOUR, MINUTE } from '../../../services/core/clock.ts';
import type { JsonObject } from '../../../services/core/json.ts';
import { configureDetectors } from '../../../services/detectors/configure.ts';
import { DETECTORS } from '../../../services/detectors/registry.ts';
import type { LogFile } from '../../../services/simulate/log-file.ts';
import { ACCOUNT, type Fields, KEYS, record, resources, roleOf, START } from '../../support/records.ts';

const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const AT = START + 12 * DAY + 9 * HOUR;
const detectors = configureDetectors(DETECTORS);

const on = (key: string, operation: string, at: number, fields: Fields = {}): Fields =>
  record(operation, at, { userIdentity: roleOf('admin'), ...resources(key), ...fields });

/** Every record in a file of its own, delivered five minutes later. */
function filesOf(records: readonly Fields[]): LogFile[] {
  const files = records.map((fields, at) => ({
    key: `file-${at}`,
    time: Date.parse(String(fields['eventTime'])) + 5 * MINUTE,
    records: [fields as JsonObject],
    history: false,
  }));
  return files.toSorted((a, b) => a.time - b.time);
}

function story(fields: Partial<Told>): Told {
  return {
    playbook: 'key-off',
    variant: 'loud',
    startsAt: AT,
    endsAt: AT + HOUR,
    recognisableAt: AT,
    expects: ['key-disabled'],
    accounts: [ACCOUNT],
    keys: [KEYS[0]],
    actors: [ADMIN],
    aftermath: [],
    unseen: [],
    eventIds: new Set(),
    ...fields,
  };
}

function judged(records: readonly Fields[], stories: readonly Told[], silence = false): Verdict {
  const trial: Trial = {
    start: START,
    days: 21,
    learnedDays: 5,
    accounts: [ACCOUNT],
    organization: { ownAccounts: new Set([ACCOUNT]), logKeys: new Set() },
    stories,
    files: filesOf(records),
  };
  return judge(trial, { detectors, silence });
}

const idsOf = (...records: readonly Fields[]): ReadonlySet<string> => new Set(records.map((fields) => String(fields['eventID'])));

describe('a story', () => {
  const off = on(KEYS[0], 'DisableKey', AT);

  test('is recognised at the event that makes it recognisable', () => {
    const { stories, noise } = judged([off], [story({ eventIds: idsOf(off) })]);
    expect(stories).toMatchObject([{ recognised: true, delayMs: 0, by: ['key-disabled'], foundBy: ['key-disabled'] }]);
    expect(noise).toEqual([]);
  });

  test('is recognised later when the finding stands later', () => {
    const late = on(KEYS[0], 'DisableKey', AT + 10 * MINUTE);
    const [first] = judged([late], [story({ eventIds: idsOf(late) })]).stories;
    expect(first).toMatchObject({ recognised: true, delayMs: 10 * MINUTE });
  });

  test("is not recognised by somebody else's change of the same key", () => {
    const own = on(KEYS[0], 'DescribeKey', AT + MINUTE);
    expect(judged([off, own], [story({ eventIds: idsOf(own) })]).stories).toMatchObject([
      { recognised: false, delayMs: null, foundBy: [] },
    ]);
  });

  test('is not recognised by a detector that it does not expect, but that is told', () => {
    const { stories } = judged([off], [story({ eventIds: idsOf(off), expects: ['key-deleted'] })]);
    expect(stories).toMatchObject([{ recognised: false, foundBy: ['key-disabled'] }]);
  });

  test('that another one kept from the trail is not judged', () => {
    const { stories, hidden } = judged([off], [story({ eventIds: idsOf(off), hidden: true })]);
    expect([stories, hidden]).toEqual([[], 1]);
  });

  test('that blinds the trail is recognised by the silence, once hours that should have been heard are over', () => {
    const until = START + 20 * DAY;
    const [from, to] = [START + 17 * DAY, START + 17 * DAY + 12 * HOUR];
    const hours = Array.from({ length: (until - START) / HOUR }, (_, hour) => START + hour * HOUR).filter((at) => at < from || at >= to);
    const unseen = [{ account: ACCOUNT, from, to, kmsOnly: false }];
    const blinding = story({ startsAt: from, endsAt: to, recognisableAt: from, expects: ['source-silent'], keys: [], actors: [], unseen });
    const records = hours.map((at) => on(KEYS[0], 'DescribeKey', at));
    const { stories } = judged(records, [blinding], true);
    expect(stories).toMatchObject([{ recognised: true, by: ['source-silent'] }]);
    expect(stories[0]?.delayMs).toBeGreaterThanOrEqual(HOUR);
    expect(stories[0]?.delayMs).toBeLessThanOrEqual(6 * HOUR);
    expect(judged(records, [blinding], false).stories).toMatchObject([{ recognised: false }]);
  });
});

test('noise is told by the day on which it came; what came while learning is none', () => {
  const early = on(KEYS[1], 'DisableKey', START + 2 * DAY);
  const later = on(KEYS[0], 'DisableKey', START + 8 * DAY + HOUR);
  const { noise, benignDays, events, records } = judged([early, later, later], []);
  expect(noise.map(({ detector, keyArn, day }) => [detector, keyArn, day])).toEqual([['key-disabled', KEYS[0], 8]]);
  expect([benignDays, events, records]).toEqual([16, 2, 3]);
});

test('a record that comes after its day was judged stops the benchmark: the simulation must not do that', () => {
  const [late, next] = [on(KEYS[0], 'DisableKey', START), on(KEYS[0], 'EnableKey', START + 3 * DAY)];
  const files = [...filesOf([next]), ...filesOf([late])];
  const trial = { start: START, days: 5, learnedDays: 1, accounts: [ACCOUNT], stories: [], files };
  expect(() => judge({ ...trial, organization: { ownAccounts: new Set(), logKeys: new Set() } }, { detectors })).toThrow(/after its day/);
});
