import { HOUR, MINUTE } from '../../../core/clock.ts';
import { denied, generateDataKey, list, read } from '../../operations.ts';
import type { OrgKey, Playbook, Workload } from '../contract.ts';
import { addressOf, elsewhere, HELD, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';
import { useOf } from './uses.ts';

/** Keys of the account that a role uses. */
function keysOf(t: Telling, role: string): readonly OrgKey[] {
  return t.account.keys.filter(({ workloads }) => workloads.some((workload) => workload.role === role));
}

/** A role's session credentials, taken from an instance, are used from outside. */
export const stolenRole: Playbook = playbook({
  id: 'stolen-role-credentials',
  needs: HELD,
  about: 'Session credentials taken from an instance are used from the attacker’s own machine.',
  expects: [
    'new-context-for-actor',
    'impossible-sessions',
    'endpoint-bypassed',
    'person-used-service-key',
    'volume-spike',
    'key-sweep',
    'denied-burst',
    'encryption-context-unexpected',
  ],
  variants: {
    loud: {
      how: 'from a far network with an attacker’s tool: refused lists, then 120 decryptions',
      tell: (t) => {
        const key = t.key(...HELD);
        const workload = t.workload(key);
        const thief = elsewhere(workload.direct(t.at), { from: addressOf(t), agent: TOOLS.kali });
        const { region } = key.key;
        let time = t.at;
        for (const operation of ['ListKeys', 'ListAliases']) {
          t.attack({ time, region }, thief, denied(list(operation), thief, '*'));
          time += t.pause(4, 20);
        }
        const known = time;
        const keys = keysOf(t, workload.role);
        for (let n = 0; n < 120; n += 1, time += t.pause(3, 12)) {
          const next = keys[n % Math.max(1, keys.length)] ?? key;
          t.attack({ time, region: next.key.region }, thief, useOf(t, next, time));
        }
        return known;
      },
    },
    quiet: {
      how: 'from a far network in working hours, with the workload’s own client: six calls',
      tell: (t) => {
        const key = t.key(...HELD);
        let time = t.office(t.person('Developer'), 11);
        const workload = t.workload(key).direct(time);
        const thief = elsewhere(workload, { from: addressOf(t) });
        const known = time;
        for (let n = 0; n < 6; n += 1, time += t.pause(40, 200)) t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
        return known;
      },
    },
    evasive: {
      how: 'from a rented machine in the same Region, with the workload’s own client, four calls in as many hours, as the workload makes them',
      tell: (t) => {
        const key = t.key('s3', 'application', 'dynamodb', 'secretsmanager');
        let time = t.office(t.person('Developer'), 15);
        const thief = elsewhere(t.workload(key).direct(time), { from: addressOf(t, 'rented') });
        const known = time;
        for (let n = 0; n < 4; n += 1, time += t.pause(40 * 60, 75 * 60)) {
          const call =
            n % 2 === 0 || key.purpose === 'signing'
              ? useOf(t, key, time)
              : generateDataKey(key.key, { context: key.context(t.random), time });
          t.attack({ time, region: key.key.region }, thief, call);
        }
        return known;
      },
    },
  },
});

/** One access key in two places: the person's, and the thief's. */
export const accessKeyReuse: Playbook = playbook({
  id: 'access-key-reuse',
  about: 'The cached command-line session of a person is used at two places at once.',
  expects: ['impossible-sessions', 'new-context-for-actor', 'new-actor-for-key', 'person-used-service-key'],
  variants: {
    loud: {
      how: 'two minutes after the person’s own call, from a far network: reads and 20 decryptions',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'PlatformAdmin'), t.key()];
        const { region } = key.key;
        const own = person.caller(t.account.id, t.at, 'cli');
        t.bystander({ time: t.at, region }, own, read('DescribeKey', key.key));
        const thief = elsewhere(own, { from: addressOf(t), agent: TOOLS.kali });
        let time = t.at + 2 * MINUTE;
        const known = t.attack({ time, region }, thief, list('ListAliases'));
        for (let n = 0; n < 20; n += 1) {
          time += t.pause(5, 20);
          t.attack({ time, region }, thief, useOf(t, key, time));
        }
        t.bystander({ time: time + MINUTE, region }, own, list('ListAliases'));
        return known;
      },
    },
    quiet: {
      how: 'a quarter of an hour after the person’s own call, at the office’s hours: three calls',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'PlatformAdmin'), t.key()];
        const { region } = key.key;
        const time = t.office(person, 11);
        const own = person.caller(t.account.id, time, 'cli');
        t.bystander({ time, region }, own, read('DescribeKey', key.key));
        const thief = elsewhere(own, { from: addressOf(t), agent: TOOLS.cli });
        const known = t.attack({ time: time + 14 * MINUTE, region }, thief, read('DescribeKey', key.key));
        t.attack({ time: time + 16 * MINUTE, region }, thief, read('GetKeyPolicy', key.key));
        t.attack({ time: time + 19 * MINUTE, region }, thief, useOf(t, key, time));
        return known;
      },
    },
    evasive: {
      how: 'from a rented machine with the person’s client, hours after the person’s own last call',
      tell: (t) => {
        const [person, key] = [t.person('Developer', 'PlatformAdmin'), t.key()];
        const { region } = key.key;
        const time = t.office(person, 16);
        const own = person.caller(t.account.id, time, 'cli');
        t.bystander({ time, region }, own, read('DescribeKey', key.key));
        const thief = elsewhere(own, { from: addressOf(t, 'rented') });
        const later = time + 2 * HOUR + t.pause(0, 50 * 60);
        const known = t.attack({ time: later, region }, thief, read('DescribeKey', key.key));
        t.attack({ time: later + 4 * MINUTE, region }, thief, useOf(t, key, later));
        t.attack({ time: later + 31 * MINUTE, region }, thief, useOf(t, key, later));
        return known;
      },
    },
  },
});

/** A workload that calls through a VPC endpoint, and a key that it uses; any where none does. */
function throughEndpoint(t: Telling): { key: OrgKey; workload: Workload } {
  const uses = t.account.keys.flatMap((key) => key.workloads.map((workload) => ({ key, workload })));
  const own = uses.filter(({ workload }) => workload.direct(t.at).endpoint !== undefined);
  const callsItself = own.filter(({ workload }) => workload.through === null);
  return t.random.pick(callsItself.length > 0 ? callsItself : own.length > 0 ? own : uses);
}

/** What always goes through a VPC endpoint goes past it. */
export const endpointBypass: Playbook = playbook({
  id: 'endpoint-bypass',
  about: 'A workload’s credentials are used past the VPC endpoint that all its calls go through.',
  needs: ['application'],
  expects: ['endpoint-bypassed', 'new-context-for-actor', 'impossible-sessions', 'person-used-service-key', 'volume-spike'],
  variants: {
    loud: {
      how: 'from a far network, 60 calls in ten minutes',
      tell: (t) => {
        const { key, workload } = throughEndpoint(t);
        const thief = elsewhere(workload.direct(t.at), { from: addressOf(t), agent: TOOLS.boto });
        for (let n = 0, time = t.at; n < 60; n += 1, time += t.pause(5, 15))
          t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
        return t.at;
      },
    },
    quiet: {
      how: 'from a far network in working hours, with the workload’s own client: four calls',
      tell: (t) => {
        const { key, workload } = throughEndpoint(t);
        const since = t.office(t.person('Developer'), 14);
        const thief = elsewhere(workload.direct(since), { from: addressOf(t) });
        for (let n = 0, time = since; n < 4; n += 1, time += t.pause(60, 400))
          t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
        return since;
      },
    },
    evasive: {
      how: 'through an endpoint of the attacker’s own in another network of the same account',
      tell: (t) => {
        const { key, workload } = throughEndpoint(t);
        const since = t.office(t.person('Developer'), 14);
        const own = workload.direct(since);
        const thief = {
          ...elsewhere(own, { from: `10.${t.random.int(210, 250)}.7.${t.random.int(4, 250)}` }),
          endpoint: `vpce-0${t.random.hex(16)}`,
        };
        for (let n = 0, time = since; n < 5; n += 1, time += t.pause(600, 1800))
          t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
        return since;
      },
    },
  },
});
