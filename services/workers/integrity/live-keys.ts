import type { KeyObject } from 'node:crypto';
import type pg from 'pg';
import { type KeySource, readKey } from '../../compliance/integrity/public-keys.ts';
import { type Clock, DAY, HOUR } from '../../core/clock.ts';
import type { Aws } from '../../platform/aws.ts';
import { listPublicKeys } from '../../sources/s3-trail/list-public-keys.ts';
import { placeOf } from '../../sources/s3-trail/trail-bucket.ts';
import type { TrailBucketSettings } from '../../sources/s3-trail/trail-config.ts';
import { keepPublicKeys, publicKeysOf } from '../../store/digests-keys.ts';

/** Keys are asked for this long around the day on which something was signed, as AWS's own validator does. */
const AROUND_MS = 2 * HOUR;

export interface LiveKeysOptions {
  readonly aws: Aws;
  /** With whose credentials. */
  readonly trail: TrailBucketSettings;
  /** Null: keys are kept nowhere. */
  readonly kept: { readonly pool: pg.Pool; readonly clock: Clock } | null;
}

/** CloudTrail's public keys: those kept before, and those that AWS lists. Each Region is asked once for each day, whatever digests claim. */
export class LiveKeys implements KeySource {
  readonly #options: LiveKeysOptions;
  readonly #regions = new Map<string, Promise<Map<string, KeyObject[]>>>();
  readonly #asked = new Map<string, Promise<void>>();

  constructor(options: LiveKeysOptions) {
    this.#options = options;
  }

  /** @throws KmswatchError SOURCE_UNREADABLE when AWS does not tell: not knowing a key is not the same as there being none */
  async find(region: string, fingerprint: string, at: number): Promise<readonly KeyObject[]> {
    const keys = await this.#keysOf(region);
    const name = fingerprint.toLowerCase();
    if (!keys.has(name)) await this.#askOnce(region, at, keys);
    return keys.get(name) ?? [];
  }

  #keysOf(region: string): Promise<Map<string, KeyObject[]>> {
    const known = this.#regions.get(region);
    if (known) return known;
    const loading = this.#load(region);
    this.#regions.set(region, loading);
    return loading;
  }

  async #load(region: string): Promise<Map<string, KeyObject[]>> {
    const { kept } = this.#options;
    const keys = new Map<string, KeyObject[]>();
    for (const { fingerprint, der } of kept ? await publicKeysOf(kept.pool, region) : []) add(keys, fingerprint, der);
    return keys;
  }

  #askOnce(region: string, at: number, keys: Map<string, KeyObject[]>): Promise<void> {
    const day = Math.floor(at / DAY) * DAY;
    const name = `${region} ${day}`;
    const known = this.#asked.get(name);
    if (known) return known;
    const asking = this.#ask(region, day, keys);
    this.#asked.set(name, asking);
    return asking;
  }

  async #ask(region: string, day: number, keys: Map<string, KeyObject[]>): Promise<void> {
    const { aws, trail, kept } = this.#options;
    const listed = await listPublicKeys(aws, placeOf(trail, region), { from: day - AROUND_MS, to: day + DAY + AROUND_MS });
    for (const { fingerprint, der } of listed) add(keys, fingerprint, der);
    if (kept) await keepPublicKeys(kept.pool, region, { keys: listed, at: kept.clock.now() });
  }
}

function add(keys: Map<string, KeyObject[]>, fingerprint: string, der: Buffer): void {
  const key = readKey(der.toString('base64'));
  if (!key) return;
  const same = keys.get(fingerprint);
  if (!same) keys.set(fingerprint, [key]);
  else if (!same.some((each) => each.equals(key))) same.push(key);
}
