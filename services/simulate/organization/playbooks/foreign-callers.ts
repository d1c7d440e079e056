import { DAY } from '../../../core/clock.ts';
import { decrypt, generateDataKey } from '../../operations.ts';
import type { Playbook } from '../contract.ts';
import { atOurKey, outsider } from './intruders.ts';
import { playbook } from './plan.ts';

/** An old opening that nobody remembers is used at last. */
export const crossAccountUse: Playbook = playbook({
  id: 'cross-account-first-use',
  about: 'An account that was never seen uses a key that some forgotten access leaves open to it.',
  needs: ['s3', 'secretsmanager', 'application', 'dynamodb'],
  days: 9,
  expects: ['cross-account-first-use', 'new-actor-for-key'],
  variants: {
    loud: {
      how: '100 direct decryptions within half an hour',
      tell: (t) => {
        const { key, context } = t.key('s3', 'secretsmanager', 'application', 'dynamodb');
        const caller = outsider(t, 'harvest');
        for (let n = 0, time = t.at; n < 100; n += 1, time += t.pause(5, 25)) {
          t.attack({ time, region: key.region }, caller, atOurKey(decrypt(key, { context: context(t.random), time }), key));
        }
        return t.at;
      },
    },
    quiet: {
      how: 'three direct calls in working hours',
      tell: (t) => {
        const { key, context } = t.key('s3', 'secretsmanager', 'application', 'dynamodb');
        let time = t.office(t.person('Developer'), 14);
        const known = time;
        const caller = outsider(t, 'integration');
        for (let n = 0; n < 3; n += 1, time += t.pause(120, 900)) {
          t.attack({ time, region: key.region }, caller, atOurKey(decrypt(key, { context: context(t.random), time }), key));
        }
        return known;
      },
    },
    evasive: {
      how: 'through Amazon S3, first writing and then reading, one call a day for four days',
      tell: (t) => {
        const { key, context } = t.key('s3');
        const caller = outsider(t, 'sync', 's3.amazonaws.com');
        for (let day = 0; day < 4; day += 1) {
          const time = t.at + day * DAY + (day === 0 ? 0 : t.pause(0, 6 * 3600));
          const how = { context: context(t.random), time };
          t.attack({ time, region: key.region }, caller, atOurKey(day === 0 ? generateDataKey(key, how) : decrypt(key, how), key));
        }
        return t.at;
      },
    },
  },
});
