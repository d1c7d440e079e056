/** Buckets that hold CloudTrail's log files, as far as an account's own trails and the configuration tell. */
import type { AccountSubject, Organization } from './contract.ts';
import { oncePer } from './once-per.ts';

const ofTrails = oncePer(
  (subject: AccountSubject): ReadonlySet<string> =>
    new Set(subject.timeline.flatMap(({ service, detail }) => (service === 'cloudtrail' ? (detail?.trail?.bucket ?? []) : []))),
);

/** How we know that a bucket holds logs, as a sentence; null when we do not. */
export function logBucket(name: string, subject: AccountSubject, organization: Organization): string | null {
  if (organization.logBuckets?.has(name) === true) return 'The configuration names this bucket among those with logs.';
  return ofTrails(subject).has(name) ? 'A trail of this account delivers to this bucket.' : null;
}

/** Names of objects under which CloudTrail writes: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html */
export function isLogObject(key: string): boolean {
  return /(?:^|\/)AWSLogs\/(?:o-[a-z0-9]{10,32}\/)?\d{12}\/CloudTrail(?:-Digest|-Insight)?\//.test(key);
}
