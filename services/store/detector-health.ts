/** What is known of the detectors' work: when each last judged and fired, what it cost, which of its events arrive. */
import type pg from 'pg';
import { plainArray, textArray } from './array.ts';

export interface Evaluated {
  readonly detector: string;
  readonly evaluations: number;
  readonly matches: number;
  readonly milliseconds: number;
}

/** Adds to the sums; in order of id, so that processes do not deadlock. */
export async function addEvaluations(pool: pg.Pool, evaluated: readonly Evaluated[], at: number): Promise<void> {
  if (evaluated.length === 0) return;
  const rows = evaluated.toSorted((a, b) => (a.detector < b.detector ? -1 : 1));
  await pool.query(
    `INSERT INTO detector_health AS t (detector, evaluated_at, evaluations, matches, milliseconds)
     SELECT d, $1, e, m, ms FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::float8[]) AS i(d, e, m, ms)
     ON CONFLICT (detector) DO UPDATE SET evaluated_at = greatest(t.evaluated_at, excluded.evaluated_at), evaluations = t.evaluations + excluded.evaluations,
       matches = t.matches + excluded.matches, milliseconds = t.milliseconds + excluded.milliseconds`,
    [
      new Date(at),
      textArray(rows.map(({ detector }) => detector)),
      plainArray(rows.map(({ evaluations }) => evaluations)),
      plainArray(rows.map(({ matches }) => matches)),
      plainArray(rows.map(({ milliseconds }) => milliseconds)),
    ],
  );
}

export interface DetectorRecord {
  readonly evaluatedAt: number | null;
  readonly evaluations: number;
  readonly milliseconds: number;
  /** Event time of the latest match that is on record. */
  readonly firedAt: number | null;
  readonly open: number;
}

export async function readDetectorRecords(pool: pg.Pool): Promise<Map<string, DetectorRecord>> {
  const { rows } = await pool.query<DetectorRecord & { detector: string }>(
    `SELECT coalesce(h.detector, f.detector) AS detector, h.evaluated_at AS "evaluatedAt", coalesce(h.evaluations, 0) AS evaluations,
       coalesce(h.milliseconds, 0) AS milliseconds, f.fired AS "firedAt", coalesce(f.open, 0) AS open
     FROM detector_health h FULL JOIN (
       SELECT detector, max(last_seen) AS fired, count(*) FILTER (WHERE status IN ('open', 'acknowledged'))::int AS open FROM finding GROUP BY detector) f
       ON f.detector = h.detector`,
  );
  return new Map(rows.map(({ detector, ...row }) => [detector, row]));
}

/** When the operations were last seen, `service:Operation` -> hour, within the time since. */
export async function lastSeenOperations(pool: pg.Pool, since: number): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ operation: string; hour: number }>(
    `SELECT t.value AS operation, a.hour FROM (SELECT operation_id, max(hour) AS hour FROM activity_call WHERE hour >= $1 GROUP BY operation_id) a
     JOIN term t ON t.id = a.operation_id`,
    [new Date(since)],
  );
  return new Map(rows.map(({ operation, hour }) => [operation, hour]));
}
