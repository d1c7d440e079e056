/**
 * Signals that findings changed, left in the transaction of the change. Grouping reads the finding itself, so a signal that comes
 * twice, or late, or in another order, does no harm.
 */
import type pg from 'pg';
import type { FindingChange } from './findings.ts';
import { textArray } from './array.ts';

/** `rerouted`: the routes changed, not the finding; `acknowledged`, `suppressed`, `assigned`: a person's word. */
export type SignalledChange = FindingChange | 'acknowledged' | 'unacknowledged' | 'suppressed' | 'unsuppressed' | 'rerouted';

/** Says that findings changed, for their groups; whoever changes a finding calls it in the same transaction. Committed changes are heard of within a second. */
export async function signalChanges(
  client: pg.ClientBase,
  signal: {
    readonly changes: readonly { readonly findingId: string; readonly change: SignalledChange }[];
    /** Epoch milliseconds. */
    readonly committedAt: number;
  },
): Promise<void> {
  if (signal.changes.length === 0) return;
  await client.query(
    `INSERT INTO finding_change (finding_id, change, committed_at) SELECT f, c, $1 FROM unnest($2::text[], $3::text[]) AS i(f, c)`,
    [
      new Date(signal.committedAt),
      textArray(signal.changes.map(({ findingId }) => findingId)),
      textArray(signal.changes.map(({ change }) => change)),
    ],
  );
}

/** Signals every finding that is open or in a group: the routes are others now. */
export async function signalReroute(client: pg.ClientBase, at: number): Promise<void> {
  await client.query(
    `INSERT INTO finding_change (finding_id, change, committed_at)
     SELECT id, 'rerouted', $1 FROM (SELECT id FROM finding WHERE status <> 'resolved' UNION SELECT finding_id FROM alert) known`,
    [new Date(at)],
  );
}

export interface Signal {
  readonly findingId: string;
  /** Whether nothing but the routes changed. */
  readonly reroutedOnly: boolean;
  /** It was opened or re-opened, whatever came after. */
  readonly isNew: boolean;
  /** Of the earliest change, epoch milliseconds. */
  readonly committedAt: number;
}

/** Takes the oldest signals away, one for each finding. The caller is the only one that takes them. */
export async function takeSignals(client: pg.ClientBase, limit: number): Promise<{ signals: Signal[]; count: number }> {
  const { rows } = await client.query<Signal & { count: number }>(
    `WITH taken AS (DELETE FROM finding_change WHERE id IN (SELECT id FROM finding_change ORDER BY id LIMIT $1) RETURNING finding_id, change, committed_at)
     SELECT finding_id AS "findingId", bool_and(change = 'rerouted') AS "reroutedOnly", bool_or(change IN ('opened', 'reopened')) AS "isNew",
       min(committed_at) AS "committedAt", count(*) AS count FROM taken GROUP BY finding_id ORDER BY finding_id`,
    [limit],
  );
  return { signals: rows.map(({ count: _count, ...signal }) => signal), count: rows.reduce((sum, row) => sum + row.count, 0) };
}

export async function hasSignals(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query({ name: 'has-signals', text: 'SELECT FROM finding_change LIMIT 1' });
  return rows.length > 0;
}
