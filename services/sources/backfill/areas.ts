/** Where in a bucket log files lie: `[prefix/]AWSLogs/[o-ID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`. */
import { type Buckets, classifyKey, holdsRecords, listFolders, type TrailObject } from '../trail-objects.ts';
import { dayPath } from './days.ts';

/** A bucket, and by whose credentials it is read. */
export type BucketPlace = Pick<TrailObject, 'bucket' | 'queue' | 'region'>;

export interface AreaWish {
  /** Before `AWSLogs`, without a slash at the end; empty = none. */
  readonly prefix: string;
  /** `o-…` of an organization's trail; null = whatever is there. */
  readonly organization: string | null;
  /** Null = all that are there. */
  readonly accounts: readonly string[] | null;
  readonly regions: readonly string[] | null;
}

/** One account in one Region. */
export interface TrailArea {
  readonly account: string;
  readonly region: string;
  /** Up to the Region, with a slash at the end. */
  readonly folder: string;
}

/** Digests, Insights and aggregated events lie beside them, and are none of our business. */
const FOLDERS = ['CloudTrail', 'CloudTrail-NetworkActivity'] as const;

const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
const ACCOUNT = /^\d{12}$/;
/** What somebody else may have put there is left alone. */
const REGION = /^[a-z]{2,8}(-[a-z]{1,16}){1,4}-\d{1,2}$/;
const ACCOUNTS_AT_A_TIME = 8;

export function dayFolder({ folder }: Pick<TrailArea, 'folder'>, day: number): string {
  return `${folder}${dayPath(day)}/`;
}

/** An object, or a prefix of objects, in a bucket. */
export function within({ bucket, queue, region }: BucketPlace, key: string): TrailObject {
  return { bucket, key, region, queue, versionId: null, etag: null, size: null };
}

/** Whether an object found below an area is a log file of it. */
export function isLogFile(key: string): boolean {
  return holdsRecords(classifyKey(key).kind);
}

/**
 * What is not said is looked up, level by level: of an organization with a thousand accounts that is some thousand requests.
 * @throws KmswatchError SOURCE_DENIED, SOURCE_UNREADABLE
 */
export async function findAreas(buckets: Buckets, place: BucketPlace, wish: AreaWish, signal: AbortSignal): Promise<TrailArea[]> {
  const list = async (prefix: string): Promise<string[]> => (signal.aborted ? [] : await listFolders(buckets, within(place, prefix)));
  const root = `${wish.prefix === '' ? '' : `${wish.prefix}/`}AWSLogs/`;
  const accounts = await accountsBelow(root, wish, list);
  const areas: TrailArea[] = [];
  for (let at = 0; at < accounts.length && !signal.aborted; at += ACCOUNTS_AT_A_TIME) {
    const found = await Promise.all(accounts.slice(at, at + ACCOUNTS_AT_A_TIME).map((each) => areasOf(each, wish, list)));
    areas.push(...found.flat());
  }
  return areas.toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}

interface AccountFolder {
  readonly account: string;
  readonly folder: string;
}

type List = (prefix: string) => Promise<string[]>;

async function accountsBelow(root: string, { organization, accounts }: AreaWish, list: List): Promise<AccountFolder[]> {
  if (organization !== null) return await inFolder(`${root}${organization}/`, accounts, list);
  const below = await list(root);
  const own = below.filter((name) => ACCOUNT.test(name) && (accounts === null || accounts.includes(name)));
  const organizations = below.filter((name) => ORGANIZATION.test(name));
  const inside = await Promise.all(organizations.map((name) => inFolder(`${root}${name}/`, accounts, list)));
  return [...own.map((account) => ({ account, folder: `${root}${account}/` })), ...inside.flat()];
}

async function inFolder(folder: string, accounts: readonly string[] | null, list: List): Promise<AccountFolder[]> {
  const names = accounts ?? (await list(folder)).filter((name) => ACCOUNT.test(name));
  return names.map((account) => ({ account, folder: `${folder}${account}/` }));
}

async function areasOf({ account, folder }: AccountFolder, { regions }: AreaWish, list: List): Promise<TrailArea[]> {
  const there = regions === null ? await list(folder) : FOLDERS;
  const kinds = FOLDERS.filter((kind) => there.includes(kind));
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const names = regions ?? (await list(`${folder}${kind}/`)).filter((name) => REGION.test(name));
      return names.map((region) => ({ account, region, folder: `${folder}${kind}/${region}/` }));
    }),
  );
  return found.flat();
}
