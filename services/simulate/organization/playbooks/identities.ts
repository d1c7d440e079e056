import { HOUR, MINUTE } from '../../../core/clock.ts';
import type { JsonObject } from '../../../core/json.ts';
import { rootCaller, userCaller, via } from '../../callers.ts';
import { disableKeyRotation, putKeyPolicy } from '../../controls.ts';
import { isoSeconds } from '../../instants.ts';
import { createGrant, list, read } from '../../operations.ts';
import type { Call, Caller } from '../../record.ts';
import { BROWSER_AGENT } from '../../staff.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, elsewhere, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { allow, policyWith, roleArn } from './statements.ts';
import type { Telling } from './telling.ts';
import { useOf } from './uses.ts';

const SIGN_IN: Call = {
  service: 'signin',
  operation: 'ConsoleLogin',
  readOnly: false,
  request: null,
  response: { ConsoleLogin: 'Success' },
  extra: { LoginTo: 'https://console.aws.amazon.com/console/home', MobileVersion: 'No', MFAUsed: 'No' },
  eventType: 'AwsConsoleSignIn',
};

/** The root user's own access key: no session, no second factor. */
function rootKey(account: string, client: { from: string; agent: string; accessKeyId: string }): Caller {
  const root = rootCaller(account, { since: 0, ...client });
  const { sessionContext: _none, ...identity } = root.identity;
  return { account, identity: { ...identity, accessKeyId: client.accessKeyId }, from: client.from, agent: client.agent, direct: true };
}

/** Nobody's day-to-day user. */
export const rootUsesKeys: Playbook = playbook({
  id: 'root-uses-keys',
  about: 'Somebody who got hold of the root user uses the account’s keys.',
  days: 9,
  expects: ['root-used-key'],
  variants: {
    loud: {
      how: 'signed in from a far network: lists, a policy, 20 decryptions',
      tell: (t) => {
        const key = t.key('s3', 'secretsmanager', 'application');
        const { region } = key.key;
        const root = rootCaller(t.account.id, { since: t.at, from: addressOf(t), agent: BROWSER_AGENT });
        t.attack({ time: t.at, region }, root, SIGN_IN);
        let time = t.at + 3 * MINUTE;
        const known = t.attack({ time, region }, root, list('ListAliases'));
        t.attack({ time: time + 20_000, region }, root, putKeyPolicy(key.key, policyWith(t.account.id)));
        for (let n = 0; n < 20; n += 1) {
          time += t.pause(20, 60);
          t.attack({ time, region }, root, useOf(t, key, time));
        }
        return known;
      },
    },
    quiet: {
      how: 'signed in at the office’s hours: one key looked at and its policy set',
      tell: (t) => {
        const { key } = t.key();
        const time = t.office(t.person('PlatformAdmin', 'Developer'), 10);
        const root = rootCaller(t.account.id, { since: time, from: addressOf(t, 'rented'), agent: BROWSER_AGENT });
        t.attack({ time, region: key.region }, root, SIGN_IN);
        const known = t.attack({ time: time + 2 * MINUTE, region: key.region }, root, read('DescribeKey', key));
        t.attack({ time: time + 5 * MINUTE, region: key.region }, root, putKeyPolicy(key, policyWith(t.account.id)));
        return known;
      },
    },
    evasive: {
      how: 'an access key of the root user reads two objects through Amazon S3; no call goes to AWS KMS itself',
      tell: (t) => {
        const key = t.key('s3');
        const time = t.office(t.person('PlatformAdmin', 'Developer'), 15);
        const accessKeyId = t.organization.world.stableId('AKIA', `${t.account.id}/root`).slice(0, 20);
        const root = via(rootKey(t.account.id, { from: addressOf(t, 'rented'), agent: TOOLS.boto, accessKeyId }), 's3.amazonaws.com');
        const known = t.attack({ time, region: key.key.region }, root, useOf(t, key, time));
        t.attack({ time: time + 9 * MINUTE, region: key.key.region }, root, useOf(t, key, time));
        return known;
      },
    },
  },
});

/** A role that has slept for as long as anybody remembers. */
export const breakGlassMisused: Playbook = playbook({
  id: 'break-glass-misused',
  about: 'The dormant emergency role is taken on without an emergency, and reads data.',
  needs: ['s3', 'secretsmanager', 'dynamodb', 'ssm'],
  days: 9,
  expects: ['new-actor-for-key', 'person-used-service-key', 'key-sweep', 'new-context-for-actor', 'volume-spike', 'off-hours-use'],
  variants: {
    loud: {
      how: 'from a far network: 60 decryptions under up to four keys',
      tell: (t) => {
        const thief = elsewhere(t.account.breakGlass(t.at), { from: addressOf(t), agent: TOOLS.kali });
        const keys = t.some(t.keysFor('s3', 'secretsmanager', 'dynamodb', 'ssm'), 4);
        let time = t.at;
        for (let n = 0; n < 60; n += 1, time += t.pause(4, 20)) {
          const key = t.random.pick(keys);
          t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
        }
        return t.at;
      },
    },
    quiet: {
      how: 'from its usual network in working hours: one key looked at, three decryptions',
      tell: (t) => {
        const key = t.key('secretsmanager', 's3', 'ssm');
        const { region } = key.key;
        const time = t.office(t.person('PlatformAdmin', 'Developer'), 14);
        const caller = t.account.breakGlass(time);
        t.attack({ time, region }, caller, read('DescribeKey', key.key));
        const known = t.attack({ time: time + 3 * MINUTE, region }, caller, useOf(t, key, time));
        for (const minutes of [4, 9]) t.attack({ time: time + minutes * MINUTE, region }, caller, useOf(t, key, time));
        return known;
      },
    },
    evasive: {
      how: 'from its usual network in the change window, through the service that the key serves: three calls',
      tell: (t) => {
        const key = t.key('secretsmanager', 's3', 'ssm');
        const time = t.window();
        const caller = via(t.account.breakGlass(time), t.workload(key).through ?? 's3.amazonaws.com');
        for (const minutes of [0, 11, 37]) {
          t.attack({ time: time + minutes * MINUTE, region: key.key.region }, caller, useOf(t, key, time + minutes * MINUTE));
        }
        return time;
      },
    },
  },
});

/** A console session of these credentials, as somebody gets it who has one factor only. */
function inConsole(caller: Caller, time: number): Caller {
  const context = (caller.identity['sessionContext'] ?? {}) as JsonObject;
  const attributes = { creationDate: isoSeconds(time - 11 * MINUTE), mfaAuthenticated: 'false' };
  return { ...caller, identity: { ...caller.identity, sessionContext: { ...context, attributes } }, console: true };
}

/** An IAM user from before Identity Center, signed in to the console. */
function oldUser({ account, organization: { world } }: Telling, time: number, from: string): Caller {
  const user = userCaller(world, { account: account.id, name: 'ops-migration' }, { from, agent: BROWSER_AGENT });
  const accessKeyId = world.stableId('ASIA', `${account.id}/ops-migration/${time}`).slice(0, 20);
  return inConsole({ ...user, identity: { ...user.identity, accessKeyId } }, time);
}

/** A password alone was enough. */
export const consoleWithoutMfa: Playbook = playbook({
  id: 'console-without-mfa',
  about: 'A console session without a second factor changes keys.',
  days: 9,
  expects: ['session-without-mfa', 'rotation-disabled', 'grant-overbroad', 'new-context-for-actor'],
  variants: {
    loud: {
      how: 'an old IAM user, from a far network: rotation off and a policy set, on up to three keys',
      tell: (t) => {
        const thief = oldUser(t, t.at, addressOf(t));
        let time = t.at;
        for (const { key } of t.some(
          t.account.keys.filter(({ purpose }) => purpose !== 'signing' && purpose !== 'imported'),
          3,
        )) {
          t.attack({ time, region: key.region }, thief, disableKeyRotation(key));
          t.attack({ time: time + 40_000, region: key.region }, thief, putKeyPolicy(key, policyWith(t.account.id)));
          time += t.pause(90, 240);
        }
        return t.at;
      },
    },
    quiet: {
      how: 'an old IAM user, from the office’s network in working hours: one policy',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.key()];
        const time = t.office(person, 11);
        const statement = allow('Use', { AWS: roleArn(t.account.id, 'reporting-adhoc') }, ['kms:Decrypt', 'kms:DescribeKey']);
        const caller = oldUser(t, time, person.caller(t.account.id, time, 'console').from);
        return t.attack({ time, region: key.region }, caller, putKeyPolicy(key, policyWith(t.account.id, statement)));
      },
    },
    evasive: {
      how: 'a workload’s stolen credentials are turned into a console session, which makes one grant for a role of the account',
      tell: (t) => {
        const orgKey = t.key('s3', 'application', 'dynamodb', 'secretsmanager');
        const { key } = orgKey;
        const time = t.office(t.person('Developer'), 15) + HOUR;
        const { endpoint: _endpoint, ...direct } = t.workload(orgKey).direct(time);
        const thief = inConsole({ ...direct, from: addressOf(t, 'rented'), agent: BROWSER_AGENT }, time);
        const terms = {
          grantId: t.random.hex(64),
          grantee: roleArn(t.account.id, 'reporting-adhoc'),
          operations: ['Decrypt', 'DescribeKey'],
          context: orgKey.context(t.random),
        };
        t.attack({ time, region: key.region }, thief, list('ListAliases'));
        return t.attack({ time: time + 6 * MINUTE, region: key.region }, thief, createGrant(key, terms));
      },
    },
  },
});
