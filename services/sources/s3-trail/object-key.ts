/**
 * What the key of an object in a CloudTrail bucket tells:
 * `[prefix/]AWSLogs/[O-ID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */

/** `log` and `network-activity` hold records; of the others we want none. */
export type ObjectKind = 'log' | 'network-activity' | 'digest' | 'insight' | 'aggregated' | 'foreign';

export interface ObjectKey {
  readonly kind: ObjectKind;
  /** The rest is null for foreign objects. The account that the records are of. */
  readonly account: string | null;
  readonly region: string | null;
  /** `o-…`, in the bucket of an organization's trail. */
  readonly organization: string | null;
  /** Epoch milliseconds: when CloudTrail wrote the file, to the minute; its day where the name does not tell. */
  readonly time: number | null;
}

const KINDS: ReadonlyMap<string, ObjectKind> = new Map([
  ['CloudTrail', 'log'],
  ['CloudTrail-NetworkActivity', 'network-activity'],
  ['CloudTrail-Digest', 'digest'],
  ['CloudTrail-Insight', 'insight'],
]);

const FOREIGN: ObjectKey = Object.freeze({ kind: 'foreign', account: null, region: null, organization: null, time: null });

const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z]{2,8}(-[a-z]{1,16}){1,4}-\d{1,2}$/;
const STAMP = /_(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?Z[_.]/;

/** @param key decoded */
export function classifyKey(key: string): ObjectKey {
  const steps = key.split('/');
  // The prefix is the customer's and may hold anything, AWSLogs included.
  const start = steps.lastIndexOf('AWSLogs');
  if (start < 0) return FOREIGN;
  const [first = '', ...others] = steps.slice(start + 1);
  const organization = ORGANIZATION.test(first) ? first : null;
  const [account = '', folder = '', region = '', ...rest] = organization === null ? [first, ...others] : others;
  const kind = kindOf(folder);
  if (kind === null || !ACCOUNT.test(account) || !REGION.test(region)) return FOREIGN;
  const [year = '', month = '', day = '', name = '', ...more] = rest;
  if (name === '' || more.length > 0) return FOREIGN;
  const time = stampOf(name) ?? moment([year, month, day]);
  return time === null ? FOREIGN : { kind, account, region, organization, time };
}

/** Whether an object of this kind holds CloudTrail records. */
export function holdsRecords(kind: ObjectKind): boolean {
  return kind === 'log' || kind === 'network-activity';
}

function kindOf(folder: string): ObjectKind | null {
  return KINDS.get(folder) ?? (folder.startsWith('CloudTrail-Aggregated') ? 'aggregated' : null);
}

function stampOf(name: string): number | null {
  const match = STAMP.exec(name);
  return match === null ? null : moment(match.slice(1).map((part) => part ?? '00'));
}

function moment([year = '', month = '', day = '', hour = '00', minute = '00', second = '00']: readonly string[]): number | null {
  if (!/^\d{4}$/.test(year) || !/^\d{2}$/.test(month) || !/^\d{2}$/.test(day)) return null;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? null : time;
}
