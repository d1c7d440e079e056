import { DAY } from '../../../core/clock.ts';
import { disableKeyRotation, enableKeyRotation } from '../../controls.ts';
import { read } from '../../operations.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, elsewhere, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';

/** Keys that can rotate by themselves, those first that do. */
function rotating(t: Telling): readonly OrgKey[] {
  const able = t.account.keys.filter(({ key }) => key.plan.spec === undefined && key.plan.origin === undefined);
  const on = able.filter(({ key }) => typeof key.plan.rotationDays === 'number');
  return on.length > 0 ? on : able.length > 0 ? able : t.account.keys;
}

/** What leaked stays of use. */
export const rotationOff: Playbook = playbook({
  id: 'rotation-off',
  about: 'Rotation is switched off, or slowed down until it means nothing, so that leaked key material stays of use.',
  days: 9,
  expects: ['rotation-disabled', 'rotation-period-weakened', 'rotation-not-enabled'],
  variants: {
    loud: {
      how: 'off for every key of the account, from a far network',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const thief = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        let time = t.at;
        for (const { key } of rotating(t)) {
          t.attack({ time, region: key.region }, thief, disableKeyRotation(key));
          time += t.pause(5, 20);
        }
        return t.at;
      },
    },
    quiet: {
      how: 'off for one key at the office',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.random.pick(rotating(t))];
        const time = t.office(person, 16);
        const caller = person.caller(t.account.id, time, 'console');
        t.attack({ time: time - 60_000, region: key.region }, caller, read('GetKeyRotationStatus', key));
        return t.attack({ time, region: key.region }, caller, disableKeyRotation(key));
      },
    },
    evasive: {
      how: 'by the pipeline in the change window and the day after: never off, but only every seven years',
      tell: (t) => {
        const time = t.window();
        for (const [n, { key }] of t.some(rotating(t), 2).entries()) {
          const at = time + n * DAY;
          t.attack({ time: at, region: key.region }, t.account.pipeline(at), enableKeyRotation(key, 2560));
        }
        return time;
      },
    },
  },
});
