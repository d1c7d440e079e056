import { DAY, MINUTE } from '../../../core/clock.ts';
import { via } from '../../callers.ts';
import type { Playbook } from '../contract.ts';
import { playbook } from './plan.ts';
import { useOf } from './uses.ts';

/** Somebody of the company reads what only services read. */
export const insiderBulkDecrypt: Playbook = playbook({
  id: 'insider-bulk-decrypt',
  about: 'An employee decrypts secrets, parameters or objects in bulk that only services decrypt otherwise.',
  needs: ['secretsmanager', 'ssm', 's3', 'dynamodb'],
  days: 9,
  expects: ['person-used-service-key', 'key-sweep', 'volume-spike', 'new-actor-for-key', 'new-context-for-actor'],
  variants: {
    loud: {
      how: '260 direct Decrypt calls within an hour, at any time of the day',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'DataEngineer'), t.key('secretsmanager', 'ssm', 's3', 'dynamodb')];
        const caller = person.caller(t.account.id, t.at, 'cli');
        let [time, known] = [t.at, t.at];
        for (let n = 0; n < 260; n += 1, time += t.pause(4, 14)) {
          const at = t.attack({ time, region: key.key.region }, caller, useOf(t, key, time));
          if (n === 4) known = at;
        }
        return known;
      },
    },
    quiet: {
      how: 'a few dozen direct Decrypt calls in an afternoon at the office',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'DataEngineer'), t.key('secretsmanager', 'ssm', 's3', 'dynamodb')];
        let time = t.office(person, 14);
        const caller = person.caller(t.account.id, time, 'cli');
        let known = time;
        for (let n = 0; n < 24; n += 1, time += t.pause(60, 300)) {
          const at = t.attack({ time, region: key.key.region }, caller, useOf(t, key, time));
          if (n === 2) known = at;
        }
        return known;
      },
    },
    evasive: {
      how: 'through the service in the console, eight to twelve a day on four working days',
      tell: (t) => {
        const [person, key] = [t.person('DataEngineer', 'Developer'), t.key('secretsmanager', 'ssm', 's3', 'dynamodb')];
        const service = t.workload(key).through ?? 'secretsmanager.amazonaws.com';
        let known = t.at;
        for (let day = 0; day < 4; day += 1) {
          let time = t.office(person, 10 + day, day);
          const caller = via(person.caller(t.account.id, time, 'console'), service);
          for (let n = t.random.int(8, 12); n > 0; n -= 1, time += t.pause(90, 900)) {
            const at = t.attack({ time, region: key.key.region }, caller, useOf(t, key, time));
            if (day < 2) known = at;
          }
        }
        return known;
      },
    },
  },
});

/** Code in a workload that should not be there reads along, under the workload's own role and through its own service. */
export const volumeExfiltration: Playbook = playbook({
  id: 'volume-exfiltration',
  about: 'A planted dependency decrypts, under a workload’s own role, more than the workload itself ever does.',
  needs: ['s3', 'secretsmanager', 'dynamodb', 'application'],
  days: 9,
  expects: ['volume-spike', 'key-sweep'],
  variants: {
    loud: {
      how: '900 calls within an hour',
      tell: (t) => {
        const key = t.key('s3', 'secretsmanager', 'dynamodb', 'application');
        const workload = t.workload(key);
        let [time, known] = [t.at, t.at];
        for (let n = 0; n < 900; n += 1, time += t.pause(3, 5)) {
          const at = t.attack({ time, region: key.key.region }, workload.caller(time), useOf(t, key, time));
          if (n === 225) known = at;
        }
        return known;
      },
    },
    quiet: {
      how: '240 calls spread over one working day',
      tell: (t) => {
        const key = t.key('s3', 'secretsmanager', 'dynamodb', 'application');
        const workload = t.workload(key);
        let [time, known] = [t.office(t.person('Developer'), 9), t.at];
        for (let n = 0; n < 240; n += 1, time += t.pause(80, 160)) {
          const at = t.attack({ time, region: key.key.region }, workload.caller(time), useOf(t, key, time));
          if (n === 119) known = at;
        }
        return known;
      },
    },
    evasive: {
      how: '60 calls a day, at all hours, for a week',
      tell: (t) => {
        const key = t.key('s3', 'secretsmanager', 'dynamodb', 'application');
        const workload = t.workload(key);
        let [time, known] = [t.at, t.at];
        while (time < t.at + 7 * DAY) {
          const at = t.attack({ time, region: key.key.region }, workload.caller(time), useOf(t, key, time));
          if (time < t.at + 4 * DAY) known = at;
          time += t.pause(8 * 60, 40 * 60) - (time % MINUTE);
        }
        return known;
      },
    },
  },
});
