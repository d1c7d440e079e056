import { DAY, HOUR, MINUTE } from '../../../core/clock.ts';
import { createGrant, decrypt, retireGrant, revokeGrant } from '../../operations.ts';
import type { Call } from '../../record.ts';
import type { SimKey } from '../../world.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, atOurKey, elsewhere, outsider, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { roleArn, rootArn } from './statements.ts';
import type { Telling } from './telling.ts';

/** A grant without constraints, made directly: no service stands between. */
export function grantOf(t: Telling, key: SimKey, terms: { grantee: string; operations: readonly string[]; retiring?: string }): Call {
  const call = createGrant(key, { ...terms, grantId: t.random.hex(64), context: {} });
  const { constraints: _none, ...request } = call.request ?? {};
  const { shared: _shared, ...rest } = call;
  return { ...rest, request };
}

/** Access that no key policy shows. */
export const grantBackDoor: Playbook = playbook({
  id: 'grant-back-door',
  about: 'A grant, which no key policy shows, lets the attacker’s account use a key.',
  days: 10,
  expects: ['grant-to-external-account', 'grant-overbroad'],
  variants: {
    loud: {
      how: 'grants of everything on four keys within minutes, and used at once',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const service = outsider(t, 'svc');
        const symmetric = t.account.keys.filter(({ purpose }) => purpose !== 'signing');
        let time = t.at;
        for (const { key } of t.some(symmetric, 4)) {
          const terms = {
            grantee: rootArn(t.foreign),
            operations: ['Decrypt', 'Encrypt', 'GenerateDataKey', 'CreateGrant', 'DescribeKey'],
          };
          t.attack({ time, region: key.region }, admin, grantOf(t, key, terms));
          time += t.pause(10, 40);
          t.attack({ time, region: key.region }, service, atOurKey(decrypt(key, { time, naming: 'arn' }), key));
          time += t.pause(10, 40);
        }
        return t.at;
      },
    },
    quiet: {
      how: 'Decrypt for one foreign role, at the office; used hours later',
      tell: (t) => {
        const [person, { key, context }] = [t.person('PlatformAdmin', 'Developer'), t.key('s3', 'ebs', 'rds')];
        const time = t.office(person, 14);
        const terms = { grantee: roleArn(t.foreign, 'restore'), operations: ['Decrypt', 'DescribeKey'] };
        const known = t.attack({ time, region: key.region }, person.caller(t.account.id, time, 'cli'), grantOf(t, key, terms));
        const used = time + 2 * HOUR;
        t.attack(
          { time: used, region: key.region },
          outsider(t, 'restore'),
          atOurKey(decrypt(key, { context: context(t.random), time: used }), key),
        );
        return known;
      },
    },
    evasive: {
      how: 'in the change window to a role of the account’s own that may pass it on, with a foreign retiring principal; that role passes it on a day later',
      tell: (t) => {
        const orgKey = t.key('s3', 'dynamodb', 'application');
        const { key, context } = orgKey;
        const { region } = key;
        const workload = t.workload(orgKey);
        const time = t.window();
        const own = {
          grantee: roleArn(t.account.id, workload.role),
          operations: ['Decrypt', 'CreateGrant', 'RetireGrant'],
          retiring: roleArn(t.foreign, 'cleanup'),
        };
        t.attack({ time, region }, t.account.pipeline(time), grantOf(t, key, own));
        const passed = time + DAY + t.pause(0, 7200);
        const on = { grantee: roleArn(t.foreign, 'cleanup'), operations: ['Decrypt'] };
        const known = t.attack({ time: passed, region }, workload.direct(passed), grantOf(t, key, on));
        const used = passed + 5 * HOUR;
        t.attack(
          { time: used, region },
          outsider(t, 'cleanup', 's3.amazonaws.com'),
          atOurKey(decrypt(key, { context: context(t.random), time: used }), key),
        );
        return known;
      },
    },
  },
});

/** Services lose the access that their grants gave. */
export const grantsTornDown: Playbook = playbook({
  id: 'grants-torn-down',
  about: 'Grants that services live on are revoked, so that volumes and databases cannot be opened any more.',
  needs: ['ebs', 'rds', 'dynamodb', 'backup'],
  days: 9,
  expects: ['grants-revoked-burst'],
  variants: {
    loud: {
      how: '25 grants in four minutes',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.key('ebs', 'rds', 'dynamodb', 'backup')];
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        let [time, known] = [t.at, t.at];
        for (let n = 0; n < 25; n += 1, time += t.pause(6, 12)) {
          const at = t.attack({ time, region: key.region }, admin, revokeGrant(key, t.random.hex(64)));
          if (n === 4) known = at;
        }
        return known;
      },
    },
    quiet: {
      how: 'seven grants in some minutes at the office',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.key('ebs', 'rds', 'dynamodb', 'backup')];
        let [time, known] = [t.office(person, 16), t.at];
        const admin = person.caller(t.account.id, time, 'cli');
        for (let n = 0; n < 7; n += 1, time += t.pause(30, 70)) {
          const at = t.attack({ time, region: key.region }, admin, revokeGrant(key, t.random.hex(64)));
          if (n === 4) known = at;
        }
        return known;
      },
    },
    evasive: {
      how: 'two actors, revoking and retiring in turn, six grants each in the change window',
      tell: (t) => {
        const { key } = t.key('ebs', 'rds', 'dynamodb', 'backup');
        const person = t.person('PlatformAdmin', 'Developer');
        let [time, known] = [t.window(), t.at];
        const since = time;
        for (let n = 0; n < 12; n += 1, time += t.pause(40, 80)) {
          const [caller, call] =
            n % 2 === 0
              ? [t.account.pipeline(since), revokeGrant(key, t.random.hex(64))]
              : [person.caller(t.account.id, since, 'cli'), retireGrant(key, t.random.hex(64))];
          const at = t.attack({ time, region: key.region }, caller, call);
          if (n === 8) known = at;
        }
        t.bystander(
          { time: time + 30 * MINUTE, region: key.region },
          person.caller(t.account.id, since, 'cli'),
          revokeGrant(key, t.random.hex(64)),
        );
        return known;
      },
    },
  },
});
