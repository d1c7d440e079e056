import { DAY, MINUTE } from '../../../core/clock.ts';
import { createAlias, deleteAlias, updateAlias } from '../../aliases.ts';
import { createKey } from '../../controls.ts';
import { encrypt, list } from '../../operations.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, elsewhere, newKey, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { allow, policyWith, rootArn } from './statements.ts';
import type { Telling } from './telling.ts';

/** Keys that are called by their alias. */
function withAlias(t: Telling): readonly OrgKey[] {
  const found = t.account.keys.filter(({ key }) => key.alias !== null && key.plan.origin === undefined && key.plan.spec === undefined);
  return found.length > 0 ? found : t.account.keys;
}

const aliasOf = ({ key }: OrgKey): string => key.alias ?? `alias/${key.name}`;

/** Who encrypts by the alias from now on does so under a key that others control. */
export const aliasSwap: Playbook = playbook({
  id: 'alias-swap',
  about: 'An alias that applications encrypt by is moved to a key that the attacker controls.',
  days: 9,
  expects: ['alias-repointed', 'alias-deleted', 'key-policy-external-account'],
  variants: {
    loud: {
      how: 'three aliases within minutes, to a new key that a foreign account owns in all but name',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const [first] = withAlias(t) as [OrgKey, ...OrgKey[]];
        const { region } = first.key;
        const key = newKey(t, { time: t.at, region, purpose: 'application' });
        const policy = policyWith(t.account.id, allow('Owner', { AWS: rootArn(t.foreign) }, ['kms:*']));
        t.attack({ time: t.at, region }, admin, createKey(key, policy));
        let time = t.at + MINUTE;
        const known = time;
        for (const victim of t.some(
          withAlias(t).filter((other) => other.key.region === region),
          3,
        )) {
          t.touch(victim.key.arn);
          t.attack({ time, region }, admin, updateAlias(key, aliasOf(victim)));
          time += t.pause(15, 60);
        }
        return known;
      },
    },
    quiet: {
      how: 'one alias at the office, to a new key under the account’s own default policy',
      tell: (t) => {
        const [person, victim] = [t.person('PlatformAdmin', 'Developer'), t.random.pick(withAlias(t))];
        const { region } = victim.key;
        const time = t.office(person, 10);
        const caller = person.caller(t.account.id, time, 'console');
        const key = newKey(t, { time, region, purpose: victim.key.plan.purpose });
        t.touch(victim.key.arn);
        t.attack({ time, region }, caller, list('ListAliases'));
        t.attack({ time: time + 2 * MINUTE, region }, caller, createKey(key, null));
        return t.attack({ time: time + 40 * MINUTE, region }, caller, updateAlias(key, aliasOf(victim)));
      },
    },
    evasive: {
      how: 'in the change window, by DeleteAlias and CreateAlias instead of UpdateAlias, to a key made a day earlier',
      tell: (t) => {
        const victim = t.random.pick(withAlias(t));
        const { region } = victim.key;
        const time = t.window(t.window() - t.at < DAY + MINUTE ? 1 : 0);
        const created = time - DAY;
        const key = newKey(t, { time: created, region, purpose: victim.key.plan.purpose });
        t.touch(victim.key.arn);
        t.attack({ time: created, region }, t.account.pipeline(created), createKey(key, policyWith(t.account.id)));
        const caller = t.account.pipeline(time);
        t.attack({ time, region }, caller, deleteAlias(victim.key, aliasOf(victim)));
        const known = t.attack({ time: time + 9_000, region }, caller, createAlias(key, aliasOf(victim)));
        const used = time + 11 * MINUTE;
        const workload = t.workload(victim);
        t.bystander({ time: used, region }, workload.caller(used), encrypt(key, { context: victim.context(t.random), time: used }));
        return known;
      },
    },
  },
});
