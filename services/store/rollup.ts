/**
 * Loss-free, commutative rollups of new events: sums, earliest and latest. Built in memory per batch, then merged into the
 * tables with one statement each, so that any order and any split of the same events ends in the same rows.
 */
import type pg from 'pg';
import { HOUR } from '../core/clock.ts';
import { plainArray } from './array.ts';
import type { Terms } from './terms.ts';

/** The columns of a new event that rollups count by; ids as stored, 0 for none. */
export interface RolledEvent {
  readonly eventTime: number;
  readonly eventUuid: string;
  readonly keyId: number;
  /** The key is only known by an alias: attributed to a key at detection, when aliases are resolved. */
  readonly byAlias: boolean;
  /** A second key that the call used, see `core/also-used.ts`; it counts among the uses, and the hour stays one event. */
  readonly alsoKeyId: number;
  readonly actorId: number;
  readonly operationId: number;
  readonly accountId: number;
  readonly regionId: number;
  /** Its way of calling: the columns of `call_profile`, see `Terms.profile`. */
  readonly profile: string;
  readonly operationClass: number;
  readonly outcome: number;
}

export interface Bucket {
  readonly ids: readonly number[];
  count: number;
  firstAt: number;
  firstEvent: string;
  lastAt: number;
  lastEvent: string;
}

export class Rollup {
  readonly #terms: Terms;
  readonly #hourly = new Map<string, Bucket>();
  readonly #use = new Map<string, Bucket>();

  /** @param terms in which the profiles of the events are resolved */
  constructor(terms: Terms) {
    this.#terms = terms;
  }

  add(event: RolledEvent): void {
    const { keyId, actorId, profile, accountId, regionId, operationClass, outcome } = event;
    const hour = Math.floor(event.eventTime / HOUR) * HOUR;
    count(this.#hourly, `${hour},${keyId},${actorId},${profile},${outcome}`, event, () => [
      hour,
      keyId,
      actorId,
      this.#terms.profile(profile),
      outcome,
    ]);
    for (const used of [event.byAlias ? null : keyId, event.alsoKeyId || null]) {
      if (used === null) continue;
      const use = `${used},${actorId},${operationClass},${outcome},${accountId},${regionId}`;
      count(this.#use, use, event, () => [used, actorId, operationClass, outcome, accountId, regionId]);
    }
  }

  /**
   * Merges into `activity_hourly`. Of successful calls only the number is kept: nobody asks which was the first of an hour, and the four
   * columns are a third of the row. Rows in primary-key order, so that concurrent batches lock them in the same order.
   */
  async mergeHourly(client: pg.ClientBase): Promise<void> {
    const buckets = sorted(this.#hourly);
    if (buckets.length === 0) return;
    await client.query({
      name: 'merge-activity-hourly',
      text: `INSERT INTO activity_hourly AS t (hour, key_id, actor_id, profile_id, outcome, count, first_at, first_event, last_at, last_event)
        SELECT to_timestamp(hour / 1000.0), k, a, p, oc, cnt, to_timestamp(fa / 1000.0), fe, to_timestamp(la / 1000.0), le
        FROM unnest($1::float8[], $2::int[], $3::int[], $4::int[], $5::smallint[], $6::int[], $7::float8[], $8::uuid[], $9::float8[], $10::uuid[])
          AS i(hour, k, a, p, oc, cnt, fa, fe, la, le)
        ON CONFLICT (hour, key_id, actor_id, profile_id, outcome) DO UPDATE SET ${MERGE}`,
      values: [
        ...Array.from({ length: 5 }, (_, i) => plainArray(buckets.map((bucket) => bucket.ids[i] ?? 0))),
        ...measures(buckets, (bucket) => bucket.ids.at(-1) !== 0),
      ],
    });
  }

  /**
   * Merges into `key_actor`.
   * @returns the (key, actor) pairs whose earliest successful use became this batch's: what baselines must look at again
   */
  async mergeUse(
    client: pg.ClientBase,
  ): Promise<{ keyId: number; actorId: number; operationClass: number; outcome: number; isFirst: boolean }[]> {
    const buckets = sorted(this.#use);
    if (buckets.length === 0) return [];
    const { rows } = await client.query<{ k: number; a: number; c: number; o: number; fe: string; acc: number; r: number }>({
      name: 'merge-key-actor',
      text: `INSERT INTO key_actor AS t (key_id, actor_id, operation_class, outcome, account_id, region_id, count, first_at, first_event, last_at, last_event)
        SELECT k, a, c, oc, acc, r, cnt, to_timestamp(fa / 1000.0), fe, to_timestamp(la / 1000.0), le
        FROM unnest($1::int[], $2::int[], $3::smallint[], $4::smallint[], $5::int[], $6::int[], $7::int[], $8::float8[], $9::uuid[], $10::float8[], $11::uuid[])
          AS i(k, a, c, oc, acc, r, cnt, fa, fe, la, le)
        ON CONFLICT (key_id, actor_id, operation_class, outcome, account_id, region_id) DO UPDATE SET ${MERGE}
        RETURNING key_id AS k, actor_id AS a, operation_class AS c, outcome AS o, account_id AS acc, region_id AS r, first_event AS fe`,
      values: [
        ...Array.from({ length: 6 }, (_, i) => plainArray(buckets.map((bucket) => bucket.ids[i] ?? 0))),
        ...measures(buckets, () => true),
      ],
    });
    return rows.map((row) => ({
      keyId: row.k,
      actorId: row.a,
      operationClass: row.c,
      outcome: row.o,
      isFirst: this.#use.get(`${row.k},${row.a},${row.c},${row.o},${row.acc},${row.r}`)?.firstEvent === row.fe,
    }));
  }
}

/** How a row takes in another one of the same key: sum, earliest, latest. */
export const MERGE = `count = t.count + excluded.count,
  first_event = CASE WHEN (excluded.first_at, excluded.first_event) < (t.first_at, t.first_event) THEN excluded.first_event ELSE t.first_event END,
  first_at = least(t.first_at, excluded.first_at),
  last_event = CASE WHEN (excluded.last_at, excluded.last_event) > (t.last_at, t.last_event) THEN excluded.last_event ELSE t.last_event END,
  last_at = greatest(t.last_at, excluded.last_at)`;

/** Counts an event in the bucket of that key. */
export function count(
  buckets: Map<string, Bucket>,
  key: string,
  event: Pick<RolledEvent, 'eventTime' | 'eventUuid'>,
  ids: () => readonly number[],
): void {
  include(bucketOf(buckets, key, ids), event);
}

/** The bucket of that key; an empty one is put there first. */
export function bucketOf(buckets: Map<string, Bucket>, key: string, ids: () => readonly number[]): Bucket {
  const known = buckets.get(key);
  if (known) return known;
  const bucket = { ids: ids(), count: 0, firstAt: Infinity, firstEvent: '', lastAt: -Infinity, lastEvent: '' };
  buckets.set(key, bucket);
  return bucket;
}

/** Takes an event into the bucket that it belongs to. */
export function include(bucket: Bucket, { eventTime, eventUuid }: Pick<RolledEvent, 'eventTime' | 'eventUuid'>): void {
  bucket.count++;
  if (eventTime < bucket.firstAt || (eventTime === bucket.firstAt && eventUuid < bucket.firstEvent)) {
    bucket.firstAt = eventTime;
    bucket.firstEvent = eventUuid;
  }
  if (eventTime > bucket.lastAt || (eventTime === bucket.lastAt && eventUuid > bucket.lastEvent)) {
    bucket.lastAt = eventTime;
    bucket.lastEvent = eventUuid;
  }
}

/** In order of their ids, so that concurrent batches lock rows in the same order. */
export function sorted(buckets: ReadonlyMap<string, Bucket>): Bucket[] {
  return [...buckets.values()].toSorted((a, b) => {
    for (let i = 0; i < a.ids.length; i++) {
      const difference = (a.ids[i] ?? 0) - (b.ids[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/** Columns count, first_at, first_event, last_at, last_event. */
export function measures(buckets: readonly Bucket[], isExact: (bucket: Bucket) => boolean): string[] {
  const exact = (pick: (bucket: Bucket) => number | string): string =>
    plainArray(buckets.map((bucket) => (isExact(bucket) ? pick(bucket) : null)));
  return [
    plainArray(buckets.map((bucket) => bucket.count)),
    exact((bucket) => bucket.firstAt),
    exact((bucket) => bucket.firstEvent),
    exact((bucket) => bucket.lastAt),
    exact((bucket) => bucket.lastEvent),
  ];
}
