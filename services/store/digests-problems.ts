/** What is wrong with trails, how each account and Region stands, and how often which verdict was reached. */
import type pg from 'pg';
import type { INTEGRITY_STANDINGS } from '../core/metrics.ts';
import { plainArray, textArray } from './array.ts';

export interface TrailProblem {
  readonly bucket: string;
  readonly key: string;
  readonly verdict: string;
  readonly account: string;
  readonly region: string;
  readonly trail: string | null;
  readonly reason: string;
  /** The delivery time that it concerns, epoch milliseconds. */
  readonly begin: number | null;
  readonly end: number;
}

/** One account × Region below one prefix of a bucket. */
export interface AreaName {
  readonly bucket: string;
  /** `[prefix/]AWSLogs/[O-ID/]ACCOUNT/` */
  readonly place: string;
  readonly account: string;
  readonly region: string;
}

export type AreaStanding = (typeof INTEGRITY_STANDINGS)[number];

export interface AreaCheck extends AreaName {
  readonly standing: AreaStanding;
  readonly reason: string | null;
  /** Delivery time up to which all was looked at, epoch milliseconds; null = none of it. What was said before is never taken back. */
  readonly checkedUntil: number | null;
  /** End of the newest digest that was found sound. */
  readonly verifiedUntil: number | null;
}

export interface AreaState {
  readonly checkedAt: number | null;
  readonly checkedUntil: number | null;
  /** Unresolved problems, the oldest first. */
  readonly open: readonly TrailProblem[];
}

export async function areaState(pool: pg.Pool, { bucket, place, account, region }: AreaName): Promise<AreaState> {
  const { rows } = await pool.query<{ checkedAt: number; checkedUntil: number | null }>(
    'SELECT checked_at AS "checkedAt", checked_until AS "checkedUntil" FROM integrity_area WHERE bucket = $1 AND place = $2 AND region = $3',
    [bucket, place, region],
  );
  const { rows: open } = await pool.query<TrailProblem>(
    `SELECT bucket, object_key AS key, verdict, account, region, trail, reason, begins_at AS begin, ends_at AS end FROM integrity_problem
     WHERE account = $1 AND bucket = $2 AND region = $3 AND starts_with(object_key, $4) AND resolved_at IS NULL ORDER BY ends_at, object_key`,
    [account, bucket, region, place],
  );
  return { checkedAt: rows[0]?.checkedAt ?? null, checkedUntil: rows[0]?.checkedUntil ?? null, open };
}

export async function writeArea(client: pg.Pool | pg.ClientBase, area: AreaCheck, at: number): Promise<void> {
  const moment = (time: number | null): Date | null => (time === null ? null : new Date(time));
  await client.query(
    `INSERT INTO integrity_area AS t (bucket, place, account, region, standing, reason, checked_at, checked_until, verified_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (bucket, place, region) DO UPDATE SET standing = excluded.standing, reason = excluded.reason, checked_at = excluded.checked_at,
       checked_until = greatest(t.checked_until, excluded.checked_until), verified_until = greatest(t.verified_until, excluded.verified_until)`,
    [
      area.bucket,
      area.place,
      area.account,
      area.region,
      area.standing,
      area.reason?.slice(0, 1000) ?? null,
      new Date(at),
      moment(area.checkedUntil),
      moment(area.verifiedUntil),
    ],
  );
}

/** Accounts and Regions of a bucket that were looked at before, but not since a moment. */
export async function areasNotChecked(
  pool: pg.Pool,
  { bucket, below, since }: { readonly bucket: string; readonly below: string; readonly since: number },
): Promise<{ account: string; region: string; place: string }[]> {
  const { rows } = await pool.query<{ account: string; region: string; place: string }>(
    `SELECT account, region, place FROM integrity_area WHERE bucket = $1 AND starts_with(place, $2) AND region <> '' AND checked_at < $3
     ORDER BY place, region`,
    [bucket, below, new Date(since)],
  );
  return rows;
}

/** Of a bucket that cannot be listed nothing is known, except of what was looked at in this hour. */
export async function distrustBucket(
  pool: pg.Pool,
  bucket: string,
  { place, reason, hour, at }: { readonly place: string; readonly reason: string; readonly hour: number; readonly at: number },
): Promise<void> {
  await pool.query(
    `UPDATE integrity_area SET standing = 'unknown', reason = $2, checked_at = $3 WHERE bucket = $1 AND starts_with(place, $4) AND checked_at < $5`,
    [bucket, reason.slice(0, 1000), new Date(at), place, new Date(hour)],
  );
  await writeArea(
    pool,
    { bucket, place, account: '', region: '', standing: 'unknown', reason, checkedUntil: null, verifiedUntil: null },
    at,
  );
}

/** Takes back what `distrustBucket` said of a bucket as a whole. */
export async function trustBucket(pool: pg.Pool, bucket: string, place: string): Promise<void> {
  await pool.query(`DELETE FROM integrity_area WHERE bucket = $1 AND place = $2 AND region = ''`, [bucket, place]);
}

/** Writes problems that were found, and those that are not any more. @returns the verdicts of those that are new or back, and how many are resolved */
export async function recordProblems(
  client: pg.ClientBase,
  { found, resolved, at }: { readonly found: readonly TrailProblem[]; readonly resolved: readonly TrailProblem[]; readonly at: number },
): Promise<{ opened: string[]; resolved: number }> {
  const byKey = new Map(found.map((problem) => [`${problem.bucket}/${problem.key} ${problem.verdict}`, problem]));
  const rows = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, problem]) => problem);
  const text = (list: readonly TrailProblem[], pick: (problem: TrailProblem) => string | null): string => textArray(list.map(pick));
  let opened: string[] = [];
  if (rows.length > 0) {
    const { rows: fresh } = await client.query<{ verdict: string }>(
      `SELECT v AS verdict FROM unnest($1::text[], $2::text[], $3::text[]) AS i(b, k, v) WHERE NOT EXISTS (
         SELECT FROM integrity_problem p WHERE (p.bucket, p.object_key, p.verdict) = (i.b, i.k, i.v) AND p.resolved_at IS NULL)`,
      [text(rows, ({ bucket }) => bucket), text(rows, ({ key }) => key), text(rows, ({ verdict }) => verdict)],
    );
    opened = fresh.map(({ verdict }) => verdict);
    await client.query(
      `INSERT INTO integrity_problem AS t (bucket, object_key, verdict, account, region, trail, reason, begins_at, ends_at, found_at, checked_at)
       SELECT b, k, v, a, r, tr, re, to_timestamp(f / 1000.0), to_timestamp(e / 1000.0), to_timestamp($10 / 1000.0), to_timestamp($10 / 1000.0)
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::float8[]) AS i(b, k, v, a, r, tr, re, f, e)
       ON CONFLICT (bucket, object_key, verdict) DO UPDATE SET reason = excluded.reason, trail = excluded.trail, begins_at = excluded.begins_at,
         ends_at = excluded.ends_at, checked_at = excluded.checked_at, resolved_at = NULL`,
      [
        text(rows, ({ bucket }) => bucket),
        text(rows, ({ key }) => key),
        text(rows, ({ verdict }) => verdict),
        text(rows, ({ account }) => account),
        text(rows, ({ region }) => region),
        text(rows, ({ trail }) => trail),
        text(rows, ({ reason }) => reason),
        plainArray(rows.map(({ begin }) => begin)),
        plainArray(rows.map(({ end }) => end)),
        at,
      ],
    );
  }
  const gone = resolved.filter((problem) => !byKey.has(`${problem.bucket}/${problem.key} ${problem.verdict}`));
  if (gone.length === 0) return { opened, resolved: 0 };
  const { rowCount } = await client.query(
    `UPDATE integrity_problem p SET resolved_at = to_timestamp($4 / 1000.0) FROM unnest($1::text[], $2::text[], $3::text[]) AS i(b, k, v)
     WHERE (p.bucket, p.object_key, p.verdict) = (i.b, i.k, i.v) AND p.resolved_at IS NULL`,
    [text(gone, ({ bucket }) => bucket), text(gone, ({ key }) => key), text(gone, ({ verdict }) => verdict), at],
  );
  return { opened, resolved: rowCount ?? 0 };
}

/** Counts verdicts of digests and log files as they are reached. */
export async function addIntegrityTotals(client: pg.ClientBase, kind: 'digest' | 'log-file', verdicts: readonly string[]): Promise<void> {
  if (verdicts.length === 0) return;
  await client.query(
    `INSERT INTO integrity_total AS t (kind, verdict, count) SELECT $1, v, count(*) FROM unnest($2::text[]) AS i(v) GROUP BY v ORDER BY v
     ON CONFLICT (kind, verdict) DO UPDATE SET count = t.count + excluded.count`,
    [kind, textArray(verdicts)],
  );
}

export interface IntegrityTotals {
  readonly verdicts: readonly { readonly kind: string; readonly verdict: string; readonly count: number }[];
  readonly areas: readonly { readonly standing: string; readonly count: number }[];
  /** The least of all accounts and Regions that ever verified, epoch milliseconds; null when none has. */
  readonly verifiedUntil: number | null;
}

export async function integrityTotals(pool: pg.Pool): Promise<IntegrityTotals> {
  const [verdicts, areas, until] = await Promise.all([
    pool.query<IntegrityTotals['verdicts'][number]>('SELECT kind, verdict, count::float8 FROM integrity_total'),
    pool.query<IntegrityTotals['areas'][number]>('SELECT standing, count(*)::float8 AS count FROM integrity_area GROUP BY standing'),
    pool.query<{ until: number | null }>("SELECT min(verified_until) AS until FROM integrity_area WHERE standing <> 'not-enabled'"),
  ]);
  return { verdicts: verdicts.rows, areas: areas.rows, verifiedUntil: until.rows[0]?.until ?? null };
}

export interface AccountProblem {
  readonly region: string;
  readonly trail: string | null;
  readonly verdict: string;
  readonly bucket: string;
  readonly key: string;
  readonly reason: string;
  readonly begin: number | null;
  readonly end: number;
  readonly resolvedAt: number | null;
}

/** Problems that one account's findings are told with; beyond that only the first count. */
const MOST_PROBLEMS = 1_000;

/** What was found wrong with the trails of accounts, by account: what is still wrong first, then in order of time. */
export async function problemsOfAccounts(client: pg.ClientBase, accounts: readonly string[]): Promise<Map<string, AccountProblem[]>> {
  const { rows } = await client.query<AccountProblem & { account: string }>(
    `SELECT account, region, trail, verdict, bucket, key, reason, begin, "end", "resolvedAt" FROM (
       SELECT account, region, trail, verdict, bucket, object_key AS key, reason, begins_at AS begin, ends_at AS "end", resolved_at AS "resolvedAt",
         row_number() OVER (PARTITION BY account ORDER BY resolved_at IS NOT NULL, ends_at DESC, object_key COLLATE "C", verdict) AS nth
       FROM integrity_problem WHERE account = ANY($1::text[])) p
     WHERE nth <= ${MOST_PROBLEMS} ORDER BY account, "end", key COLLATE "C", verdict`,
    [textArray(accounts)],
  );
  const byAccount = new Map<string, AccountProblem[]>();
  for (const { account, ...problem } of rows) {
    const list = byAccount.get(account);
    if (list) list.push(problem);
    else byAccount.set(account, [problem]);
  }
  return byAccount;
}
