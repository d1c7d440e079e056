/** Alert groups for showing. */
import type pg from 'pg';

export interface GroupListed {
  readonly id: string;
  readonly groupKey: string;
  readonly receiver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly open: number;
  readonly acknowledged: number;
  readonly suppressed: number;
  readonly resolved: number;
  /** Most severe of the open ones, as `severityRank`; of all where none is open. */
  readonly rank: number;
  /** Of one of the most severe. */
  readonly title: string;
  /** When it is looked at next, epoch milliseconds; null = when something changes. */
  readonly wakeAt: number | null;
  /** The latest telling; null = it was never told. */
  readonly last: LastTelling | null;
}

export interface LastTelling {
  readonly state: 'pending' | 'delivered' | 'failed' | 'superseded';
  readonly reason: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly settledAt: number | null;
  readonly nextAttemptAt: number;
  readonly error: string | null;
}

type Row = Omit<GroupListed, 'last'> & { [K in keyof LastTelling]: LastTelling[K] | null };

/** Groups with alerts, those with open ones first, then the most severe. */
export async function listGroups(
  pool: pg.Pool,
  { limit, receivers }: { readonly limit: number; readonly receivers?: readonly string[] },
): Promise<GroupListed[]> {
  const { rows } = await pool.query<Row>(
    `SELECT g.id, g.group_key AS "groupKey", g.receiver, g.labels, a.open, a.acknowledged, a.suppressed, a.resolved, a.rank, a.title, g.wake_at AS "wakeAt",
       n.state, n.reason, n.attempts, n.created_at AS "createdAt", n.settled_at AS "settledAt", n.next_attempt_at AS "nextAttemptAt", n.last_error AS error
     FROM (
       SELECT group_id, count(*) FILTER (WHERE standing = 'open') AS open, count(*) FILTER (WHERE standing = 'acknowledged') AS acknowledged,
         count(*) FILTER (WHERE standing = 'suppressed') AS suppressed, count(*) FILTER (WHERE standing = 'resolved') AS resolved,
         coalesce(min(severity_rank) FILTER (WHERE standing = 'open'), min(severity_rank)) AS rank,
         (array_agg(view ->> 'title' ORDER BY standing <> 'open', severity_rank, finding_id))[1] AS title
       FROM alert GROUP BY group_id) a
     JOIN alert_group g ON g.id = a.group_id
     LEFT JOIN LATERAL (SELECT * FROM notification n WHERE n.group_id = g.id ORDER BY n.id DESC LIMIT 1) n ON true
     WHERE $2::text[] IS NULL OR g.receiver = ANY($2)
     ORDER BY a.open = 0, a.rank, n.id DESC NULLS LAST, g.id LIMIT $1`,
    [limit, receivers ?? null],
  );
  return rows.map(({ state, reason, attempts, createdAt, settledAt, nextAttemptAt, error, ...group }) => ({
    ...group,
    last:
      state === null || reason === null || attempts === null || createdAt === null || nextAttemptAt === null
        ? null
        : { state, reason, attempts, createdAt, settledAt, nextAttemptAt, error },
  }));
}
