import { DAY, HOUR, MINUTE } from '../../../core/clock.ts';
import { putKeyPolicy } from '../../controls.ts';
import { decrypt, read } from '../../operations.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, atOurKey, elsewhere, outsider, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { allow, policyOf, policyWith, roleArn, rootArn } from './statements.ts';

const USE = ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'];

/** A statement for the attacker's account. */
export const policyBackDoor: Playbook = playbook({
  id: 'policy-back-door',
  about: 'A key policy lets an account of the attacker in, which then uses the key.',
  days: 9,
  expects: ['key-policy-external-account', 'cross-account-first-use'],
  variants: {
    loud: {
      how: 'three keys opened wholly within minutes, and used at once',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const policy = policyWith(t.account.id, allow('Support', { AWS: rootArn(t.foreign) }, ['kms:*']));
        const support = outsider(t, 'support');
        let time = t.at;
        for (const { key } of t.some(t.account.keys, 3)) {
          t.attack({ time, region: key.region }, admin, putKeyPolicy(key, policy));
          for (let n = 0; n < 12; n += 1) {
            time += t.pause(3, 15);
            t.attack({ time, region: key.region }, support, atOurKey(decrypt(key, { time, naming: 'arn' }), key));
          }
          time += t.pause(30, 90);
        }
        return t.at;
      },
    },
    quiet: {
      how: 'one key, Decrypt for one role, at the office; used hours later',
      tell: (t) => {
        const [person, { key, context }] = [t.person('PlatformAdmin', 'Developer'), t.key('s3', 'secretsmanager', 'ebs')];
        const time = t.office(person, 15);
        const admin = person.caller(t.account.id, time, 'console');
        t.attack({ time: time - 3 * MINUTE, region: key.region }, admin, read('GetKeyPolicy', key));
        const statement = allow('ReportingExport', { AWS: roleArn(t.foreign, 'reporting') }, ['kms:Decrypt']);
        const known = t.attack({ time, region: key.region }, admin, putKeyPolicy(key, policyWith(t.account.id, statement)));
        const used = time + 3 * HOUR;
        t.attack(
          { time: used, region: key.region },
          outsider(t, 'reporting'),
          atOurKey(decrypt(key, { context: context(t.random), time: used }), key),
        );
        return known;
      },
    },
    evasive: {
      how: 'by the pipeline in the change window: a bare account id beside the workload’s role, with a condition that narrows nothing',
      tell: (t) => {
        const orgKey = t.key('s3', 'secretsmanager', 'dynamodb');
        const { key, context } = orgKey;
        const time = t.window();
        const statement = allow('UseByWorkload', { AWS: [roleArn(t.account.id, t.workload(orgKey).role), t.foreign] }, USE, {
          StringEquals: { 'kms:ViaService': `s3.${key.region}.amazonaws.com` },
        });
        const known = t.attack(
          { time, region: key.region },
          t.account.pipeline(time),
          putKeyPolicy(key, policyWith(t.account.id, statement)),
        );
        for (let n = 0, used = time + 20 * HOUR; n < 3; n += 1, used += t.pause(600, 4000)) {
          const call = atOurKey(decrypt(key, { context: context(t.random), time: used }), key);
          t.attack({ time: used, region: key.region }, outsider(t, 'etl', 's3.amazonaws.com'), call);
        }
        return known;
      },
    },
  },
});

/** Open to everyone. */
export const publicKeyPolicy: Playbook = playbook({
  id: 'public-key-policy',
  about: 'A key policy gets a statement that lets everybody use the key.',
  days: 9,
  expects: ['key-policy-public'],
  variants: {
    loud: {
      how: 'everything for everybody, on two keys',
      tell: (t) => {
        const person = t.person('Developer', 'PlatformAdmin');
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        for (const [n, { key }] of t.some(t.account.keys, 2).entries()) {
          const policy = policyWith(t.account.id, allow('Any', '*', ['kms:*']));
          t.attack({ time: t.at + n * MINUTE, region: key.region }, admin, putKeyPolicy(key, policy));
        }
        return t.at;
      },
    },
    quiet: {
      how: 'Decrypt for every AWS principal, on one key, at the office',
      tell: (t) => {
        const [person, { key }] = [t.person('Developer', 'PlatformAdmin'), t.key('s3', 'secretsmanager', 'ebs')];
        const time = t.office(person, 10);
        const policy = policyWith(t.account.id, allow('ReadByPreviews', { AWS: ['*'] }, ['kms:Decrypt']));
        return t.attack({ time, region: key.region }, person.caller(t.account.id, time, 'console'), putKeyPolicy(key, policy));
      },
    },
    evasive: {
      how: 'by the pipeline in the change window, with a condition on the organization that a caller without one meets as well',
      tell: (t) => {
        const { key } = t.key('s3', 'secretsmanager', 'ebs');
        const time = t.window();
        const statement = allow('UseWithinOrganization', { AWS: '*' }, USE, {
          StringEqualsIfExists: { 'aws:PrincipalOrgID': t.organization.organizationId },
          StringLike: { 'kms:ViaService': `*.${key.region}.amazonaws.com` },
        });
        return t.attack({ time, region: key.region }, t.account.pipeline(time), putKeyPolicy(key, policyWith(t.account.id, statement)));
      },
    },
  },
});

/** Nobody but the attacker can administer the key afterwards. */
export const lockout: Playbook = playbook({
  id: 'policy-lockout',
  about: 'A key policy shuts out everybody but a principal that the attacker holds.',
  days: 9,
  expects: ['key-policy-lockout-bypassed', 'key-policy-changed', 'mass-key-tampering'],
  variants: {
    loud: {
      how: 'three keys, with the lockout check bypassed',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const policy = policyOf([allow('Owner', { AWS: roleArn(t.account.id, 'backup-operator') }, ['kms:*'])]);
        for (const [n, { key }] of t.some(t.account.keys, 3).entries()) {
          const call = putKeyPolicy(key, policy);
          const bypassing = { ...call, request: { ...call.request, bypassPolicyLockoutSafetyCheck: true } };
          t.attack({ time: t.at + n * MINUTE, region: key.region }, admin, bypassing);
        }
        return t.at;
      },
    },
    quiet: {
      how: 'one key at the office, with the lockout check bypassed',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.key()];
        const time = t.office(person, 11);
        const call = putKeyPolicy(key, policyOf([allow('Owner', { AWS: roleArn(t.account.id, 'backup-operator') }, ['kms:*'])]));
        const bypassing = { ...call, request: { ...call.request, bypassPolicyLockoutSafetyCheck: true } };
        return t.attack({ time, region: key.region }, person.caller(t.account.id, time, 'cli'), bypassing);
      },
    },
    evasive: {
      how: 'by the pipeline in the change window: the account keeps its statement, and a Deny for all but one role takes it back',
      tell: (t) => {
        const { key } = t.key();
        const time = t.window();
        const deny = {
          Sid: 'ProtectProductionKey',
          Effect: 'Deny',
          Principal: '*',
          Action: 'kms:*',
          Resource: '*',
          Condition: { ArnNotEquals: { 'aws:PrincipalArn': roleArn(t.account.id, 'backup-operator') } },
        };
        const known = t.attack({ time, region: key.region }, t.account.pipeline(time), putKeyPolicy(key, policyWith(t.account.id, deny)));
        const later = time + DAY;
        t.attack({ time: later, region: key.region }, t.account.pipeline(later), read('GetKeyPolicy', key));
        return known;
      },
    },
  },
});
