/**
 * What the keys of CloudTrail's objects say. Source:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html and, for digests,
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */

/** `…/ACCOUNT/CloudTrail-Digest/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_YYYYMMDDTHHMMSSZ[_backfill].json.gz` */
export interface DigestName {
  readonly key: string;
  readonly account: string;
  readonly region: string;
  readonly trail: string;
  /** The Region that the trail was made in. */
  readonly homeRegion: string;
  /** End of the time that it covers, epoch milliseconds. */
  readonly time: number;
  /** Backfill digests list log files that came too late for the digest of their hour, and form a chain of their own. */
  readonly backfill: boolean;
}

const SUFFIX = '.json.gz';
const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z0-9-]{1,40}$/;
const SECONDS = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const MINUTES = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/;

/** What a digest's key says, or null when it is no digest's. Trail names may hold underscores. */
export function digestName(key: string): DigestName | null {
  const file = key.slice(key.lastIndexOf('/') + 1);
  if (!file.endsWith(SUFFIX)) return null;
  const parts = file.slice(0, -SUFFIX.length).split('_');
  const backfill = parts.at(-1) === 'backfill';
  if (backfill) parts.pop();
  const time = momentOf(SECONDS, parts.pop() ?? '');
  const homeRegion = parts.pop() ?? '';
  const [account = '', kind, region = '', ...trail] = parts;
  if (time === null || kind !== 'CloudTrail-Digest' || trail.length === 0) return null;
  if (!ACCOUNT.test(account) || !REGION.test(region) || !REGION.test(homeRegion)) return null;
  return { key, account, region, trail: trail.join('_'), homeRegion, time, backfill };
}

/** The same for every digest of one chain, and for no other. */
export function chainId({ account, region, trail, homeRegion, backfill }: DigestName): string {
  return `${account}/${region}/${homeRegion}/${backfill ? 'backfill' : 'hourly'}/${trail}`;
}

/** The key that a digest of the same chain with another end would have. */
export function digestKeyAt(name: DigestName, time: number): string {
  const stamp = new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const place = name.key.split('/').slice(0, -4);
  const date = [stamp.slice(0, 4), stamp.slice(4, 6), stamp.slice(6, 8)];
  const file = [name.account, 'CloudTrail-Digest', name.region, name.trail, name.homeRegion, stamp, ...(name.backfill ? ['backfill'] : [])];
  return [...place, ...date, `${file.join('_')}${SUFFIX}`].join('/');
}

/**
 * The time in a log file's name (`ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`), epoch milliseconds; null for other names.
 * It is near the delivery, not the same: the file comes some minutes later, now and then hours.
 */
export function logFileTime(key: string): number | null {
  const parts = key.slice(key.lastIndexOf('/') + 1).split('_');
  return parts.length >= 5 && ACCOUNT.test(parts[0] ?? '') ? momentOf(MINUTES, parts.at(-2) ?? '') : null;
}

function momentOf(format: RegExp, text: string): number | null {
  const [, year, month, day, hour, minute, second = '00'] = format.exec(text) ?? [];
  const at = year === undefined ? Number.NaN : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? null : at;
}
