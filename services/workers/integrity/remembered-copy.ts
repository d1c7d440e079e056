/**
 * An account and Region of a bucket as validation reads it, with what is known of it already: what lies there is listed, and only what is
 * new or has changed since, by its ETag, is downloaded.
 */
import type pg from 'pg';
import { MAX_DIGEST_BYTES } from '../../compliance/integrity/digest.ts';
import type { AreaCopy, DigestRead, LogHash } from '../../compliance/integrity/trail-copy.ts';
import type { DeliveredDigest, DigestObject } from '../../sources/digest.ts';
import { gunzipMember } from '../../sources/gzip-member.ts';
import type { Days, TrailArea, TrailBucket } from '../../sources/s3-trail/trail-bucket.ts';
import { keptDigests } from '../../store/digests.ts';
import { ingestedHashes, type KnownLogFile, knownLogFiles } from '../../store/digests-log-files.ts';

export interface Window {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

interface Known {
  /** Key → ETag of what lies there. */
  readonly digests: ReadonlyMap<string, string | null>;
  readonly logs: ReadonlyMap<string, string | null>;
  /** By key and ETag. */
  readonly kept: ReadonlyMap<string, DigestObject>;
  readonly keptKeys: ReadonlySet<string>;
  readonly checked: ReadonlyMap<string, KnownLogFile>;
  readonly ingested: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export class RememberedCopy implements AreaCopy {
  /** Digests that had to be downloaded. */
  readonly fresh: DeliveredDigest[] = [];
  readonly #bucket: TrailBucket;
  readonly #known: Known;

  constructor(bucket: TrailBucket, known: Known) {
    this.#bucket = bucket;
    this.#known = known;
  }

  /** @param lead how much before and after the window is looked at too, milliseconds */
  static async open(
    pool: pg.Pool,
    bucket: TrailBucket,
    { area, window, lead }: { area: TrailArea; window: Window; lead: number },
  ): Promise<RememberedCopy> {
    const days = { from: window.from - lead, to: null };
    const [digests, logs] = [
      await listed(bucket, area, { type: 'CloudTrail-Digest', days }),
      await listed(bucket, area, { type: 'CloudTrail', days }),
    ];
    const place = { bucket: bucket.name, account: area.account, region: area.region };
    const rows = (await keptDigests(pool, { ...place, from: window.from, to: window.to + lead })).filter(({ key }) =>
      key.startsWith(area.place),
    );
    const checked = await knownLogFiles(pool, { ...place, from: days.from });
    const unchecked = [...logs].filter(([key, etag]) => !isSame(checked.get(key), etag)).map(([key]) => key);
    return new RememberedCopy(bucket, {
      digests,
      logs,
      kept: new Map(rows.map(({ key, etag, packed, ...metadata }) => [`${key}\n${etag}`, { packed, etag, metadata }])),
      keptKeys: new Set(rows.map(({ key }) => key)),
      checked,
      ingested: await ingestedHashes(pool, bucket.name, unchecked),
    });
  }

  etagOf(key: string): string | null {
    return this.#known.logs.get(key) ?? null;
  }

  hasLog(key: string): boolean {
    return this.#known.logs.has(key);
  }

  /** Those that lie there, and those that were seen there before: what was there must still be. */
  async *digestKeys(): AsyncGenerator<string> {
    const { digests, keptKeys } = this.#known;
    yield* digests.keys();
    for (const key of keptKeys) if (!digests.has(key)) yield key;
  }

  async *logKeys(): AsyncGenerator<string> {
    yield* this.#known.logs.keys();
  }

  async readDigest(key: string): Promise<DigestRead> {
    const etag = this.#known.digests.get(key);
    if (etag === undefined) return { kind: 'absent' };
    const kept = this.#known.kept.get(`${key}\n${etag}`);
    if (kept) return await inflated(kept, this.#bucket.name);
    const read = await this.#bucket.digest(key);
    if (read.kind !== 'read') return read;
    this.fresh.push({ ...read, bucket: this.#bucket.name, key });
    return await inflated(read, this.#bucket.name);
  }

  async hashLog(key: string): Promise<LogHash> {
    const etag = this.etagOf(key);
    const checked = this.#known.checked.get(key);
    if (isSame(checked, etag)) return { kind: 'hashed', sha256: checked.found };
    const ingested = etag === null ? undefined : this.#known.ingested.get(key)?.get(etag);
    if (ingested !== undefined) return { kind: 'hashed', sha256: ingested };
    return await this.#bucket.hashLog(key);
  }
}

function isSame(known: KnownLogFile | undefined, etag: string | null): known is KnownLogFile & { readonly found: string } {
  return known !== undefined && etag !== null && known.etag === etag && known.found !== null;
}

async function listed(
  bucket: TrailBucket,
  area: TrailArea,
  { type, days }: { readonly type: 'CloudTrail' | 'CloudTrail-Digest'; readonly days: Days },
): Promise<Map<string, string | null>> {
  const objects = new Map<string, string | null>();
  for await (const { key, etag } of bucket.list(area, type, days)) objects.set(key, etag);
  return objects;
}

/** A digest with its signature, as validation wants it. */
export async function inflated({ packed, metadata }: DigestObject, bucket: string): Promise<DigestRead> {
  const bytes = await gunzipMember(packed, MAX_DIGEST_BYTES);
  return bytes ? { kind: 'read', bytes, metadata, bucket } : { kind: 'damaged', message: 'it is no sound gzip file of one member' };
}
