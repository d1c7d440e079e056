import { DAY } from '../../../core/clock.ts';
import { decrypt, denied, list, read } from '../../operations.ts';
import type { Call } from '../../record.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, elsewhere, HELD, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { dryRun, trialOf, useOf } from './uses.ts';

/** One caller goes through the account's keys. */
export const slowKeySweep: Playbook = playbook({
  id: 'slow-key-sweep',
  about: 'One caller uses key after key of the account, far more than it ever needed.',
  days: 9,
  expects: [
    'key-sweep',
    'new-actor-for-key',
    'person-used-service-key',
    'encryption-context-unexpected',
    'volume-spike',
    'new-context-for-actor',
  ],
  variants: {
    loud: {
      how: 'every key of the account within a quarter of an hour, from a far network',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const caller = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        let [time, known] = [t.at, t.at];
        for (const [n, key] of t.account.keys.entries()) {
          const { region } = key.key;
          t.attack({ time, region }, caller, read('DescribeKey', key.key));
          for (let more = 0; more < 3; more += 1) {
            time += t.pause(4, 16);
            const at = t.attack({ time, region }, caller, useOf(t, key, time));
            if (n <= 2) known = at;
          }
        }
        return known;
      },
    },
    quiet: {
      how: 'up to eight keys in an afternoon at the office, a trial encryption and a decryption each',
      tell: (t) => {
        const person = t.person('Developer', 'DataEngineer');
        const since = t.office(person, 13);
        const caller = person.caller(t.account.id, since, 'cli');
        let [time, known] = [since, since];
        for (const [n, key] of t.some(t.account.keys, 8).entries()) {
          const { region } = key.key;
          t.attack({ time, region }, caller, trialOf(t, key, time));
          time += t.pause(60, 240);
          const at = t.attack({ time, region }, caller, useOf(t, key, time));
          if (n <= 3) known = at;
          time += t.pause(300, 1500);
        }
        return known;
      },
    },
    evasive: {
      how: 'a compromised workload uses two keys more on each of five days, through its own service',
      tell: (t) => {
        const workload = t.workload(t.key('application', 's3', 'lambda'));
        const others = t.account.keys.filter(({ workloads }) => workloads.every(({ role }) => role !== workload.role));
        const targets = t.some(others.length === 0 ? t.account.keys : others, 10);
        let [time, known] = [t.at, t.at];
        for (const [n, key] of targets.entries()) {
          time = t.at + Math.floor(n / 2) * DAY + (n % 2) * t.pause(2 * 3600, 6 * 3600);
          const at = t.attack({ time, region: key.key.region }, workload.caller(time), useOf(t, key, time));
          if (n <= 5) known = at;
        }
        return known;
      },
    },
  },
});

/** Which keys are there, who may use them, may I? */
export const keyReconnaissance: Playbook = playbook({
  id: 'key-reconnaissance',
  about: 'Somebody finds out which keys there are and what they may do with them.',
  days: 9,
  expects: ['key-probing', 'denied-burst', 'new-context-for-actor', 'new-actor-for-key', 'key-sweep'],
  variants: {
    loud: {
      how: 'a stolen workload role is refused list after list, and every key of the account',
      tell: (t) => {
        const thief = elsewhere(t.workload(t.key(...HELD)).direct(t.at), { from: addressOf(t), agent: TOOLS.kali });
        const region = t.account.regions[0] ?? 'us-east-1';
        let time = t.at;
        const times: number[] = [];
        const attempt = (place: string, call: Call, resource: string): void => {
          times.push(t.attack({ time, region: place }, thief, denied(call, thief, resource)));
          time += t.pause(3, 15);
        };
        attempt(region, list('ListKeys'), '*');
        attempt(region, list('ListAliases'), '*');
        for (const { key } of t.account.keys) {
          for (const operation of ['DescribeKey', 'GetKeyPolicy', 'ListGrants']) attempt(key.region, read(operation, key), key.arn);
          attempt(key.region, decrypt(key, { time, naming: 'arn' }), key.arn);
        }
        return times[Math.min(9, times.length - 1)] ?? t.at;
      },
    },
    quiet: {
      how: 'dry runs on up to ten keys within half an hour at the office',
      tell: (t) => {
        const person = t.person('Developer', 'DataEngineer');
        let time = t.office(person, 11);
        const caller = person.caller(t.account.id, time, 'cli');
        t.attack({ time, region: t.account.regions[0] ?? 'us-east-1' }, caller, list('ListAliases'));
        const times: number[] = [];
        for (const key of t.some(t.account.keys, 10)) {
          time += t.pause(60, 170);
          times.push(t.attack({ time, region: key.key.region }, caller, dryRun(trialOf(t, key, time))));
        }
        return times[Math.min(4, times.length - 1)] ?? t.at;
      },
    },
    evasive: {
      how: 'the pipeline’s role reads policies and tries dry runs on three keys an hour, for four hours on two days',
      tell: (t) => {
        const keys = t.some(t.account.keys, 12);
        const times: number[] = [];
        const since = t.office(t.person('Developer'), 10);
        let time = since;
        for (const [n, key] of keys.entries()) {
          if (n === 6) time = since + DAY;
          const caller = t.account.pipeline(time);
          const { region } = key.key;
          t.attack({ time, region }, caller, read('GetKeyPolicy', key.key));
          time += t.pause(30, 90);
          times.push(t.attack({ time, region }, caller, dryRun(trialOf(t, key, time))));
          time += t.pause(900, 1300);
        }
        return times[Math.min(4, times.length - 1)] ?? t.at;
      },
    },
  },
});
