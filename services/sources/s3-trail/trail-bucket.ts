/** A trail's bucket as validation reads it: what lies where, digests with their signatures, hashes of log files. */
import { S3Client } from '@aws-sdk/client-s3';
import type { Aws, AwsPlace } from '../../platform/aws.ts';
import type { DigestObject } from '../digest.ts';
import type { ReadLimits } from '../limits.ts';
import { hashMember, type MemberHash } from '../member-hash.ts';
import type { Buckets } from './buckets.ts';
import { readDigestObject } from './digest-object.ts';
import { listFolders, listObjects, type ListedObject } from './list-objects.ts';
import type { TrailObject } from './locator.ts';
import { denialOf } from './object-failure.ts';
import { ObjectGone, readObject } from './read-object.ts';
import type { TrailBucketSettings } from './trail-config.ts';

/** One account × Region below one prefix. */
export interface TrailArea {
  readonly account: string;
  readonly region: string;
  /** `[prefix/]AWSLogs/[O-ID/]ACCOUNT/` */
  readonly place: string;
}

export type Unread =
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly message: string }
  /** Access is denied. */
  | { readonly kind: 'unreadable'; readonly message: string };

/** All of it throws KmswatchError SOURCE_UNREADABLE when the bucket cannot be listed or reached at all. */
export interface TrailBucket {
  readonly name: string;
  /** `[prefix/]AWSLogs/[O-ID/]`, below which all of it lies. */
  readonly place: string;
  areas(): AsyncGenerator<TrailArea>;
  /** Objects of the days from `from` to `to` (epoch milliseconds; null = all), in the order of their keys. */
  list(area: TrailArea, type: ObjectType, days: Days): AsyncGenerator<ListedObject>;
  digest(key: string): Promise<({ readonly kind: 'read' } & DigestObject) | Unread>;
  hashLog(key: string): Promise<MemberHash | Unread>;
  close(): void;
}

export type ObjectType = 'CloudTrail' | 'CloudTrail-Digest';

export interface Days {
  readonly from: number | null;
  readonly to: number | null;
}

const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z]{2,8}(-[a-z]{1,16}){1,4}-\d{1,2}$/;

export function openTrailBucket(
  settings: TrailBucketSettings,
  { aws, limits }: { readonly aws: Aws; readonly limits: ReadLimits },
): TrailBucket {
  const { bucket, bucket_region: region } = settings;
  const clients = clientsFor(settings, aws);
  const at = (key: string): TrailObject => ({ bucket, key, region, versionId: null, etag: null, size: null, queue: bucket });
  const root = `${settings.prefix === undefined ? '' : settings.prefix.replace(/\/*$/, '/')}AWSLogs/`;

  /** Folders `ACCOUNT/`, with all that is before them. */
  async function accountPlaces(): Promise<string[]> {
    const top = settings.organization_id === undefined ? root : `${root}${settings.organization_id}/`;
    const names = await listFolders(clients, at(top));
    const places = names.filter((name) => ACCOUNT.test(name)).map((name) => `${top}${name}/`);
    for (const organization of names.filter((name) => ORGANIZATION.test(name))) {
      const below = `${top}${organization}/`;
      for (const name of await listFolders(clients, at(below))) if (ACCOUNT.test(name)) places.push(`${below}${name}/`);
    }
    return places;
  }

  async function regionsOf(place: string): Promise<string[]> {
    if (settings.regions) return settings.regions;
    const found = new Set<string>();
    for (const type of ['CloudTrail-Digest', 'CloudTrail'])
      for (const name of await listFolders(clients, at(`${place}${type}/`))) if (REGION.test(name)) found.add(name);
    return [...found].toSorted();
  }

  return {
    name: bucket,
    place: settings.organization_id === undefined ? root : `${root}${settings.organization_id}/`,
    async *areas() {
      for (const place of await accountPlaces()) {
        const account = place.slice(-13, -1);
        if (settings.accounts?.includes(account) === false) continue;
        for (const each of await regionsOf(place)) yield { account, region: each, place };
      }
    },
    async *list({ place, region: of }, type, { from, to }) {
      const prefix = `${place}${type}/${of}/`;
      const last = to === null ? null : dayOf(to);
      for await (const object of listObjects(clients, at(prefix), from === null ? null : `${prefix}${dayOf(from)}`)) {
        if (last !== null && object.key.slice(prefix.length, prefix.length + last.length) > last) return;
        yield object;
      }
    },
    digest: (key) =>
      unlessDenied(async () => {
        const read = await readDigestObject(clients, at(key));
        if ('gone' in read) return { kind: 'absent' } as const;
        if ('tooLarge' in read) return { kind: 'damaged', message: 'it is larger than a digest can be' } as const;
        return { kind: 'read', ...read } as const;
      }),
    hashLog: (key) => unlessDenied(() => hashMember(readObject(clients, at(key)), limits)),
    close: () => clients.close(),
  };
}

function clientsFor(settings: TrailBucketSettings, aws: Aws): Buckets {
  const place = placeOf(settings, settings.bucket_region);
  let client: S3Client | null = null;
  const close = (): void => {
    client?.destroy();
    client = null;
  };
  return {
    clientFor: () => (client ??= new S3Client({ ...aws.settings(place), followRegionRedirects: true })),
    forget() {
      aws.forget(place);
      close();
    },
    close,
  };
}

/** With whose credentials the trail is looked at, in a Region. */
export function placeOf({ role_arn: arn, external_id: externalId }: TrailBucketSettings, region: string): AwsPlace {
  return { region, role: arn === undefined ? null : { arn, externalId: externalId ?? null } };
}

/** An object that is gone is absent; one that is denied is unreadable; everything else concerns more than this object, and is thrown. */
async function unlessDenied<T extends { readonly kind: string }>(work: () => Promise<T>): Promise<T | Unread> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ObjectGone) return { kind: 'absent' };
    const message = denialOf(error);
    if (message === null) throw error;
    return { kind: 'unreadable', message };
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '/');
}
