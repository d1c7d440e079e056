/** Findings for showing: lists in order of urgency, one by its id, and counts. Every read is one statement and bounded. */
import type pg from 'pg';
import type { Explanation, FindingStatus } from '../../core/finding.ts';
import type { JsonObject } from '../../core/json.ts';
import { SEVERITIES, type Severity } from '../../core/severity.ts';

export interface FindingBrief {
  readonly id: string;
  readonly detector: string;
  readonly severity: Severity;
  readonly status: FindingStatus;
  readonly title: string;
  readonly keyArn: string | null;
  /** Canonical id of the actor. */
  readonly actor: string | null;
  readonly account: string;
  readonly region: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly occurrences: number;
  readonly evidence: readonly string[];
  readonly details: JsonObject;
}

export interface FindingListed extends FindingBrief {
  /** Alias names that point to the key now, sorted. */
  readonly aliases: readonly string[];
  /** What people call the actor. */
  readonly actorName: string | null;
  readonly explanation: Explanation;
  readonly resolvedAt: number | null;
  readonly resolution: string | null;
  readonly assignee: string | null;
  readonly evaluatedAt: number;
}

/** A list that is left out or empty asks for everything. */
export interface FindingFilter {
  readonly severities?: readonly string[];
  readonly detectors?: readonly string[];
  readonly statuses?: readonly string[];
  readonly keyArns?: readonly string[];
  readonly accounts?: readonly string[];
  readonly actors?: readonly string[];
}

/** Where the next page begins; opaque to callers. */
export type FindingCursor = readonly [standing: number, severity: number, lastSeen: number, id: string];

const STANDING = "CASE f.status WHEN 'open' THEN 0 WHEN 'acknowledged' THEN 0 WHEN 'resolved' THEN 1 ELSE 2 END";
const STANDINGS: Readonly<Record<FindingStatus, number>> = { open: 0, acknowledged: 0, resolved: 1, suppressed: 2 };
const URGENCY = `coalesce(array_position(ARRAY['${SEVERITIES.join("','")}'], f.severity), 9)`;
/** Postgres counts from one. */
const URGENCIES = [...SEVERITIES.map((_, at) => at + 1), 9];

const BRIEF = `p.id, p.detector, p.severity, p.status, p.title, p.key_arn AS "keyArn", p.actor, p.account, p.region,
    p.first_seen AS "firstSeen", p.last_seen AS "lastSeen", p.occurrences, p.details, p.standing, p.urgency,
    coalesce(w.evidence, '[]') AS evidence`;

/** The page's own rows are chosen first, and only theirs are completed: their evidence in one pass, not row by row. */
const PAGE = `page p LEFT JOIN (
    SELECT e.finding_id, json_agg(e.event_id ORDER BY e.position) AS evidence FROM finding_evidence e
    WHERE e.finding_id = ANY(ARRAY(SELECT id FROM page)) GROUP BY e.finding_id) w ON w.finding_id = p.id`;

const COMPLETED = `SELECT ${BRIEF}, a.name AS "actorName", p.explanation, p.resolved_at AS "resolvedAt", p.resolution, p.assignee, p.evaluated_at AS "evaluatedAt",
    ARRAY(SELECT n.name FROM kms_key k JOIN key_alias l ON l.target_key_id = k.id JOIN kms_key n ON n.id = l.alias_id WHERE k.arn = p.key_arn ORDER BY n.name) AS aliases
  FROM ${PAGE} LEFT JOIN actor a ON a.principal = p.actor`;

type Place = { readonly standing: number; readonly urgency: number };

export interface FindingPage<T> {
  readonly findings: readonly T[];
  /** Null on the last page. */
  readonly next: FindingCursor | null;
}

interface PageWanted {
  readonly limit: number;
  readonly after?: FindingCursor | null;
}

/** The most urgent first: open before resolved, then by severity, then the latest. */
export async function readFindings(pool: pg.Pool, filter: FindingFilter, page: PageWanted): Promise<FindingPage<FindingListed>> {
  return pageOf(await choose<FindingListed & Place>(pool, { filter, page, completion: COMPLETED }), page.limit);
}

/** The same without what only people read. */
export async function readFindingBriefs(pool: pg.Pool, filter: FindingFilter, page: PageWanted): Promise<FindingPage<FindingBrief>> {
  return pageOf(
    await choose<FindingBrief & Place>(pool, { filter, page, completion: `SELECT ${BRIEF} FROM ${PAGE}`, name: 'findings' }),
    page.limit,
  );
}

interface Choice {
  readonly filter: FindingFilter;
  readonly page: PageWanted;
  readonly completion: string;
  /** For statements that are worth preparing. */
  readonly name?: string;
}

/**
 * A page and one row more. The order is that of an index: its stretches, one for each standing and urgency, are read in turn from where the
 * page begins until the page is full, so that the work does not grow with the number of findings or of pages before.
 */
async function choose<T extends Place>(pool: pg.Pool, { filter, page, completion, name }: Choice): Promise<T[]> {
  const stretches = stretchesOf(filter, page.after ?? null);
  const values: unknown[] = [
    stretches.map(({ standing }) => standing),
    stretches.map(({ urgency }) => urgency),
    stretches.map(({ until }) => until),
    stretches.map(({ after }) => after),
  ];
  const wanted = CONDITIONS.flatMap(({ column, listOf }) => {
    const list = listOf(filter);
    return list.length === 0 ? [] : [{ column, list }];
  });
  const conditions = wanted.map(({ column, list: [first, ...others] }) => {
    values.push(others.length === 0 ? first : [first, ...others]);
    return others.length === 0 ? ` AND f.${column} = $${values.length}` : ` AND f.${column} = ANY($${values.length}::text[])`;
  });
  // Without conditions the server keeps a plan only if it knows the limit; with one, knowing it would lead it into a plan for many rows.
  const limit = wanted.length === 0 ? String(Math.trunc(page.limit) + 1) : `$${values.push(page.limit + 1)}`;
  const text = `WITH page AS (
      SELECT f.*, s.standing, s.urgency
      FROM (SELECT * FROM unnest($1::integer[], $2::integer[], $3::float8[], $4::text[]) AS s(standing, urgency, until, after) ORDER BY standing, urgency) s
      CROSS JOIN LATERAL (
        SELECT * FROM finding f WHERE ${STANDING} = s.standing AND ${URGENCY} = s.urgency
          AND f.last_seen <= to_timestamp(s.until / 1000) AND (f.last_seen < to_timestamp(s.until / 1000) OR f.id > s.after)${conditions.join('')}
        ORDER BY f.last_seen DESC, f.id LIMIT ${limit}) f
      ORDER BY s.standing, s.urgency, f.last_seen DESC, f.id LIMIT ${limit})
    ${completion} ORDER BY p.standing, p.urgency, p.last_seen DESC, p.id`;
  // Every combination of filters is a statement of its own: only the simple ones are kept by the server.
  const isSimple = wanted.length <= 1 && wanted.every(({ list }) => list.length === 1);
  const { rows } = await pool.query<T>({
    text,
    values,
    ...(name !== undefined && isSimple && { name: [name, ...wanted.map(({ column }) => column), limit].join('-') }),
  });
  return rows;
}

const CONDITIONS: readonly { readonly column: string; listOf(filter: FindingFilter): readonly string[] }[] = [
  { column: 'detector', listOf: ({ detectors = [] }) => detectors },
  // Of the statuses of a standing one may be unwanted.
  { column: 'status', listOf: ({ statuses = [] }) => (statuses.includes('open') === statuses.includes('acknowledged') ? [] : statuses) },
  { column: 'key_arn', listOf: ({ keyArns = [] }) => keyArns },
  { column: 'account', listOf: ({ accounts = [] }) => accounts },
  { column: 'actor', listOf: ({ actors = [] }) => actors },
];

/** Rows of a stretch come from `until` backwards; those of that very moment, after this id. */
type Stretch = Place & { readonly until: number; readonly after: string };

function stretchesOf({ statuses = [], severities = [] }: FindingFilter, cursor: FindingCursor | null): Stretch[] {
  const standings =
    statuses.length === 0 ? [0, 1, 2] : [0, 1, 2].filter((each) => statuses.some((status) => STANDINGS[status as FindingStatus] === each));
  const urgencies =
    severities.length === 0 ? URGENCIES : URGENCIES.filter((each) => severities.some((severity) => SEVERITIES[each - 1] === severity));
  const all = standings.flatMap((standing) =>
    urgencies.map((urgency) => ({ standing, urgency, until: Number.POSITIVE_INFINITY, after: '' })),
  );
  if (cursor === null) return all;
  const [standing, urgency, until, after] = cursor;
  const before = (place: Place): number => place.standing - standing || place.urgency - urgency;
  return all.filter((place) => before(place) >= 0).map((place) => (before(place) === 0 ? { ...place, until, after } : place));
}

function pageOf<T extends { readonly id: string; readonly lastSeen: number }>(rows: readonly (T & Place)[], limit: number): FindingPage<T> {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { findings: rows.slice(0, limit), next: last ? [last.standing, last.urgency, last.lastSeen, last.id] : null };
}

export async function countFindings(pool: pg.Pool, filter: FindingFilter = {}): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*) AS count FROM finding WHERE ($1::text[] IS NULL OR severity = ANY($1)) AND ($2::text[] IS NULL OR detector = ANY($2))
       AND ($3::text[] IS NULL OR status = ANY($3)) AND ($4::text[] IS NULL OR key_arn = ANY($4))
       AND ($5::text[] IS NULL OR account = ANY($5)) AND ($6::text[] IS NULL OR actor = ANY($6))`,
    listsOf(filter),
  );
  return rows[0]?.count ?? 0;
}

/** How many findings each detector has, whatever their status; in order of the detectors' ids. */
export async function findingsByDetector(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ detector: string; count: number }>(
    'SELECT detector, count(*) AS count FROM finding GROUP BY detector ORDER BY detector',
  );
  return Object.fromEntries(rows.map((row) => [row.detector, row.count]));
}

/** Findings whose id begins so: at most `limit` of them, so that a caller sees whether the prefix is unique. */
export async function findFindings(pool: pg.Pool, prefix: string, limit: number): Promise<FindingListed[]> {
  const { rows } = await pool.query<FindingListed>(
    `WITH page AS (SELECT f.*, 0 AS standing, 0 AS urgency FROM finding f WHERE starts_with(f.id, $1) ORDER BY f.id LIMIT $2) ${COMPLETED} ORDER BY p.id`,
    [prefix, limit],
  );
  return rows;
}

export interface FindingHistoryEntry {
  readonly at: number;
  readonly change: string;
  readonly by: string;
  readonly detail: JsonObject;
}

/** What happened to a finding, latest last; the last `limit` changes. */
export async function readHistory(pool: pg.Pool, findingId: string, limit: number): Promise<FindingHistoryEntry[]> {
  const { rows } = await pool.query<FindingHistoryEntry>(
    'SELECT at, change, by, detail FROM finding_history WHERE finding_id = $1 ORDER BY id DESC LIMIT $2',
    [findingId, limit],
  );
  return rows.toReversed();
}

function listsOf(filter: FindingFilter): (readonly string[] | null)[] {
  const list = (values: readonly string[] = []): readonly string[] | null => (values.length > 0 ? values : null);
  return [filter.severities, filter.detectors, filter.statuses, filter.keyArns, filter.accounts, filter.actors].map((values) =>
    list(values),
  );
}
