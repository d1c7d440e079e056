/** Findings for showing: lists in order of urgency, one by its id, and counts. Every read is one statement and bounded. */
import type pg from 'pg';
import type { Explanation, FindingStatus } from '../../core/finding.ts';
import type { JsonObject } from '../../core/json.ts';
import { SEVERITIES, type Severity } from '../../core/severity.ts';

export interface FindingListed {
  readonly id: string;
  readonly detector: string;
  readonly severity: Severity;
  readonly status: FindingStatus;
  readonly title: string;
  readonly keyArn: string | null;
  /** Alias names that point to the key now, sorted. */
  readonly aliases: readonly string[];
  /** Canonical id of the actor. */
  readonly actor: string | null;
  /** What people call the actor. */
  readonly actorName: string | null;
  readonly account: string;
  readonly region: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly occurrences: number;
  readonly evidence: readonly string[];
  readonly explanation: Explanation;
  readonly details: JsonObject;
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
const URGENCY = `coalesce(array_position(ARRAY['${SEVERITIES.join("','")}'], f.severity), 9)`;

/** The page's own rows are chosen first, and only theirs are completed. */
const COMPLETED = `SELECT p.id, p.detector, p.severity, p.status, p.title, p.key_arn AS "keyArn", p.actor, a.name AS "actorName", p.account, p.region,
    p.first_seen AS "firstSeen", p.last_seen AS "lastSeen", p.occurrences, p.explanation, p.details, p.resolved_at AS "resolvedAt", p.resolution, p.assignee,
    p.evaluated_at AS "evaluatedAt", p.standing, p.urgency,
    ARRAY(SELECT e.event_id FROM finding_evidence e WHERE e.finding_id = p.id ORDER BY e.position) AS evidence,
    ARRAY(SELECT n.name FROM kms_key k JOIN key_alias l ON l.target_key_id = k.id JOIN kms_key n ON n.id = l.alias_id WHERE k.arn = p.key_arn ORDER BY n.name) AS aliases
  FROM page p LEFT JOIN actor a ON a.principal = p.actor`;

type Row = FindingListed & { standing: number; urgency: number };

/** The most urgent first: open before resolved, then by severity, then the latest. */
export async function readFindings(
  pool: pg.Pool,
  filter: FindingFilter,
  page: { readonly limit: number; readonly after?: FindingCursor | null },
): Promise<{ findings: FindingListed[]; next: FindingCursor | null }> {
  const [standing, urgency, lastSeen, id] = page.after ?? [-1, 0, 0, ''];
  const { rows } = await pool.query<Row>(
    `WITH page AS (
       SELECT * FROM (SELECT f.*, ${STANDING} AS standing, ${URGENCY} AS urgency FROM finding f) f
       WHERE ($1::text[] IS NULL OR severity = ANY($1)) AND ($2::text[] IS NULL OR detector = ANY($2))
         AND ($3::text[] IS NULL OR status = ANY($3)) AND ($4::text[] IS NULL OR key_arn = ANY($4))
         AND ($5::text[] IS NULL OR account = ANY($5)) AND ($6::text[] IS NULL OR actor = ANY($6))
         AND (standing, urgency) >= ($7, $8)
         AND ((standing, urgency) > ($7, $8) OR last_seen < $9 OR (last_seen = $9 AND id > $10))
       ORDER BY standing, urgency, last_seen DESC, id LIMIT $11)
     ${COMPLETED} ORDER BY p.standing, p.urgency, p.last_seen DESC, p.id`,
    [...listsOf(filter), standing, urgency, new Date(lastSeen), id, page.limit + 1],
  );
  const findings = rows.slice(0, page.limit).map(toFinding);
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return { findings, next: last ? [last.standing, last.urgency, last.lastSeen, last.id] : null };
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
  const { rows } = await pool.query<Row>(
    `WITH page AS (SELECT f.*, 0 AS standing, 0 AS urgency FROM finding f WHERE starts_with(f.id, $1) ORDER BY f.id LIMIT $2) ${COMPLETED} ORDER BY p.id`,
    [prefix, limit],
  );
  return rows.map(toFinding);
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

function toFinding({ standing: _standing, urgency: _urgency, ...finding }: Row): FindingListed {
  return finding;
}
