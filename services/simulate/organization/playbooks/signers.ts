import { DAY, HOUR } from '../../../core/clock.ts';
import { read } from '../../operations.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, elsewhere, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { useOf } from './uses.ts';

/** What is signed cannot be unsigned. */
export const signingByStranger: Playbook = playbook({
  id: 'signing-by-stranger',
  about: 'Somebody who never signed anything signs with the account’s signing key.',
  needs: ['signing'],
  days: 9,
  expects: ['signing-key-new-actor', 'new-actor-for-key'],
  variants: {
    loud: {
      how: '80 signatures in a quarter of an hour by a person’s stolen session',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'PlatformAdmin'), t.key('signing')];
        const thief = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        for (let n = 0, time = t.at; n < 80; n += 1, time += t.pause(5, 16))
          t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
        return t.at;
      },
    },
    quiet: {
      how: 'one signature by a developer at the office',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'PlatformAdmin'), t.key('signing')];
        const time = t.office(person, 11);
        const caller = person.caller(t.account.id, time, 'cli');
        t.attack({ time: time - 60_000, region: key.key.region }, caller, read('GetPublicKey', key.key));
        return t.attack({ time, region: key.key.region }, caller, useOf(t, key, time));
      },
    },
    evasive: {
      how: 'one signature by the pipeline in the change window, one a day later by another workload of the account',
      tell: (t) => {
        const key = t.key('signing');
        const { region } = key.key;
        const time = t.window();
        const known = t.attack({ time, region }, t.account.pipeline(time), useOf(t, key, time));
        const others = t.account.keys.filter(({ purpose }) => purpose === 'application' || purpose === 'lambda' || purpose === 's3');
        const other = t.workload(t.random.pick(others.length > 0 ? others : t.account.keys));
        const later = time + DAY + 2 * HOUR;
        t.attack({ time: later, region }, other.direct(later), useOf(t, key, later));
        return known;
      },
    },
  },
});
