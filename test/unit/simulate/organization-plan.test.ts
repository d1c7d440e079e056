import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../services/core/clock.ts';
import type { JsonObject } from '../../../services/core/json.ts';
import { normalize } from '../../../services/normalize/normalize.ts';
import type { LogFile } from '../../../services/simulate/log-file.ts';
import { type Playbook, type Stage, type Story, VARIANTS } from '../../../services/simulate/organization/contract.ts';
import { type OrganizationOptions, planOrganization } from '../../../services/simulate/organization/plan.ts';
import { isHoliday, rhythmsOf } from '../../../services/simulate/organization/rhythms.ts';
import { decrypt } from '../../../services/simulate/operations.ts';

const END = Date.parse('2026-03-14T10:20:00Z');
const START = END - 10 * DAY;
const SMALL: OrganizationOptions = { seed: 3, end: END, days: 10, accounts: 6, keys: 30, learningDays: 2 };

/** Reads with a stolen session, disables a key, and blinds the trail for a while. */
const thief: Playbook = {
  id: 'thief',
  about: 'Somebody reads.',
  needs: ['s3', 'dynamodb'],
  days: 1,
  expects: ['new-context-for-actor'],
  variants: { loud: 'two hours', quiet: 'one hour', evasive: 'half an hour' },
  tell: (stage) => tellTheft(stage, 0),
};

function tellTheft({ account, at, scribe, variant }: Stage, offset: number): Story {
  const living = account.keys.find(({ purpose }) => purpose === 's3' || purpose === 'dynamodb');
  if (!living) throw new Error('the stage has no such key');
  const { key } = living;
  const caller = { ...(living.workloads[0]?.direct(at) ?? account.breakGlass(at)), from: '192.0.2.250', agent: 'thief' };
  for (let step = 0; step < 5; step += 1)
    scribe.write({ time: at + offset + step * MINUTE, region: key.region }, caller, decrypt(key, { time: at }));
  return {
    playbook: 'thief',
    variant,
    startsAt: at,
    endsAt: at + 4 * MINUTE,
    recognisableAt: at,
    expects: ['new-context-for-actor'],
    accounts: [account.id],
    keys: [key.arn],
    actors: [],
    aftermath: [{ key: key.arn, from: at, to: at + 20 * HOUR, code: 'DisabledException', message: `${key.arn} is disabled.` }],
    unseen: [{ account: account.id, from: at + 2 * MINUTE, to: at + 4 * HOUR, kmsOnly: variant === 'quiet' }],
  };
}

interface Told {
  readonly record: JsonObject;
  readonly time: number;
  readonly file: LogFile;
}

function toldBy(options: OrganizationOptions): Told[] {
  return [...planOrganization(options).files()].flatMap((file) =>
    file.records.map((record) => ({ record, file, time: Date.parse(text(record['eventTime'])) })),
  );
}

function fingerprint(files: Iterable<LogFile>): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.key}\n${file.time}\n${JSON.stringify(file.records)}\n`);
  return hash.digest('hex');
}

const callerOf = ({ record }: Told): string => JSON.stringify(record['userIdentity']);
const keyOf = ({ record }: Told): string => JSON.stringify(record['resources'] ?? '');

describe('the life of an organization', () => {
  let files: LogFile[];
  let told: Told[];
  beforeAll(() => {
    files = [...planOrganization(SMALL).files()];
    told = files.flatMap((file) => file.records.map((record) => ({ record, file, time: Date.parse(text(record['eventTime'])) })));
  });
  const inPeriod = (): Told[] => told.filter(({ file }) => !file.history);

  it('is the same to the byte for the same options, also when the files are asked for twice', () => {
    const plan = planOrganization(SMALL);
    const source = plan.files();
    for (let step = 0; step < 40; step += 1) source.next();
    expect(fingerprint(plan.files())).toBe(fingerprint(files));
  });

  it('is another for another seed', () => {
    expect(fingerprint(planOrganization({ ...SMALL, seed: 4 }).files())).not.toBe(fingerprint(files));
  });

  it('is understood whole by the normalizer', () => {
    const lost = new Set<string>();
    for (const { record } of told) {
      const result = normalize(Buffer.from(JSON.stringify(record)), () => true);
      if (result.outcome !== 'ok') throw new Error(`${result.outcome}: ${JSON.stringify(record)}`);
      for (const field of result.event.lostFields) lost.add(field);
    }
    expect([...lost]).toEqual([]);
  });

  it('comes file by file in the order of delivery, history first, each file under its own name', () => {
    const times = files.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(files.findLastIndex(({ history }) => history)).toBeLessThan(files.findIndex(({ history }) => !history));
    expect(new Set(files.map(({ key }) => key)).size).toBe(files.length);
    expect(inPeriod().every(({ time, file }) => time >= START && file.time >= time && file.time <= END)).toBe(true);
    expect(
      told.every(({ record, file }) =>
        file.key.includes(`/${text(record['recipientAccountId'])}/CloudTrail/${text(record['awsRegion'])}/`),
      ),
    ).toBe(true);
  });

  it('delivers a few records late and a few twice', () => {
    const ids = Map.groupBy(inPeriod(), ({ record }) => record['eventID']);
    expect(ids.size).toBeLessThan(inPeriod().length);
    expect([...ids.values()].every((same) => same.length <= 2)).toBe(true);
    expect(inPeriod().filter(({ time, file }) => file.time - time > 3 * HOUR).length).toBeGreaterThan(3);
  });

  it('tells of every key and of the trail how they came to be', () => {
    const created = told.filter(({ record }) => record['eventName'] === 'CreateKey').map(keyOf);
    for (const { keys } of planOrganization(SMALL).organization.accounts)
      for (const { key } of keys) expect(created.some((resources) => resources.includes(key.arn))).toBe(true);
    const trails = told.filter(({ record }) => record['eventName'] === 'CreateTrail');
    expect(trails.map(({ record }) => record['requestParameters'])).toMatchObject([{ enableLogFileValidation: true }]);
  });

  it('uses no key before it is made', () => {
    const born = new Map(told.filter(({ record }) => record['eventName'] === 'CreateKey').map((one) => [arnIn(keyOf(one)), one.time]));
    const early = told.filter((one) => arnIn(keyOf(one)) !== '' && one.time < (born.get(arnIn(keyOf(one))) ?? Number.POSITIVE_INFINITY));
    expect(early).toEqual([]);
    expect(born.size).toBeGreaterThanOrEqual(30);
  });

  it('lets nobody work in the account of a team that is not theirs', () => {
    const people = planOrganization(SMALL).organization.accounts.flatMap((account) => account.people);
    const works = new Map(people.map(({ mail, accounts }) => [mail, accounts]));
    const byPeople = told.flatMap((one) => {
      const accounts = works.get(/assumed-role\/AWSReservedSSO_[^/]*\/([^"]+@larkspur\.example)/.exec(callerOf(one))?.[1] ?? '');
      return accounts ? [{ accounts, account: text(one.record['recipientAccountId']) }] : [];
    });
    expect(byPeople.length).toBeGreaterThan(100);
    expect(byPeople.filter(({ accounts, account }) => !accounts.includes(account))).toEqual([]);
  });

  it('has about as many records as it is asked for; people and pipelines do not grow with them', () => {
    const more = toldBy({ ...SMALL, records: 25_000 }).filter(({ file }) => !file.history);
    const less = toldBy({ ...SMALL, records: 12_500 }).filter(({ file }) => !file.history);
    expect(Math.abs(more.length / 25_000 - 1)).toBeLessThan(0.1);
    expect(Math.abs(less.length / 12_500 - 1)).toBeLessThan(0.1);
    const byPeople = (list: readonly Told[]): number =>
      new Set(list.filter((one) => /@larkspur|ci-deploy/.test(callerOf(one))).map(({ record }) => record['eventID'])).size;
    expect(byPeople(more)).toBe(byPeople(less));
    expect(byPeople(more)).toBeGreaterThan(100);
  });

  it('stands still on holidays and in the nights of the offices, and is busiest in the sale', () => {
    const [from, to] = [Date.parse('2025-11-10T00:00:00Z'), Date.parse('2025-12-05T00:00:00Z')];
    const rhythms = rhythmsOf('any', { start: from, end: to });
    expect(rhythms.saleAt).toBe(Date.parse('2025-11-28T00:00:00Z'));
    const sums = (rhythm: (time: number) => number, day: number): number =>
      Array.from({ length: 24 }, (_, hour) => rhythm(day + hour * HOUR)).reduce((sum, value) => sum + value, 0);
    const customers = rhythms.customers(-6);
    expect(sums(customers, rhythms.saleAt + DAY) / sums(customers, rhythms.saleAt - 6 * DAY)).toBeGreaterThan(2.5);
    const holiday = Date.parse('2025-11-26T00:00:00Z');
    expect(isHoliday(holiday + 12 * HOUR, 1)).toBe(true);
    expect(sums(rhythms.office(1), holiday)).toBe(0);
    expect(sums(rhythms.office(1), holiday + DAY)).toBeGreaterThan(20);
  });
});

describe('stories', () => {
  const cast = (more: Partial<OrganizationOptions> = {}): OrganizationOptions => ({
    ...SMALL,
    playbooks: [thief],
    stories: { all: VARIANTS },
    ...more,
  });
  const plan = planOrganization(cast());
  const told = toldBy(cast());
  const byThief = (list: readonly Told[]): Told[] => list.filter(({ record }) => record['userAgent'] === 'thief');

  it('are known up front, happen after the learning days, and each in another account', () => {
    expect(plan.stories.map(({ variant }) => variant).toSorted()).toEqual(['evasive', 'loud', 'quiet']);
    expect(plan.stories.every(({ startsAt, endsAt }) => startsAt >= START + 2 * DAY && endsAt < END)).toBe(true);
    expect(new Set(plan.stories.flatMap(({ accounts }) => accounts)).size).toBe(3);
    expect(plan.stories.map(({ startsAt }) => startsAt)).toEqual(plan.stories.map(({ startsAt }) => startsAt).toSorted((a, b) => a - b));
  });

  it('change nothing in the life around them but what they do to it', () => {
    const ids = new Set(toldBy(SMALL).map(({ record }) => record['requestID'] ?? record['eventID']));
    const strange = told.filter((one) => !ids.has(one.record['requestID'] ?? one.record['eventID']));
    expect(byThief(strange).length).toBe(byThief(told).length);
    expect(strange.length).toBeLessThan(told.length);
  });

  it('are not delivered while the trail is blind, nor is anything else of that account', () => {
    for (const { unseen, startsAt } of plan.stories) {
      const [blind] = unseen;
      if (!blind) throw new Error('no blindness');
      const seen = told.filter(
        ({ record, time }) => record['recipientAccountId'] === blind.account && time > blind.from && time < blind.to,
      );
      expect(seen.filter(({ record }) => record['eventSource'] === 'kms.amazonaws.com')).toEqual([]);
      // What is told up to the moment in which the trail goes blind is seen.
      const before = byThief(told).filter(({ record, time }) => record['recipientAccountId'] === blind.account && time >= startsAt);
      expect(new Set(before.map(({ record }) => record['eventID'])).size).toBe(3);
    }
    const around = toldBy(SMALL);
    const stretches = plan.stories.flatMap(({ unseen }) => unseen);
    for (const { account, from, to } of stretches)
      expect(around.some(({ record, time }) => record['recipientAccountId'] === account && time > from && time < to)).toBe(true);
  });

  it('make the use of keys fail for as long as they say', () => {
    let refused = 0;
    for (const { aftermath } of plan.stories) {
      for (const { key, from, to } of aftermath) {
        const uses = told.filter(
          (one) =>
            one.time >= from &&
            one.time < to &&
            keyOf(one).includes(key) &&
            ['Decrypt', 'GenerateDataKey'].includes(text(one.record['eventName'])),
        );
        const benign = uses.filter(({ record }) => record['userAgent'] !== 'thief');
        expect(benign.every(({ record }) => record['errorCode'] === 'DisabledException')).toBe(true);
        refused += benign.length;
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  it('can be given a time, and a place in the security account', () => {
    const at = START + 5 * DAY;
    const { stories } = planOrganization(cast({ stories: [{ playbook: 'thief', variant: 'quiet', at }] }));
    expect(stories).toMatchObject([{ variant: 'quiet', startsAt: at }]);
    const secure = planOrganization(cast({ playbooks: [{ ...thief, where: 'security' }] }));
    expect(new Set(secure.stories.flatMap(({ accounts }) => accounts))).toEqual(new Set([secure.organization.security.id]));
    const twice = planOrganization(cast({ stories: { all: ['loud'], times: 2 } }));
    expect(twice.stories.map(({ variant }) => variant)).toEqual(['loud', 'loud']);
  });

  it.each([
    ['an unknown playbook', { stories: [{ playbook: 'nobody', variant: 'loud' as const }] }, /no playbook nobody/],
    ['one that writes after its end', { playbooks: [{ ...thief, tell: (stage: Stage) => tellTheft(stage, HOUR) }] }, /outside its story/],
    [
      'one that writes before its beginning',
      { playbooks: [{ ...thief, tell: (stage: Stage) => tellTheft(stage, -HOUR) }] },
      /outside its story/,
    ],
  ])('refuse %s', (_, wrong, why) => {
    expect(() => planOrganization(cast(wrong))).toThrow(why);
  });
});

function arnIn(resources: string): string {
  return /arn:aws:kms:[a-z0-9-]+:\d+:key\/[a-z0-9-]+/.exec(resources)?.[0] ?? '';
}

function text(value: JsonObject[string]): string {
  return typeof value === 'string' ? value : '';
}
