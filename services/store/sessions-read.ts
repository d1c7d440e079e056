/** Where access keys were used from, as detectors ask for it. */
import type pg from 'pg';
import type { NameCache } from './names.ts';

export interface SessionRow {
  readonly actorId: number;
  readonly place: {
    readonly accessKey: string;
    readonly network: string;
    /** Hours since 1970. */
    readonly hour: number;
    readonly firstAt: number;
    readonly firstEventId: string;
    readonly lastAt: number;
    readonly lastEventId: string;
  };
}

/** Where access keys of callers were used from, those that were used from several networks. */
export async function sessionsOfCallers(client: pg.ClientBase, actorIds: readonly number[], cache: NameCache): Promise<SessionRow[]> {
  interface Place {
    access_key_id: number;
    network_id: number;
    hour: number;
    actor_id: number;
    first_at: number;
    first_event: string;
    last_at: number;
    last_event: string;
  }
  const { rows } = await client.query<Place>({
    name: 'sessions-of-callers',
    text: `SELECT access_key_id, network_id, hour, actor_id, first_at, first_event, last_at, last_event FROM credential_place
      WHERE actor_id = ANY($1::int[]) AND (actor_id, access_key_id) IN (
        SELECT actor_id, access_key_id FROM credential_place WHERE actor_id = ANY($1::int[])
        GROUP BY actor_id, access_key_id HAVING min(network_id) <> max(network_id))`,
    values: [actorIds],
  });
  const names = await cache.resolve(client, {
    terms: rows.flatMap((row) => [row.access_key_id, row.network_id]),
    keys: [],
    actors: [],
    eventIds: rows.flatMap((row) => [row.first_event, row.last_event]),
  });
  return rows.map((row) => ({
    actorId: row.actor_id,
    place: {
      accessKey: names.term(row.access_key_id),
      network: names.term(row.network_id),
      hour: row.hour,
      firstAt: row.first_at,
      firstEventId: names.eventId(row.first_event),
      lastAt: row.last_at,
      lastEventId: names.eventId(row.last_event),
    },
  }));
}
