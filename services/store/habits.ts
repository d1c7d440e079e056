/**
 * What a batch adds to habits: counted in memory, then merged with one statement a table. Sums, earliest, latest and unions of bits
 * only, so that any order and any split of the same events ends in the same rows. Migration 5 tells what the tables hold.
 */
import type pg from 'pg';
import { DAY, HOUR } from '../core/clock.ts';
import { contextBit, formsHabit, isCaller, sessionFlags } from '../core/habit.ts';
import { plainArray } from './array.ts';
import type { EventRow } from './events.ts';
import { type Bucket, bucketOf, include, measures, MERGE, sorted } from './rollup.ts';
import { TERM, type Terms } from './terms.ts';

/** A way in which calls of a batch were made, with the profiles that it counts under. */
interface Way {
  readonly index: number;
  readonly profile: string;
  /** As calls are told by caller, under whichever key; null for AWS services. */
  readonly caller: string | null;
}

/** A call that forms habits. */
export interface HabitualCall {
  readonly row: EventRow;
  readonly way: Way;
}

/** Keys and callers whose findings may be others now. */
export interface HabitsTouched {
  readonly keys: ReadonlySet<number>;
  readonly actors: ReadonlySet<number>;
}

interface Volume {
  readonly hours: number[];
  readonly contexts: Uint32Array;
}

/** From so many cryptographic calls of a caller under a key within an hour on, their number may make a finding. */
export const VOLUME_FLOOR = 32;
/** The same for a day. */
const DAY_FLOOR = 64;

const CRYPTOGRAPHIC = 0;

/** `MERGE` for tables that count otherwise. */
const ENDS = MERGE.slice(MERGE.indexOf('first_event'));

/** Asks the dictionary for profiles, besides those of the rows; `resolve` must run before they are counted. Terms must be resolved. */
export function habitualCalls(terms: Terms, rows: readonly EventRow[]): HabitualCall[] {
  const ways = new Map<string, Way>();
  const calls: HabitualCall[] = [];
  for (const row of rows) {
    const { event } = row;
    if (!formsHabit(event)) continue;
    const isOwn = isCaller(event.actor);
    const known = isOwn ? row.profile : `${row.profile} `;
    let way = ways.get(known);
    if (!way) {
      const caller = isOwn ? `0,${row.regionId},${row.how},0,0,${sessionFlags(event)}` : null;
      way = { index: ways.size, profile: row.profile, caller };
      ways.set(known, way);
      if (caller !== null) terms.wantProfile(caller);
      if (row.operationClass === CRYPTOGRAPHIC) terms.wantProfile(placeOf(row));
    }
    calls.push({ row, way });
  }
  return calls;
}

/** That cryptographic calls of an account and Region are on record at all. */
function placeOf({ accountId, regionId }: EventRow): string {
  return `${accountId},${regionId},0,0,0,0,0,0,0,0,0`;
}

/** Everything that calls of one way, key, caller and day count for: looked up once for all of them. */
interface Group {
  readonly days: readonly Bucket[];
  readonly volumes: readonly { readonly bucket: Bucket; readonly volume: Volume }[];
}

export class Habits {
  readonly #terms: Terms;
  readonly #groups = new Map<string, Group>();
  readonly #days = new Map<string, Bucket>();
  readonly #volumeDays = new Map<string, Bucket>();
  readonly #volumes = new Map<string, Volume>();
  readonly #places = new Map<string, Bucket>();

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  add(call: HabitualCall): void {
    const { row, way } = call;
    const { event, eventTime, actorId } = row;
    const day = Math.floor(eventTime / DAY);
    const name = `${way.index},${row.keyId},${row.alsoKeyId},${actorId},${day}`;
    let group = this.#groups.get(name);
    if (!group) {
      group = this.#groupOf(call, day);
      this.#groups.set(name, group);
    }
    for (const bucket of group.days) include(bucket, row);
    const hour = Math.floor((eventTime % DAY) / HOUR);
    const bit = row.operationClass === CRYPTOGRAPHIC && event.encryptionContext !== null ? contextBit(event.encryptionContext) : null;
    for (const { bucket, volume } of group.volumes) {
      include(bucket, row);
      volume.hours[hour] = (volume.hours[hour] ?? 0) + 1;
      if (bit !== null) volume.contexts[bit >>> 5] = ((volume.contexts[bit >>> 5] ?? 0) | (1 << (bit & 31))) >>> 0;
    }
    if (way.caller !== null && event.network.kind === 'ip' && event.callingService === null) this.#addPlace(row);
  }

  #groupOf({ row, way }: HabitualCall, day: number): Group {
    const { actorId } = row;
    const isUse = row.operationClass === CRYPTOGRAPHIC;
    const keys = [row.byAlias ? 0 : row.keyId, row.alsoKeyId].filter((key) => key !== 0);
    const days = keys.map((key) => this.#dayOf(key, actorId, way.profile, day));
    if (isUse) days.push(this.#dayOf(0, 0, placeOf(row), day));
    if (way.caller === null) return { days, volumes: [] };
    days.push(this.#dayOf(0, actorId, way.caller, day));
    return { days, volumes: [...(isUse ? keys : []), 0].map((key) => this.#volumeOf(key, actorId, day)) };
  }

  #dayOf(key: number, actor: number, ids: string, day: number): Bucket {
    const profile = this.#terms.profile(ids);
    return bucketOf(this.#days, `${key},${actor},${profile},${day}`, () => [key, actor, profile, day]);
  }

  #volumeOf(key: number, actor: number, day: number): Group['volumes'][number] {
    const name = `${key},${actor},${day}`;
    const bucket = bucketOf(this.#volumeDays, name, () => [key, actor, day]);
    const volume = this.#volumes.get(name) ?? { hours: Array<number>(24).fill(0), contexts: new Uint32Array(4) };
    this.#volumes.set(name, volume);
    return { bucket, volume };
  }

  #addPlace(row: EventRow): void {
    const { accessKeyId } = row.event.session;
    if (accessKeyId === null) return;
    const credential = this.#terms.term(TERM.accessKey, accessKeyId);
    const hour = Math.floor(row.eventTime / HOUR);
    const ids = [credential, row.networkId, hour, row.actorId];
    include(
      bucketOf(this.#places, ids.join(','), () => ids),
      row,
    );
  }

  /** Merges all that was added. At most three statements. */
  async merge(client: pg.ClientBase): Promise<HabitsTouched> {
    const keys = new Set<number>();
    const actors = new Set<number>();
    for (const { key, actor } of await this.#mergeDays(client)) {
      if (key !== 0) keys.add(key);
      if (actor !== 0) actors.add(actor);
    }
    for (const key of await this.#mergeVolumes(client)) keys.add(key);
    await this.#mergePlaces(client);
    return { keys, actors };
  }

  /** @returns those whose day began, or began earlier than known */
  async #mergeDays(client: pg.ClientBase): Promise<{ key: number; actor: number }[]> {
    const buckets = sorted(this.#days);
    if (buckets.length === 0) return [];
    const { rows } = await client.query<{ k: number; a: number; p: number; d: number; fe: string }>({
      name: 'merge-habit',
      text: `INSERT INTO habit AS t (key_id, actor_id, profile_id, day, count, first_at, first_event, last_at, last_event)
        SELECT k, a, p, d, cnt, to_timestamp(fa / 1000.0), fe, to_timestamp(la / 1000.0), le
        FROM unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[], $6::float8[], $7::uuid[], $8::float8[], $9::uuid[])
          AS i(k, a, p, d, cnt, fa, fe, la, le)
        ON CONFLICT (key_id, actor_id, profile_id, day) DO UPDATE SET ${MERGE}
        RETURNING key_id AS k, actor_id AS a, profile_id AS p, day AS d, first_event AS fe`,
      values: [
        ...Array.from({ length: 4 }, (_, i) => plainArray(buckets.map((bucket) => bucket.ids[i] ?? 0))),
        ...measures(buckets, () => true),
      ],
    });
    return rows.flatMap(({ k, a, p, d, fe }) => (this.#days.get(`${k},${a},${p},${d}`)?.firstEvent === fe ? [{ key: k, actor: a }] : []));
  }

  /** @returns keys with an hour or a day whose count has passed a power of two from the floors on: seldom enough to look at each time */
  async #mergeVolumes(client: pg.ClientBase): Promise<number[]> {
    const buckets = sorted(this.#volumeDays);
    if (buckets.length === 0) return [];
    const volumes = buckets.map(({ ids }) => this.#volumes.get(ids.join(',')) as Volume);
    const { rows } = await client.query<{ k: number; a: number; d: number; h: number[] | null }>({
      name: 'merge-volume-daily',
      text: `INSERT INTO volume_daily AS t (key_id, actor_id, day, hours, contexts, first_at, first_event, last_at, last_event)
        SELECT k, a, d, h::int[], ('x' || c)::bit(128), to_timestamp(fa / 1000.0), fe, to_timestamp(la / 1000.0), le
        FROM unnest($1::int[], $2::int[], $3::int[], $4::text[], $5::text[], $6::float8[], $7::uuid[], $8::float8[], $9::uuid[])
          AS i(k, a, d, h, c, fa, fe, la, le)
        ON CONFLICT (key_id, actor_id, day) DO UPDATE SET contexts = t.contexts | excluded.contexts,
          hours = ARRAY(SELECT x + y FROM unnest(t.hours, excluded.hours) WITH ORDINALITY AS u(x, y, n) ORDER BY n), ${ENDS}
        RETURNING key_id AS k, actor_id AS a, day AS d, CASE WHEN key_id <> 0 THEN hours END AS h`,
      values: [
        ...Array.from({ length: 3 }, (_, i) => plainArray(buckets.map(({ ids }) => ids[i] ?? 0))),
        `{${volumes.map(({ hours }) => `"{${hours.join(',')}}"`).join(',')}}`,
        plainArray(volumes.map(({ contexts }) => [...contexts].map((word) => word.toString(16).padStart(8, '0')).join(''))),
        ...measures(buckets, () => true).slice(1),
      ],
    });
    return rows.flatMap(({ k, a, d, h }) => {
      const added = this.#volumes.get(`${k},${a},${d}`)?.hours ?? [];
      const total = sum(h ?? []);
      if (total >= DAY_FLOOR && doubled(total - sum(added), total)) return [k];
      return h?.some((after, hour) => after >= VOLUME_FLOOR && doubled(after - (added[hour] ?? 0), after)) ? [k] : [];
    });
  }

  async #mergePlaces(client: pg.ClientBase): Promise<void> {
    const buckets = sorted(this.#places);
    if (buckets.length === 0) return;
    await client.query({
      name: 'merge-credential-place',
      text: `INSERT INTO credential_place AS t (access_key_id, network_id, hour, actor_id, first_at, first_event, last_at, last_event)
        SELECT k, n, h, a, to_timestamp(fa / 1000.0), fe, to_timestamp(la / 1000.0), le
        FROM unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::float8[], $6::uuid[], $7::float8[], $8::uuid[]) AS i(k, n, h, a, fa, fe, la, le)
        ON CONFLICT (access_key_id, network_id, hour, actor_id) DO UPDATE SET ${ENDS}`,
      values: [
        ...Array.from({ length: 4 }, (_, i) => plainArray(buckets.map((bucket) => bucket.ids[i] ?? 0))),
        ...measures(buckets, () => true).slice(1),
      ],
    });
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function doubled(before: number, after: number): boolean {
  return Math.floor(Math.log2(Math.max(before, 1))) < Math.floor(Math.log2(after));
}
