import { z } from 'zod';
import type { About } from '../../core/about.ts';
import type { StoredEvent } from '../../core/event.ts';
import { type AccountSubject, defineEventDetector, type Organization } from '../contract.ts';
import { logBucket } from '../log-buckets.ts';
import { circumstances, resourceId } from '../organization.ts';
import { argument, callerFirst, deed, eventMatch, moment, plain } from '../wording.ts';

interface Deed {
  /** What undoes it has the same. */
  readonly aspect: string;
  readonly harm?: readonly [done: string, effect: string];
  readonly mends?: string;
}

const MESSAGES = 'What it held and nobody had read is not told to us; it has to be read from the trail again.';
const STOPS = 'No new record comes this way.';
const RIGHTS = 'We may no longer read what we need, or somebody else may act in our place.';

const DEEDS: ReadonlyMap<string, Deed> = new Map<string, Deed>([
  ['sqs:PurgeQueue', { aspect: 'messages', harm: ['purged queue', MESSAGES] }],
  ['sqs:DeleteQueue', { aspect: 'queue', harm: ['deleted queue', STOPS] }],
  ['sqs:CreateQueue', { aspect: 'queue', mends: 'The queue was made again' }],
  [
    'sqs:SetQueueAttributes',
    {
      aspect: 'attributes',
      harm: [
        'changed the attributes of queue',
        'Its policy decides who may send to it and read from it, its retention how long it waits for us.',
      ],
    },
  ],
  ['sqs:AddPermission', { aspect: 'attributes', harm: ['changed the policy of queue', 'Somebody else may send to it or read from it.'] }],
  [
    'sqs:RemovePermission',
    { aspect: 'attributes', harm: ['changed the policy of queue', 'Those who send to it may no longer be able to.'] },
  ],
  ['events:DisableRule', { aspect: 'rule', harm: ['disabled rule', STOPS] }],
  ['events:EnableRule', { aspect: 'rule', mends: 'The rule was enabled again' }],
  ['events:DeleteRule', { aspect: 'rule', harm: ['deleted rule', STOPS] }],
  ['events:PutRule', { aspect: 'pattern', harm: ['changed rule', 'Its pattern and state decide which events come this way.'] }],
  ['events:RemoveTargets', { aspect: 'targets', harm: ['took the targets from rule', STOPS] }],
  ['events:PutTargets', { aspect: 'targets', mends: 'The rule has targets again' }],
  ['iam:DeleteRole', { aspect: 'role', harm: ['deleted role', RIGHTS] }],
  ['iam:CreateRole', { aspect: 'role', mends: 'The role was made again' }],
  ['iam:UpdateAssumeRolePolicy', { aspect: 'trust', harm: ['changed who may take on role', RIGHTS] }],
  ['iam:PutRolePolicy', { aspect: 'policies', harm: ['set a policy of role', RIGHTS] }],
  ['iam:DeleteRolePolicy', { aspect: 'policies', harm: ['deleted a policy of role', RIGHTS] }],
  ['iam:AttachRolePolicy', { aspect: 'policies', harm: ['attached a policy to role', RIGHTS] }],
  ['iam:DetachRolePolicy', { aspect: 'policies', harm: ['detached a policy from role', RIGHTS] }],
  ['iam:PutRolePermissionsBoundary', { aspect: 'boundary', harm: ['set a permissions boundary of role', RIGHTS] }],
  ['iam:DeleteRolePermissionsBoundary', { aspect: 'boundary', mends: 'The permissions boundary was taken away' }],
  [
    's3:PutBucketNotification',
    { aspect: 'notification', harm: ['changed the notifications of bucket', 'Its queue may no longer be told of new log files.'] },
  ],
]);

/** Queues: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-logging-using-cloudtrail.html */
export default defineEventDetector({
  id: 'monitor-tampered',
  title: 'Something that kmswatch itself lives on was changed',
  severity: 'critical',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: [...DEEDS.keys()],
  params: z.strictObject({}),
  techniques: ['T1562.008', 'T1562.001'],
  blindSpots: [
    'Queues, rules and roles that neither the sources nor organization.monitor name.',
    'Policies of the organization, of permission sets and of topics in between.',
    'A change that was made before they were named in the configuration is not stored.',
    'A deleted queue also takes the record of its deletion, where nothing else collects records.',
  ],
  falsePositives: ['Our own deployment of kmswatch, such as a new statement in the policy of its role.'],

  concerns: (about: About, organization: Organization) =>
    about.service === 's3' || (about.account !== null && about.region !== null && isOurs(about, about.account, about.region, organization)),

  dedupKey: (event) => [event.account, nameOf(event), DEEDS.get(`${event.service}:${event.operation}`)?.aspect ?? event.operation],

  evaluate({ event }, subject, { organization }) {
    const harm = DEEDS.get(`${event.service}:${event.operation}`)?.harm;
    if (harm === undefined || !concernsUs(event, subject, organization)) return null;
    const [done, effect] = harm;
    const { part, attributes } = event.detail ?? {};
    const what = [part, ...(attributes ?? [])].flatMap((name) => (name === undefined ? [] : [plain(name, 120)]));
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} ${done} ${plain(event.detail?.resource ?? '(not named)', 200)} on ${moment(event.eventTime)}${what.length === 0 ? '' : ` (${what.slice(0, 5).join(', ')})`}.`,
        why: `kmswatch lives on it. ${effect} Expected are such changes only when kmswatch itself is deployed: who blinds the watcher hides what comes next.`,
        benign: 'A deployment of kmswatch under a change request.',
        now: [
          'Check that records still arrive: kmswatch doctor',
          ...lookAt(event),
          'Ask the caller; if nobody knows of it, revoke its sessions and look at everything else it did.',
          'Read the missing time from the trail or from Event history: aws cloudtrail lookup-events',
        ],
      },
      details: {
        resource: event.detail?.resource ?? null,
        part: part ?? null,
        attributes: attributes ?? null,
        ...circumstances(organization, event),
      },
    });
  },

  /** Only what undoes a deed whole; whatever else is set over it may be set worse. */
  mends({ event }, subject, { organization }) {
    const sentence = DEEDS.get(`${event.service}:${event.operation}`)?.mends;
    if (sentence === undefined || !concernsUs(event, subject, organization)) return null;
    return `${sentence}: ${deed(event)}.`;
  },
});

function concernsUs(event: StoredEvent, subject: AccountSubject, organization: Organization): boolean {
  const { service, account, region, detail } = event;
  if (detail?.resource === undefined) return false;
  if (service === 's3') return logBucket(detail.resource, subject, organization) !== null;
  return isOurs({ service, resource: detail.resource }, account, region, organization);
}

function isOurs(
  { service, resource }: Pick<About, 'service' | 'resource'>,
  account: string,
  region: string,
  organization: Organization,
): boolean {
  const id = resource === null ? null : resourceId(resource, { service, account, region });
  return id !== null && organization.monitor?.has(id) === true;
}

function nameOf({ service, account, region, detail }: StoredEvent): string {
  return resourceId(detail?.resource ?? '', { service, account, region }) ?? detail?.resource ?? '(not named)';
}

function lookAt({ service, region, detail }: StoredEvent): string[] {
  const name = detail?.resource ?? '';
  const at = `--region ${argument(region, 'REGION')}`;
  switch (service) {
    case 'sqs':
      return [`Look at the queue: aws sqs get-queue-attributes --queue-url ${argument(name, 'QUEUE_URL')} --attribute-names All ${at}`];
    case 'events':
      return [`Look at the rule: aws events describe-rule --name ${argument(name, 'RULE')} ${at}`];
    case 'iam':
      return [
        `Look at the role: aws iam list-role-policies --role-name ${argument(name, 'ROLE')}`,
        `aws iam list-attached-role-policies --role-name ${argument(name, 'ROLE')}`,
      ];
    default:
      return [`Look at the bucket: aws s3api get-bucket-notification-configuration --bucket ${argument(name, 'LOG_BUCKET')}`];
  }
}
