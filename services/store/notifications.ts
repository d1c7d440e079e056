/**
 * The outbox: tellings of groups to receivers. Written in the transaction that decides them; sent by whoever claims them. A claim runs
 * out by itself, so that what a dead process had in hand is sent by another one. The tellings of one group are sent in their order.
 */
import type pg from 'pg';
import type { Json, JsonObject } from '../core/json.ts';
import { jsonArray, plainArray, storableJson, textArray } from './array.ts';

export interface NewNotification {
  readonly idempotencyKey: string;
  readonly groupId: string;
  readonly receiver: string;
  readonly reason: string;
  readonly sequence: number;
  readonly payload: object;
  readonly createdAt: number;
  /** When what it tells of was committed; null for a repetition. */
  readonly committedAt: number | null;
  readonly nextAttemptAt: number;
}

export interface Superseded {
  readonly groupId: string;
  /** Of the earliest. */
  readonly sequence: number;
  readonly reasons: readonly string[];
  readonly receiver: string;
  readonly committedAt: number | null;
  /** When the receiver may be tried, epoch milliseconds. */
  readonly nextAttemptAt: number;
  readonly count: number;
}

/** Withdraws what waits to be sent about the groups and is in nobody's hand: what comes now says it too. */
export async function supersede(client: pg.ClientBase, groupIds: readonly string[], now: number): Promise<Superseded[]> {
  const { rows } = await client.query<Superseded>(
    `WITH gone AS (
       UPDATE notification SET state = 'superseded', settled_at = $2, claimed_by = NULL, claimed_until = NULL
       WHERE group_id = ANY($1::text[]) AND state = 'pending' AND (claimed_until IS NULL OR claimed_until <= $2)
       RETURNING group_id, receiver, sequence, reason, committed_at, next_attempt_at)
     SELECT group_id AS "groupId", min(receiver) AS receiver, min(sequence) AS sequence, array_agg(DISTINCT reason) AS reasons, min(committed_at) AS "committedAt",
       max(next_attempt_at) AS "nextAttemptAt", count(*) AS count FROM gone GROUP BY group_id`,
    [groupIds, new Date(now)],
  );
  return rows;
}

export async function insertNotifications(client: pg.ClientBase, rows: readonly NewNotification[]): Promise<void> {
  if (rows.length === 0) return;
  const moments = (pick: (row: NewNotification) => number | null): string => plainArray(rows.map(pick));
  await client.query(
    `INSERT INTO notification (idempotency_key, group_id, receiver, reason, sequence, payload, created_at, committed_at, next_attempt_at)
     SELECT k, g, r, w, s, p, to_timestamp(c / 1000.0), to_timestamp(m / 1000.0), to_timestamp(n / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::jsonb[], $7::float8[], $8::float8[], $9::float8[])
       AS i(k, g, r, w, s, p, c, m, n)`,
    [
      textArray(rows.map((row) => row.idempotencyKey)),
      textArray(rows.map((row) => row.groupId)),
      textArray(rows.map((row) => row.receiver)),
      textArray(rows.map((row) => row.reason)),
      plainArray(rows.map((row) => row.sequence)),
      jsonArray(rows.map((row) => row.payload)),
      moments((row) => row.createdAt),
      moments((row) => row.committedAt),
      moments((row) => row.nextAttemptAt),
    ],
  );
  // Receivers that forget are told the same every few minutes: the last time is enough to keep.
  const repeated = rows.filter((row) => row.reason === 'repeat').map((row) => row.groupId);
  if (repeated.length > 0) {
    await client.query(
      "DELETE FROM notification WHERE group_id = ANY($1::text[]) AND reason = 'repeat' AND state IN ('delivered', 'superseded')",
      [repeated],
    );
  }
}

/** Groups about which something waits to be sent or is being sent. */
export async function undelivered(client: pg.ClientBase, groupIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>(
    "SELECT DISTINCT group_id AS id FROM notification WHERE group_id = ANY($1::text[]) AND state = 'pending'",
    [groupIds],
  );
  return new Set(rows.map(({ id }) => id));
}

export interface ClaimedNotification {
  readonly id: number;
  readonly groupId: string;
  readonly receiver: string;
  readonly reason: string;
  readonly payload: JsonObject;
  /** This one included. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly committedAt: number | null;
  readonly idempotencyKey: string;
  /** What the notifier remembers of the group. */
  readonly memory: Json;
}

/** Takes what may be sent to a receiver now: of every group the oldest, unless somebody has it in hand. */
export async function claim(
  pool: pg.Pool,
  { receiver, by, now, leaseMs, limit }: { receiver: string; by: string; now: number; leaseMs: number; limit: number },
): Promise<ClaimedNotification[]> {
  const { rows } = await pool.query<ClaimedNotification>({
    name: 'claim-notifications',
    text: `WITH due AS (
        SELECT n.id FROM notification n WHERE n.receiver = $1 AND n.state = 'pending' AND n.next_attempt_at <= $2 AND (n.claimed_until IS NULL OR n.claimed_until <= $2)
          AND NOT EXISTS (SELECT FROM notification e WHERE e.group_id = n.group_id AND e.id < n.id AND e.state = 'pending')
        ORDER BY n.next_attempt_at, n.id LIMIT $5 FOR UPDATE SKIP LOCKED)
      UPDATE notification n SET claimed_by = $3, claimed_until = $4, attempts = attempts + 1 FROM due, alert_group g WHERE n.id = due.id AND g.id = n.group_id
      RETURNING n.id, n.group_id AS "groupId", n.receiver, n.reason, n.payload, n.attempts, n.created_at AS "createdAt", n.committed_at AS "committedAt",
        n.idempotency_key AS "idempotencyKey", g.memory`,
    values: [receiver, new Date(now), by, new Date(now + leaseMs), limit],
  });
  return rows.toSorted((a, b) => a.id - b.id);
}

/** Keeps what is in hand; @returns whether it still is. */
export async function keepClaim(pool: pg.Pool, id: number, { by, until }: { by: string; until: number }): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'keep-claim',
    text: "UPDATE notification SET claimed_until = $3 WHERE id = $1 AND claimed_by = $2 AND state = 'pending'",
    values: [id, by, new Date(until)],
  });
  return rowCount === 1;
}

export interface Outcome {
  readonly state: 'delivered' | 'failed' | 'pending';
  readonly at: number;
  /** Reason and code, from closed lists; null when it arrived. */
  readonly error: string | null;
  /** For what stays pending. */
  readonly nextAttemptAt: number;
  /** The try does not count: the receiver was not asked. */
  readonly isUntried: boolean;
  /** Left out = as it was. */
  readonly memory?: Json;
}

/** Notes how a sending ended and lets go of it. @returns false when it is in somebody else's hand by now */
export async function settle(client: pg.ClientBase, claimed: ClaimedNotification, by: string, outcome: Outcome): Promise<boolean> {
  // The group before the notification, as grouping does, so that the two never wait for each other.
  if (outcome.memory !== undefined) {
    await client.query(
      `UPDATE alert_group SET memory = $2::jsonb WHERE id = $1
       AND EXISTS (SELECT FROM notification WHERE id = $3 AND claimed_by = $4 AND state = 'pending')`,
      [claimed.groupId, storableJson(outcome.memory), claimed.id, by],
    );
  }
  const { rowCount } = await client.query({
    name: 'settle-notification',
    text: `UPDATE notification SET state = $3, settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE $4::timestamptz END, last_error = $5, next_attempt_at = $6,
        claimed_by = NULL, claimed_until = NULL, attempts = attempts - CASE WHEN $7 THEN 1 ELSE 0 END
      WHERE id = $1 AND claimed_by = $2 AND state = 'pending'`,
    values: [claimed.id, by, outcome.state, new Date(outcome.at), outcome.error, new Date(outcome.nextAttemptAt), outcome.isUntried],
  });
  return rowCount === 1;
}

/** What waits to be sent, by receiver. */
export async function pendingByReceiver(pool: pg.Pool): Promise<{ receiver: string; count: number; oldest: number }[]> {
  const { rows } = await pool.query<{ receiver: string; count: number; oldest: number }>(
    "SELECT receiver, count(*) AS count, min(created_at) AS oldest FROM notification WHERE state = 'pending' GROUP BY receiver",
  );
  return rows;
}

/** Gives up what is addressed to receivers that there are no more. @returns how many */
export async function giveUpUnknown(pool: pg.Pool, receivers: readonly string[], now: number): Promise<number> {
  const { rowCount } = await pool.query(
    `UPDATE notification SET state = 'failed', settled_at = $2, last_error = 'misconfigured: no-such-receiver'
     WHERE state = 'pending' AND NOT receiver = ANY($1::text[]) AND (claimed_until IS NULL OR claimed_until <= $2)`,
    [receivers, new Date(now)],
  );
  return rowCount ?? 0;
}

/** Forgets what was settled before a moment. */
export async function pruneNotifications(pool: pg.Pool, before: number): Promise<void> {
  await pool.query("DELETE FROM notification WHERE state <> 'pending' AND settled_at < $1", [new Date(before)]);
}
