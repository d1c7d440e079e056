import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../../services/core/clock.ts';
import { ACCOUNTS, PARTNER_ACCOUNT } from '../../../services/simulate/keyring.ts';
import { PURPOSES } from '../../../services/simulate/organization/contract.ts';
import { buildOrganization } from '../../../services/simulate/organization/organization.ts';
import { Random } from '../../../services/simulate/random.ts';

const END = Date.parse('2026-03-14T10:20:00Z');
const SMALL = { seed: 3, end: END, days: 10, accounts: 6, keys: 30 } as const;
const small = buildOrganization(SMALL);
const keys = small.accounts.flatMap((account) => account.keys);

describe('the organization', () => {
  it('is the same for the same options, and another for another seed', () => {
    const facts = (seed: number): string => JSON.stringify(buildOrganization({ ...SMALL, seed }));
    expect(facts(3)).toBe(JSON.stringify(small));
    expect(facts(4)).not.toBe(facts(3));
  });

  it('has as many accounts and keys as it is asked for, with ids that are its own', () => {
    const large = buildOrganization({ ...SMALL, accounts: 55, keys: 301 });
    const ids = large.accounts.map(({ id }) => id);
    expect(new Set(ids).size).toBe(55);
    expect(ids.every((id) => /^\d{12}$/.test(id))).toBe(true);
    expect([...ids, ...large.trusted].filter((id) => [...Object.values(ACCOUNTS), PARTNER_ACCOUNT].some((known) => known === id))).toEqual(
      [],
    );
    expect(ids.filter((id) => large.trusted.includes(id))).toEqual([]);
    const all = large.accounts.flatMap((account) => account.keys.map(({ key }) => key));
    expect(all).toHaveLength(301);
    expect(new Set(all.map(({ arn }) => arn)).size).toBe(301);
    expect(new Set(all.map(({ alias, region, account }) => `${account}/${region}/${alias}`)).size).toBe(301);
    expect(new Set(large.accounts.map(({ name }) => name)).size).toBe(55);
  });

  it('has keys of every purpose, each in a Region of its account, made before the period, and used by somebody', () => {
    expect(new Set(keys.map(({ purpose }) => purpose))).toEqual(new Set(PURPOSES));
    for (const account of small.accounts) {
      for (const { key, workloads } of account.keys) {
        expect(account.regions).toContain(key.region);
        expect(key.account).toBe(account.id);
        expect(key.createdAt).toBeLessThan(small.start);
        expect(workloads.length).toBeGreaterThan(0);
        expect(small.world.key(key.name)).toBe(key);
      }
    }
    expect(keys.every(({ key }) => small.allowedRegions.includes(key.region))).toBe(true);
  });

  it('lets no key policy in that is open to strangers', () => {
    const own = new Set([...small.accounts.map(({ id }) => id), ...small.trusted]);
    for (const { policy } of keys) {
      expect(policy).not.toContain('"AWS":"*"');
      for (const [, account = ''] of policy.matchAll(/arn:aws:iam::(\d{12}):/g)) expect(own).toContain(account);
    }
  });

  it("keeps the trail in the security account, whose first key is the trail's", () => {
    const [first] = small.security.keys;
    expect(small.accounts[0]).toBe(small.security);
    expect(small.trail.arn).toBe(`arn:aws:cloudtrail:us-east-1:${small.security.id}:trail/${small.trail.name}`);
    expect(first?.policy).toContain('cloudtrail.amazonaws.com');
    expect(first?.context(new Random('any'))).toEqual({
      'aws:cloudtrail:arn': small.trail.arn,
      'aws:s3:arn': `arn:aws:s3:::${small.trail.bucket}`,
    });
  });

  it('shows a workload through its service, or as itself from where it runs', () => {
    for (const { workloads } of keys) {
      for (const workload of workloads) {
        const [caller, direct] = [workload.caller(END), workload.direct(END)];
        expect(caller.identity['invokedBy'] ?? null).toBe(workload.through);
        expect(direct.identity['invokedBy']).toBeUndefined();
        expect(direct.direct).toBe(true);
        expect(direct.from).toMatch(direct.endpoint === undefined ? /^198\.51\.100\./ : /^10\./);
        expect(caller.identity['accessKeyId']).toBe(direct.identity['accessKeyId']);
      }
    }
  });

  it('replaces instances and renews their credentials, under a role that stays', () => {
    const workload = keys.flatMap(({ workloads }) => workloads).find(({ through }) => through === null);
    const seen = Array.from({ length: 200 }, (_, at) => workload?.caller(END - at * 3 * HOUR).identity ?? {});
    expect(new Set(seen.map(({ arn }) => arn)).size).toBeGreaterThan(5);
    expect(new Set(seen.map(({ arn }) => JSON.stringify(arn).split('/').slice(0, 2).join('/'))).size).toBe(1);
    expect(new Set(seen.map(({ accessKeyId }) => accessKeyId)).size).toBeGreaterThan(new Set(seen.map(({ arn }) => arn)).size);
    // Asked again, in any order, they are the same.
    expect(workload?.caller(END - 10 * DAY).identity).toEqual(buildAgain().caller(END - 10 * DAY).identity);
    function buildAgain(): NonNullable<typeof workload> {
      const again = buildOrganization(SMALL)
        .accounts.flatMap((account) => account.keys)
        .flatMap(({ workloads }) => workloads)
        .find(({ through }) => through === null);
      if (!again) throw new Error('no workload');
      return again;
    }
  });

  it('employs people in four time zones, each with sessions in their own accounts', () => {
    const large = buildOrganization({ ...SMALL, accounts: 40, keys: 40 });
    expect(new Set(large.people.map(({ offset }) => offset))).toEqual(new Set([-6, 0, 1, 5.5]));
    expect(new Set(large.people.map(({ mail }) => mail)).size).toBe(large.people.length);
    for (const account of large.accounts) expect(account.people.some(({ permissions }) => permissions === 'PlatformAdmin')).toBe(true);
    const [person] = large.people;
    const [account = ''] = person?.accounts ?? [];
    expect(person?.caller(account, END, 'console')).toMatchObject({ account, console: true, identity: { type: 'AssumedRole' } });
    const addresses = new Set(Array.from({ length: 14 }, (_, day) => person?.caller(account, END + day * DAY, 'cli').from));
    expect(addresses.size).toBeLessThanOrEqual(2);
  });

  it.each([
    [{ accounts: 1 }, 'two accounts'],
    [{ keys: 5 }, 'a key for each'],
    [{ days: 1.5 }, 'whole days'],
  ])('refuses %j', (wrong, why) => {
    expect(() => buildOrganization({ ...SMALL, ...wrong })).toThrow(new RegExp(why));
  });
});
