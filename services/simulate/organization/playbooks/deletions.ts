import { DAY, HOUR, MINUTE } from '../../../core/clock.ts';
import { cancelKeyDeletion, disableKey, enableKey, putKeyPolicy, scheduleKeyDeletion } from '../../controls.ts';
import { read } from '../../operations.ts';
import type { Call, Caller } from '../../record.ts';
import type { SimKey } from '../../world.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, elsewhere, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { allow, policyOf, roleArn, rootArn } from './statements.ts';
import type { Telling } from './telling.ts';

const PENDING = { code: 'KMSInvalidStateException', what: 'is pending deletion' };
const DISABLED = { code: 'DisabledException', what: 'is disabled' };

/** Whoever is called about it: cancels, and switches the key on again. */
function spare(t: Telling, key: SimKey, time: number): void {
  const rescuer = t.account.breakGlass(time);
  t.bystander({ time, region: key.region }, rescuer, cancelKeyDeletion(key));
  t.bystander({ time: time + MINUTE, region: key.region }, rescuer, enableKey(key));
}

/** A call that leaves the waiting time to AWS: 30 days. */
function withoutWindow(call: Call): Call {
  const { pendingWindowInDays: _left, ...request } = call.request ?? {};
  return { ...call, request };
}

/** Destruction at the time at which nobody wonders about changes. */
export const deletionUnderCover: Playbook = playbook({
  id: 'deletion-under-change-window',
  about: 'Keys in use are scheduled for deletion while everybody expects changes.',
  days: 16,
  expects: [
    'key-deletion-scheduled',
    'key-deletion-short-window',
    'mass-key-tampering',
    'pending-deletion-key-used',
    'key-disabled',
    'disabled-key-used',
  ],
  variants: {
    loud: {
      how: 'four keys within minutes of the change window, with the shortest waiting time',
      tell: (t) => {
        const since = t.window();
        const caller = t.account.pipeline(since);
        let time = since;
        for (const { key } of t.some(t.account.keys, 4)) {
          t.attack({ time, region: key.region }, caller, scheduleKeyDeletion(key, { time, windowDays: 7 }));
          t.breaks(key, { ...PENDING, from: time, to: since + 14 * HOUR });
          spare(t, key, since + 14 * HOUR);
          time += t.pause(20, 90);
        }
        return since;
      },
    },
    quiet: {
      how: 'one key in the change window, with the longest waiting time',
      tell: (t) => {
        const [{ key }, time] = [t.key(), t.window()];
        const person = t.person('PlatformAdmin', 'Developer');
        const caller = person.caller(t.account.id, time, 'console');
        t.attack({ time: time - 2 * MINUTE, region: key.region }, caller, read('DescribeKey', key));
        const known = t.attack({ time, region: key.region }, caller, scheduleKeyDeletion(key, { time, windowDays: 30 }));
        t.breaks(key, { ...PENDING, from: time, to: time + 20 * HOUR });
        spare(t, key, time + 20 * HOUR);
        return known;
      },
    },
    evasive: {
      how: 'disabled in one change window and, when nobody has complained, scheduled in the next by another actor, without naming a waiting time',
      tell: (t) => {
        const [{ key }, first, second] = [t.key('backup', 'logs', 's3'), t.window(), t.window(1)];
        const { region } = key;
        t.attack({ time: first, region }, t.account.pipeline(first), disableKey(key));
        t.breaks(key, { ...DISABLED, from: first, to: first + 9 * HOUR });
        t.bystander({ time: first + 9 * HOUR, region }, t.account.breakGlass(first), enableKey(key));
        const person = t.person('PlatformAdmin', 'Developer');
        const call = withoutWindow(scheduleKeyDeletion(key, { time: second, windowDays: 30 }));
        const known = t.attack({ time: second, region }, person.caller(t.account.id, second, 'cli'), call);
        t.breaks(key, { ...PENDING, from: second, to: second + 10 * HOUR });
        spare(t, key, second + 10 * HOUR);
        return known;
      },
    },
  },
});

function disable(t: Telling, how: { key: SimKey; caller: Caller; time: number; repaired: number }): number {
  const { key, caller, time, repaired } = how;
  const at = t.attack({ time, region: key.region }, caller, disableKey(key));
  t.breaks(key, { ...DISABLED, from: time, to: repaired });
  t.bystander({ time: repaired, region: key.region }, t.account.breakGlass(repaired), enableKey(key));
  return at;
}

/** An outage by switching keys off. */
export const massDisable: Playbook = playbook({
  id: 'mass-disable',
  about: 'Keys that services run on are disabled one after another.',
  days: 9,
  expects: ['mass-key-tampering', 'key-disabled', 'disabled-key-used'],
  variants: {
    loud: {
      how: 'up to ten keys within minutes, from a far network',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const caller = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        let [time, known] = [t.at, t.at];
        for (const [n, { key }] of t.some(t.account.keys, 10).entries()) {
          const at = disable(t, { key, caller, time, repaired: t.at + 3 * HOUR + n * MINUTE });
          if (n <= 2) known = at;
          time += t.pause(8, 30);
        }
        return known;
      },
    },
    quiet: {
      how: 'three keys within an hour at the office',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const since = t.office(person, 16);
        const caller = person.caller(t.account.id, since, 'console');
        let known = since;
        for (const [n, { key }] of t.some(t.account.keys, 3).entries()) {
          known = disable(t, { key, caller, time: since + n * 17 * MINUTE, repaired: since + 5 * HOUR + n * MINUTE });
        }
        return known;
      },
    },
    evasive: {
      how: 'two actors on two days; one key is switched off, another denied to its users by its policy',
      tell: (t) => {
        const [one, other] = t.some(t.account.keys, 2) as [OrgKey, OrgKey?];
        const person = t.person('PlatformAdmin', 'Developer');
        const first = t.window();
        const known = disable(t, { key: one.key, caller: t.account.pipeline(first), time: first, repaired: first + 6 * HOUR });
        const second = first + DAY + t.pause(0, 3600);
        const { key } = other ?? one;
        const policy = policyOf([
          allow('Administer', { AWS: rootArn(t.account.id) }, ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:PutKeyPolicy']),
          allow('Operate', { AWS: roleArn(t.account.id, 'backup-operator') }, ['kms:*']),
        ]);
        t.attack({ time: second, region: key.region }, person.caller(t.account.id, second, 'cli'), putKeyPolicy(key, policy));
        return known;
      },
    },
  },
});
