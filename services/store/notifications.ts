import type pg from 'pg';
import type { JsonObject } from '../core/json.ts';

export interface PendingNotification {
  readonly id: number;
  readonly idempotencyKey: string;
  readonly findingId: string;
  readonly change: string;
  readonly receiver: string;
  readonly payload: JsonObject;
}

/** Takes pending notifications for delivery; rows stay locked until the client's transaction ends, so that two workers never send the same. */
export async function takePending(client: pg.ClientBase, limit: number): Promise<PendingNotification[]> {
  const { rows } = await client.query<PendingNotification>(
    `SELECT id, idempotency_key AS "idempotencyKey", finding_id AS "findingId", change, receiver, payload FROM notification
     WHERE state = 'pending' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
  return rows;
}

export async function markDelivered(client: pg.ClientBase, ids: readonly number[], at: number): Promise<void> {
  await client.query(
    "UPDATE notification SET state = 'delivered', attempts = attempts + 1, delivered_at = $2 WHERE id = ANY($1::bigint[])",
    [ids, new Date(at)],
  );
}
