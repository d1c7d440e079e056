import { z } from 'zod';
import { HOUR } from '../../core/clock.ts';
import type { StoredEvent } from '../../core/event.ts';
import { awsPrincipal } from '../../keys/policy-names.ts';
import { analyzePolicy } from '../../keys/policy.ts';
import { type AccountSubject, defineWindowDetector } from '../contract.ts';
import { isTrusted } from '../organization.ts';
import { isSharing, SHARING } from '../sharing.ts';
import { argument, callerFirst, count, iso, keyId, listed, moment, plain } from '../wording.ts';

/** Sharing an encrypted snapshot takes both: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html */
export default defineWindowDetector({
  id: 'snapshot-shared-with-key',
  title: 'A snapshot was shared with an account that also got access to a KMS key',
  severity: 'critical',
  status: 'stable',
  family: 'exposure',
  kind: 'window',
  subject: 'account',
  events: [...SHARING.keys(), 'kms:PutKeyPolicy', 'kms:CreateKey', 'kms:ReplicateKey', 'kms:CreateGrant'],
  params: z.strictObject({ withinHours: z.int().min(1).max(168).default(24) }),
  techniques: ['T1537', 'T1530'],
  blindSpots: [
    'Under which key the snapshot is encrypted is not in the record: the two are connected by the account and the time.',
    'Access to the key that is older than the time span, or that an organization id gives.',
    'Snapshots that are copied by AWS Backup or exported to S3.',
  ],
  falsePositives: [
    'Data that is handed over to another account on purpose, such as one of the organization that the configuration does not name.',
  ],

  evaluate(subject, { params, organization }) {
    const shares = subject.timeline.filter(isSharing);
    const strangers = [...new Set(shares.flatMap((share) => share.detail?.sharedWith ?? []))]
      .filter((account) => /^\d{12}$/.test(account) && !isTrusted(organization, account, subject.account))
      .toSorted();
    return strangers.flatMap((account) =>
      accessesOf(subject, account).flatMap(({ keyArn, event }) => {
        const near = shares.filter(
          (share) =>
            share.detail?.sharedWith?.includes(account) === true &&
            share.region === event.region &&
            Math.abs(share.eventTime - event.eventTime) <= params.withinHours * HOUR,
        );
        return near.length === 0 ? [] : [matchOf({ account, keyArn, event, shares: near, hours: params.withinHours }, subject)];
      }),
    );
  },
});

interface Access {
  readonly keyArn: string;
  readonly event: StoredEvent;
}

/** The event by which an account first got access to each key, within what was loaded of the time around the shares. */
function accessesOf({ account: owner, openings = [] }: AccountSubject, account: string): Access[] {
  const first = new Map<string, Access>();
  for (const event of openings) {
    const keyArn = openedKey(event);
    if (keyArn !== null && !first.has(keyArn) && lets(event, account, owner)) first.set(keyArn, { keyArn, event });
  }
  return [...first.values()];
}

function openedKey(event: StoredEvent): string | null {
  const key = event.operation === 'ReplicateKey' ? event.otherKey : event.key;
  return key?.kind === 'key' ? key.arn : null;
}

function lets({ operation, detail }: StoredEvent, account: string, owner: string): boolean {
  if (operation === 'CreateGrant') {
    const principal = detail?.granteePrincipal === undefined ? null : awsPrincipal(detail.granteePrincipal);
    return principal !== null && principal !== 'nobody' && principal.account === account;
  }
  if (detail?.policy === undefined) return false;
  const { verdict, accounts } = analyzePolicy(detail.policy, owner);
  return verdict === 'public' || accounts.includes(account);
}

interface Pair extends Access {
  readonly account: string;
  readonly shares: readonly StoredEvent[];
  readonly hours: number;
}

function matchOf({ account, keyArn, event, shares, hours }: Pair, subject: AccountSubject) {
  const all = [...shares, event].toSorted((a, b) => a.eventTime - b.eventTime);
  const [share] = shares as [StoredEvent, ...StoredEvent[]];
  const kind = SHARING.get(`${share.service}:${share.operation}`) ?? 'snapshot';
  const names = [...new Set(shares.map(({ detail }) => detail?.resource ?? '(not named)'))];
  const by = event.operation === 'CreateGrant' ? 'a grant' : 'the key policy';
  const region = argument(event.region, 'REGION');
  const key = argument(keyArn, 'KEY_ARN');
  return {
    dedupKey: [subject.account, account, keyArn],
    keyArn,
    region: event.region,
    at: all[0]?.eventTime ?? event.eventTime,
    until: all.at(-1)?.eventTime ?? event.eventTime,
    occurrences: shares.length,
    actor: share.actor.id,
    evidence: all.map(({ eventId }) => eventId),
    explanation: {
      what: `${callerFirst(share)} shared ${kind} ${listed(names, 3)} with account ${account} on ${moment(share.eventTime)}; by ${by} that account got access to key ${keyId(keyArn)} in ${plain(event.region, 32)} on ${moment(event.eventTime)} (${event.operation} by ${plain(event.actor.name, 100)}).`,
      why: `A snapshot and the key that decrypts it are what it takes to carry the data away. Observed are both within ${hours} hours, for an account that is neither ours nor trusted; expected is neither.`,
      benign: 'The data was handed over on purpose, or the account is one of ours that the configuration does not name.',
      now: [
        'Take the snapshot back: aws ec2 modify-snapshot-attribute --snapshot-id SNAPSHOT_ID --attribute createVolumePermission --operation-type remove --user-ids ACCOUNT (for RDS: aws rds modify-db-snapshot-attribute)',
        event.operation === 'CreateGrant'
          ? `Revoke the grant: aws kms revoke-grant --key-id ${key} --grant-id GRANT_ID --region ${region}`
          : `Take the account out of the key policy: aws kms put-key-policy --key-id ${key} --policy-name default --policy file://policy.json --region ${region}`,
        `Look for use of the key by account ${account} since: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${key} --start-time ${iso(event.eventTime)} --region ${region}`,
        'Ask both callers; treat data in the snapshot as copied if the account used the key.',
      ],
    },
    details: {
      foreign_account: account,
      snapshots: names.slice(0, 20),
      access_by: event.operation,
      shared_at: iso(share.eventTime),
      access_at: iso(event.eventTime),
      within_hours: hours,
      shares: count(shares.length, 'share'),
    },
  };
}
