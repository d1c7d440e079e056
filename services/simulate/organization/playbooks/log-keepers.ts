import { MINUTE } from '../../../core/clock.ts';
import type { JsonObject } from '../../../core/json.ts';
import { disableKey, enableKey, putKeyPolicy, scheduleKeyDeletion, cancelKeyDeletion } from '../../controls.ts';
import type { Call, Caller } from '../../record.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, adjacent, elsewhere, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { policyWith } from './statements.ts';
import type { Telling } from './telling.ts';

const regionOf = (t: Telling): string => t.organization.trail.arn.split(':')[3] ?? 'us-east-1';

/** A call on the log bucket, as Amazon S3 writes it. */
function bucketCall(t: Telling, operation: string, request: JsonObject): Call {
  const { bucket } = t.organization.trail;
  return adjacent('s3', operation, { bucketName: bucket, ...request, Host: `${bucket}.s3.${regionOf(t)}.amazonaws.com` });
}

const XMLNS = 'http://s3.amazonaws.com/doc/2006-03-01/';

function lifecycle(t: Telling, rule: JsonObject): Call {
  return bucketCall(t, 'PutBucketLifecycle', {
    lifecycle: '',
    LifecycleConfiguration: { xmlns: XMLNS, Rule: { Status: 'Enabled', Filter: { Prefix: '' }, ID: 'tidy', ...rule } },
  });
}

function thief(t: Telling): Caller {
  const person = t.person('PlatformAdmin', 'SecurityAudit');
  return elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
}

/** What is gone from the bucket proves nothing any more. */
export const logStorageTampered: Playbook = playbook({
  id: 'log-storage-tampered',
  about: 'The bucket of the organization’s logs is made to forget.',
  where: 'security',
  days: 9,
  expects: ['log-storage-tampered'],
  variants: {
    loud: {
      how: 'versioning off, and the logs expire after a day',
      tell: (t) => {
        const admin = thief(t);
        const region = regionOf(t);
        const versioning = { versioning: '', VersioningConfiguration: { xmlns: XMLNS, Status: 'Suspended' } };
        t.attack({ time: t.at, region }, admin, bucketCall(t, 'PutBucketVersioning', versioning));
        t.attack({ time: t.at + 20_000, region }, admin, lifecycle(t, { Expiration: { Days: 1 } }));
        return t.at;
      },
    },
    quiet: {
      how: 'logs expire after two weeks, set at the office',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const time = t.office(person, 10);
        return t.attack(
          { time, region: regionOf(t) },
          person.caller(t.account.id, time, 'console'),
          lifecycle(t, { Expiration: { Days: 14 } }),
        );
      },
    },
    evasive: {
      how: 'in the change window a policy keeps CloudTrail out of the bucket for part of the accounts’ folders',
      tell: (t) => {
        const time = t.window();
        const { bucket } = t.organization.trail;
        const folders = t
          .some(t.account.keys, 1)
          .map(() => `arn:aws:s3:::${bucket}/AWSLogs/${t.organization.organizationId}/*/CloudTrail/*`);
        const trail = { Service: 'cloudtrail.amazonaws.com' };
        const bucketPolicy = {
          Version: '2012-10-17',
          Statement: [
            { Sid: 'Write', Effect: 'Allow', Principal: trail, Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/*` },
            { Sid: 'Quota', Effect: 'Deny', Principal: trail, Action: 's3:PutObject', Resource: folders },
          ],
        };
        return t.attack(
          { time, region: regionOf(t) },
          t.account.pipeline(time),
          bucketCall(t, 'PutBucketPolicy', { policy: '', bucketPolicy }),
        );
      },
    },
  },
});

/** Without their key, no log file can be written or read. */
export const logKeyAttacked: Playbook = playbook({
  id: 'log-key-attacked',
  about: 'The key that encrypts the organization’s logs is taken away from those who write or read them.',
  where: 'security',
  days: 9,
  expects: ['log-key-endangered'],
  variants: {
    loud: {
      how: 'disabled from a far network',
      tell: (t) => {
        const [{ key }] = t.account.keys as [OrgKey];
        const admin = thief(t);
        const known = t.attack({ time: t.at, region: key.region }, admin, disableKey(key));
        const repaired = t.at + 50 * MINUTE;
        t.breaks(key, { from: t.at, to: repaired, code: 'DisabledException', what: 'is disabled' });
        t.bystander({ time: repaired, region: key.region }, t.account.breakGlass(repaired), enableKey(key));
        return known;
      },
    },
    quiet: {
      how: 'a policy without CloudTrail, set at the office',
      tell: (t) => {
        const [{ key }] = t.account.keys as [OrgKey];
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const time = t.office(person, 14);
        const call = putKeyPolicy(key, policyWith(t.account.id));
        return t.attack({ time, region: key.region }, person.caller(t.account.id, time, 'console'), call);
      },
    },
    evasive: {
      how: 'scheduled for deletion in the change window, with the longest waiting time',
      tell: (t) => {
        const [{ key }] = t.account.keys as [OrgKey];
        const time = t.window();
        const known = t.attack({ time, region: key.region }, t.account.pipeline(time), scheduleKeyDeletion(key, { time, windowDays: 30 }));
        const repaired = time + 90 * MINUTE;
        t.breaks(key, { from: time, to: repaired, code: 'KMSInvalidStateException', what: 'is pending deletion' });
        t.bystander({ time: repaired - MINUTE, region: key.region }, t.account.breakGlass(repaired), cancelKeyDeletion(key));
        t.bystander({ time: repaired, region: key.region }, t.account.breakGlass(repaired), enableKey(key));
        return known;
      },
    },
  },
});

/** The watcher is blinded. */
export const monitorTampered: Playbook = playbook({
  id: 'monitor-tampering',
  about: 'The queue by which the monitor learns of new log files is emptied or cut off.',
  where: 'security',
  days: 9,
  expects: ['monitor-tampered'],
  variants: {
    loud: {
      how: 'purged twice from a far network',
      tell: (t) => {
        const admin = thief(t);
        const { region, queueUrl } = queueOf(t);
        t.attack({ time: t.at, region }, admin, adjacent('sqs', 'PurgeQueue', { queueUrl }));
        t.attack({ time: t.at + 70_000, region }, admin, adjacent('sqs', 'PurgeQueue', { queueUrl }));
        return t.at;
      },
    },
    quiet: {
      how: 'a retention of one minute, set at the office',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const time = t.office(person, 15);
        const { region, queueUrl } = queueOf(t);
        const call = adjacent('sqs', 'SetQueueAttributes', { queueUrl, attributes: { MessageRetentionPeriod: '60' } });
        return t.attack({ time, region }, person.caller(t.account.id, time, 'console'), call);
      },
    },
    evasive: {
      how: 'in the change window the log bucket tells another queue of new files; the monitor’s own is never touched',
      tell: (t) => {
        const time = t.window();
        const queue = `arn:aws:sqs:${regionOf(t)}:${t.account.id}:log-analytics`;
        const configuration = { QueueConfiguration: { Id: 'analytics', Queue: queue, Event: 's3:ObjectCreated:*' }, xmlns: XMLNS };
        const call = bucketCall(t, 'PutBucketNotification', { notification: '', NotificationConfiguration: configuration });
        return t.attack({ time, region: regionOf(t) }, t.account.pipeline(time), call);
      },
    },
  },
});

/** `arn:aws:sqs:REGION:ACCOUNT:NAME`, and its URL. */
function queueOf(t: Telling): { region: string; queueUrl: string } {
  const [, , , region = '', account = '', name = ''] = t.organization.monitorQueue.split(':');
  return { region, queueUrl: `https://sqs.${region}.amazonaws.com/${account}/${name}` };
}
