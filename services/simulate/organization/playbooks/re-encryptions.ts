import { DAY } from '../../../core/clock.ts';
import { reEncrypt } from '../../operations.ts';
import type { Call } from '../../record.ts';
import type { SimKey } from '../../world.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, elsewhere, foreignKey, newKey, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';

/** Where the data goes: a key of the attacker's account. */
function abroad(t: Telling, { key }: OrgKey): SimKey {
  const { region } = key;
  const arn = foreignKey(t, region);
  return { ...newKey(t, { time: t.at, region, purpose: 'import' }), account: t.foreign, arn, id: arn.split('/')[1] ?? '' };
}

/** The caller's own record of a call over two accounts. */
function crossing(t: Telling, how: { from: OrgKey; to: SimKey; time: number }): Call {
  const { from, to, time } = how;
  return { ...reEncrypt(from.key, to, { context: from.context(t.random), time }), shared: true };
}

/** No plaintext is ever asked for, and no Decrypt is ever called. */
export const reEncryptExfiltration: Playbook = playbook({
  id: 're-encrypt-exfiltration',
  about: 'Stolen ciphertexts are turned by ReEncrypt into such as the attacker’s own key opens.',
  needs: ['s3', 'secretsmanager', 'dynamodb'],
  days: 9,
  expects: ['foreign-key-encryption', 'new-actor-for-key', 'person-used-service-key', 'new-context-for-actor'],
  variants: {
    loud: {
      how: '90 calls in a quarter of an hour by a person’s stolen session',
      tell: (t) => {
        const [person, from] = [t.person('PlatformAdmin', 'Developer'), t.key('s3', 'secretsmanager', 'dynamodb')];
        const thief = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const to = abroad(t, from);
        for (let n = 0, time = t.at; n < 90; n += 1, time += t.pause(5, 15)) {
          t.attack({ time, region: from.key.region }, thief, crossing(t, { from, to, time }));
        }
        return t.at;
      },
    },
    quiet: {
      how: 'six calls in an afternoon at the office',
      tell: (t) => {
        const [person, from] = [t.person('Developer', 'DataEngineer'), t.key('s3', 'secretsmanager', 'dynamodb')];
        const since = t.office(person, 14);
        const caller = person.caller(t.account.id, since, 'cli');
        const to = abroad(t, from);
        for (let n = 0, time = since; n < 6; n += 1, time += t.pause(120, 900)) {
          t.attack({ time, region: from.key.region }, caller, crossing(t, { from, to, time }));
        }
        return since;
      },
    },
    evasive: {
      how: 'by the workload’s own role from its own network, two calls a day for three days',
      tell: (t) => {
        const from = t.key('s3', 'secretsmanager', 'dynamodb');
        const workload = t.workload(from);
        const to = abroad(t, from);
        for (let n = 0; n < 6; n += 1) {
          const time = t.at + Math.floor(n / 2) * DAY + (n === 0 ? 0 : t.pause(600, 7 * 3600));
          t.attack({ time, region: from.key.region }, workload.direct(time), crossing(t, { from, to, time }));
        }
        return t.at;
      },
    },
  },
});
