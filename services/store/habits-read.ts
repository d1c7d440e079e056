/** Habits as detectors ask for them. Set-based: one statement for any number of keys or callers. */
import type pg from 'pg';
import { DAY } from '../core/clock.ts';
import { type Habit, PAUSE_DAYS, SESSION_FLAGS } from '../core/habit.ts';
import { OPERATION_CLASSES, type OperationClass } from '../core/operations.ts';
import type { Names, NameCache } from './names.ts';

export interface HabitRow {
  readonly keyId: number;
  readonly actorId: number;
  readonly habit: Habit;
}

interface Row {
  key_id: number;
  actor_id: number;
  account_id: number;
  region_id: number;
  operation_id: number;
  operation_class: number;
  calling_service_id: number;
  network_id: number;
  user_agent_id: number;
  vpc_endpoint_id: number;
  context_id: number;
  material_id: number;
  session: number;
  count: number;
  days: number;
  first_at: number;
  first_event: string;
  last_at: number;
  last_event: string;
}

/** Days without a pause are one stretch: what is read grows with changes of habit, not with time. */
function stretches(where: string): string {
  return `WITH d AS (
      SELECT *, coalesce(first_at - lag(last_at) OVER (PARTITION BY key_id, actor_id, profile_id ORDER BY day) > interval '${PAUSE_DAYS} days', true) AS begins
      FROM habit WHERE ${where}),
    s AS (SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY key_id, actor_id, profile_id ORDER BY day) AS stretch FROM d)
    SELECT s.key_id, s.actor_id, p.account_id, p.region_id, p.operation_id, p.operation_class, p.calling_service_id, p.network_id, p.user_agent_id,
      p.vpc_endpoint_id, p.context_id, p.material_id, p.session, sum(s.count)::float8 AS count, count(*)::int AS days,
      min(s.first_at) AS first_at, (array_agg(s.first_event ORDER BY s.day))[1] AS first_event,
      max(s.last_at) AS last_at, (array_agg(s.last_event ORDER BY s.day DESC))[1] AS last_event
    FROM s JOIN call_profile p ON p.id = s.profile_id GROUP BY s.key_id, s.actor_id, p.id, s.stretch`;
}

export async function habitsOfKeys(client: pg.ClientBase, keyIds: readonly number[], names: NameCache): Promise<HabitRow[]> {
  const { rows } = await client.query<Row>({
    name: 'habits-of-keys',
    text: stretches('key_id <> 0 AND key_id = ANY($1::int[])'),
    values: [keyIds],
  });
  return await named(client, rows, names);
}

/** Told by fewer columns, see `CallProfile`. */
export async function habitsOfCallers(client: pg.ClientBase, actorIds: readonly number[], names: NameCache): Promise<HabitRow[]> {
  const { rows } = await client.query<Row>({
    name: 'habits-of-callers',
    text: stretches('key_id = 0 AND actor_id <> 0 AND actor_id = ANY($1::int[])'),
    values: [actorIds],
  });
  return await named(client, rows, names);
}

async function named(client: pg.ClientBase, rows: readonly Row[], cache: NameCache): Promise<HabitRow[]> {
  const names = await cache.resolve(client, {
    terms: rows.flatMap((row) => [
      row.account_id,
      row.region_id,
      row.operation_id,
      row.calling_service_id,
      row.network_id,
      row.user_agent_id,
      row.vpc_endpoint_id,
      row.context_id,
      row.material_id,
    ]),
    keys: [],
    actors: rows.map((row) => row.actor_id),
    eventIds: rows.flatMap((row) => [row.first_event, row.last_event]),
  });
  return rows.map((row) => habitOf(row, names));
}

function habitOf(row: Row, names: Names): HabitRow {
  const term = (id: number): string | null => (id === 0 ? null : names.term(id));
  const operation = names.term(row.operation_id);
  const { session } = row;
  return {
    keyId: row.key_id,
    actorId: row.actor_id,
    habit: {
      actor: names.actor(row.actor_id),
      profile: {
        account: term(row.account_id),
        region: names.term(row.region_id),
        operation: operation.slice(operation.indexOf(':') + 1),
        operationClass: OPERATION_CLASSES[row.operation_class] ?? 'control',
        callingService: term(row.calling_service_id),
        network: term(row.network_id),
        userAgent: term(row.user_agent_id),
        vpcEndpoint: term(row.vpc_endpoint_id),
        contextShape: term(row.context_id),
        material: term(row.material_id),
        console: (session & SESSION_FLAGS.console) !== 0,
        mfa: (session & SESSION_FLAGS.mfaKnown) === 0 ? null : (session & SESSION_FLAGS.mfa) !== 0,
      },
      count: row.count,
      days: row.days,
      firstAt: row.first_at,
      firstEventId: names.eventId(row.first_event),
      lastAt: row.last_at,
      lastEventId: names.eventId(row.last_event),
    },
  };
}

export interface SpreadRow {
  readonly actorId: number;
  readonly spread: {
    readonly day: number;
    readonly operationClass: OperationClass;
    readonly count: number;
    readonly fresh: number;
    readonly keys: readonly string[];
    readonly evidence: readonly string[];
    readonly firstAt: number;
    readonly lastAt: number;
  };
}

interface StoredSpread {
  actor_id: number;
  day: number;
  class: number;
  count: number;
  fresh: number;
  keys: string[];
  events: string[];
  first_at: number;
  last_at: number;
}

/** How many keys callers used, and how many they read of, day by day; with the first ten. */
export async function spreadsOfCallers(client: pg.ClientBase, actorIds: readonly number[], cache: NameCache): Promise<SpreadRow[]> {
  const { rows } = await client.query<StoredSpread>({
    name: 'spreads-of-callers',
    text: `SELECT f.actor_id, f.day, f.class, count(*)::int AS count, count(*) FILTER (WHERE f.day = f.begun)::int AS fresh,
        (array_agg(k.arn ORDER BY f.first_at, f.first_event, k.arn COLLATE "C"))[1:10] AS keys,
        (array_agg(f.first_event ORDER BY f.first_at, f.first_event, k.arn COLLATE "C"))[1:10]::text[] AS events,
        min(f.first_at) AS first_at, max(f.first_at) AS last_at
      FROM (
        SELECT DISTINCT ON (h.actor_id, h.day, p.operation_class, h.key_id) h.actor_id, h.day, p.operation_class AS class, h.key_id, h.first_at, h.first_event,
          min(h.day) OVER (PARTITION BY h.actor_id, p.operation_class, h.key_id) AS begun
        FROM habit h JOIN call_profile p ON p.id = h.profile_id
        WHERE h.key_id <> 0 AND h.actor_id = ANY($1::int[]) AND p.operation_class < 2
        ORDER BY h.actor_id, h.day, p.operation_class, h.key_id, h.first_at, h.first_event) f
      JOIN kms_key k ON k.id = f.key_id GROUP BY f.actor_id, f.day, f.class`,
    values: [actorIds],
  });
  const names = await cache.resolve(client, { terms: [], keys: [], actors: [], eventIds: rows.flatMap((row) => row.events) });
  return rows.map((row) => ({
    actorId: row.actor_id,
    spread: {
      day: row.day,
      operationClass: OPERATION_CLASSES[row.class] ?? 'control',
      count: row.count,
      fresh: row.fresh,
      keys: row.keys,
      evidence: [...new Set(row.events.map((id) => names.eventId(id)))],
      firstAt: row.first_at,
      lastAt: row.last_at,
    },
  }));
}

/** Days on which cryptographic calls were recorded in the log of an account × Region, ascending; by `account/region`. */
export async function watchedDays(client: pg.ClientBase, accounts: readonly string[]): Promise<Map<string, number[]>> {
  const { rows } = await client.query<{ place: string; days: number[] }>(
    `SELECT a.value || '/' || r.value AS place, array_agg(h.day ORDER BY h.day) AS days
     FROM habit h JOIN call_profile p ON p.id = h.profile_id JOIN term a ON a.id = p.account_id JOIN term r ON r.id = p.region_id
     WHERE h.key_id = 0 AND h.actor_id = 0 AND a.value = ANY($1::text[]) GROUP BY 1`,
    [accounts],
  );
  return new Map(rows.map(({ place, days }) => [place, days]));
}

/** Callers that have habits, in id order after `after`: what an assessment must look at. */
export async function callersToAssess(pool: pg.Pool, after: number, limit: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    'SELECT DISTINCT actor_id AS id FROM habit WHERE key_id = 0 AND actor_id > $1 ORDER BY actor_id LIMIT $2',
    [after, limit],
  );
  return rows.map((row) => row.id);
}

/** How many keys and callers began to use KMS less than `days` days before `now`. */
export async function learningCounts(
  pool: pg.Pool,
  { now, days }: { now: number; days: number },
): Promise<{ key: number; caller: number }> {
  const { rows } = await pool.query<{ key: number; caller: number }>(
    `SELECT (SELECT count(*)::float8 FROM (SELECT FROM key_actor WHERE key_id > 0 AND operation_class = 0 GROUP BY key_id HAVING min(first_at) > i.since) k) AS key,
       (SELECT count(*)::float8 FROM (SELECT FROM key_actor JOIN actor ON actor.id = actor_id AND actor.type NOT IN ('aws', 'service') WHERE outcome = 0
         GROUP BY actor_id HAVING min(first_at) > i.since) a) AS caller
     FROM (SELECT to_timestamp($1::float8 / 1000.0) AS since) i`,
    [now - days * DAY],
  );
  return rows[0] ?? { key: 0, caller: 0 };
}
