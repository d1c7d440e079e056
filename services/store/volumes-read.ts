/** How much keys and callers were used, day by day, as detectors ask for it. Set-based: one statement for any number of either. */
import type pg from 'pg';
import type { Actor } from '../core/event.ts';
import type { NameCache } from './names.ts';

export interface VolumeRow {
  readonly keyId: number;
  readonly actorId: number;
  readonly volume: {
    readonly actor: Actor;
    /** Days since 1970. */
    readonly day: number;
    /** 24 counts. */
    readonly hours: readonly number[];
    /** Bits that encryption contexts have set in the sketch. */
    readonly bits: number;
    readonly firstEventId: string;
    readonly lastEventId: string;
  };
}

const VOLUME = 'SELECT key_id, actor_id, day, hours, bit_count(contexts)::int AS bits, first_event, last_event FROM volume_daily';

export async function volumesOfKeys(client: pg.ClientBase, keyIds: readonly number[], names: NameCache): Promise<VolumeRow[]> {
  const text = `${VOLUME} WHERE key_id <> 0 AND key_id = ANY($1::int[])`;
  return await readVolumes(client, { name: 'volumes-of-keys', text, values: [keyIds] }, names);
}

export async function volumesOfCallers(client: pg.ClientBase, actorIds: readonly number[], names: NameCache): Promise<VolumeRow[]> {
  const text = `${VOLUME} WHERE key_id = 0 AND actor_id = ANY($1::int[])`;
  return await readVolumes(client, { name: 'volumes-of-callers', text, values: [actorIds] }, names);
}

interface StoredVolume {
  key_id: number;
  actor_id: number;
  day: number;
  hours: number[];
  bits: number;
  first_event: string;
  last_event: string;
}

async function readVolumes(client: pg.ClientBase, query: pg.QueryConfig, cache: NameCache): Promise<VolumeRow[]> {
  const { rows } = await client.query<StoredVolume>(query);
  const eventIds = rows.flatMap((row) => [row.first_event, row.last_event]);
  const names = await cache.resolve(client, { terms: [], keys: [], actors: rows.map((row) => row.actor_id), eventIds });
  return rows.map((row) => ({
    keyId: row.key_id,
    actorId: row.actor_id,
    volume: {
      actor: names.actor(row.actor_id),
      day: row.day,
      hours: row.hours,
      bits: row.bits,
      firstEventId: names.eventId(row.first_event),
      lastEventId: names.eventId(row.last_event),
    },
  }));
}
