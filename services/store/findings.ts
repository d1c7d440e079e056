/**
 * Findings as detection derives them. Replacing is a diff: what is new is opened, what changed is updated and its change recorded,
 * what the facts no longer support is withdrawn (its history stays). Words of people (acknowledged, suppressed) survive.
 */
import type pg from 'pg';
import type { DerivedFinding, FindingStatus } from '../core/finding.ts';
import type { Json } from '../core/json.ts';
import { signalChanges } from './alerts-signals.ts';
import { jsonArray, plainArray, textArray } from './array.ts';
import { applySuppressions } from './suppressions.ts';

export type FindingChange = 'opened' | 'reopened' | 'resolved' | 'changed' | 'withdrawn';

export interface ChangedFinding {
  readonly finding: DerivedFinding;
  readonly change: FindingChange;
}

export interface Replacement {
  /** Subjects that were evaluated; all their findings are replaced. */
  readonly subjects: readonly string[];
  readonly findings: readonly { readonly subject: string; readonly finding: DerivedFinding }[];
  /** Moment of evaluation. */
  readonly at: number;
  /** When what brought the changes was committed; how long people waited to hear of it counts from here. Default `at`. */
  readonly committedAt?: number;
  /** Detectors that failed on a subject, as `subject detector`: their earlier findings stay as they are. */
  readonly keep: ReadonlySet<string>;
}

interface Existing {
  id: string;
  subject: string;
  detector: string;
  status: FindingStatus;
  severity: string;
  title: string;
  dismissed_seen: number | null;
}

export async function replaceFindings(client: pg.ClientBase, replacement: Replacement): Promise<ChangedFinding[]> {
  const { rows } = await client.query<Existing>(
    'SELECT id, subject, detector, status, severity, title, dismissed_seen FROM finding WHERE subject = ANY($1::text[])',
    [replacement.subjects],
  );
  const existing = new Map(rows.map((row) => [row.id, row]));
  const derived = new Map(replacement.findings.map(({ subject, finding }) => [finding.id, { subject, finding }]));
  const changes: { finding: DerivedFinding; change: FindingChange; from: string | null }[] = [];
  const upserts: { subject: string; finding: DerivedFinding; status: FindingStatus; dismissed: boolean }[] = [];

  for (const { subject, finding } of derived.values()) {
    const before = existing.get(finding.id);
    // A person's word holds until the finding is seen again.
    const seen = before?.dismissed_seen ?? null;
    const dismissed = seen !== null && finding.open && finding.lastSeen <= seen;
    const status = dismissed ? 'resolved' : nextStatus(before?.status ?? null, finding.open);
    upserts.push({ subject, finding, status, dismissed });
    const change = changeOf(before ?? null, { finding, status });
    if (change) changes.push({ finding, change, from: before?.status ?? null });
  }
  const withdrawn = rows.filter((row) => !derived.has(row.id) && !replacement.keep.has(`${row.subject} ${row.detector}`));

  await upsert(
    client,
    upserts.toSorted((a, b) => (a.finding.id < b.finding.id ? -1 : 1)),
    replacement.at,
  );
  if (withdrawn.length > 0) await client.query('DELETE FROM finding WHERE id = ANY($1::text[])', [withdrawn.map((row) => row.id)]);
  await recordHistory(
    client,
    [
      ...changes.map(({ finding, change, from }) => ({
        id: finding.id,
        change,
        detail: {
          from,
          severity: finding.severity,
          title: finding.title,
          occurrences: finding.occurrences,
          resolution: finding.resolution,
        },
      })),
      ...withdrawn.map((row) => ({
        id: row.id,
        change: 'withdrawn',
        detail: { from: row.status, detector: row.detector, title: row.title },
      })),
    ],
    replacement.at,
  );
  await signalChanges(client, {
    changes: [
      ...changes.map(({ finding, change }) => ({ findingId: finding.id, change })),
      ...withdrawn.map(({ id }) => ({ findingId: id, change: 'withdrawn' as const })),
    ],
    committedAt: replacement.committedAt ?? replacement.at,
  });
  const arisen = changes.filter(({ change }) => change === 'opened' || change === 'reopened').map(({ finding }) => finding.id);
  if (arisen.length > 0) await applySuppressions(client, { at: replacement.at, findings: arisen });
  return changes.map(({ finding, change }) => ({ finding, change }));
}

/** Detection opens and resolves; `acknowledged` and `suppressed` stay while the finding is open. */
function nextStatus(before: FindingStatus | null, open: boolean): FindingStatus {
  if (!open) return 'resolved';
  return before === 'acknowledged' || before === 'suppressed' ? before : 'open';
}

function changeOf(before: Existing | null, now: { finding: DerivedFinding; status: FindingStatus }): FindingChange | null {
  if (!before) return 'opened';
  if (before.status === 'resolved' && now.status !== 'resolved') return 'reopened';
  if (before.status !== 'resolved' && now.status === 'resolved') return 'resolved';
  return before.severity !== now.finding.severity || before.title !== now.finding.title ? 'changed' : null;
}

async function upsert(
  client: pg.ClientBase,
  rows: readonly { subject: string; finding: DerivedFinding; status: FindingStatus; dismissed: boolean }[],
  at: number,
): Promise<void> {
  if (rows.length === 0) return;
  const text = (pick: (finding: DerivedFinding) => string | null): string => textArray(rows.map(({ finding }) => pick(finding)));
  const json = (pick: (finding: DerivedFinding) => object): string => jsonArray(rows.map(({ finding }) => pick(finding)));
  const moment = (pick: (finding: DerivedFinding) => number | null): string => plainArray(rows.map(({ finding }) => pick(finding)));
  await client.query(
    `INSERT INTO finding (id, detector, dedup_key, subject, severity, title, status, resolved_at, resolution, key_arn, actor, account, region,
       first_seen, last_seen, occurrences, explanation, details, dismissed_seen, evaluated_at)
     SELECT id, det, dk, sub, sev, ti, st, to_timestamp(ra / 1000.0), re, ka, act, acc, reg, to_timestamp(fs / 1000.0), to_timestamp(ls / 1000.0), oc, ex, de, CASE WHEN di THEN to_timestamp(ls / 1000.0) END, $1
     FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[], $10::text[], $11::text[], $12::text[],
       $13::text[], $14::text[], $15::float8[], $16::float8[], $17::bigint[], $18::jsonb[], $19::jsonb[], $20::bool[])
       AS i(id, det, dk, sub, sev, ti, st, ra, re, ka, act, acc, reg, fs, ls, oc, ex, de, di)
     ON CONFLICT (id) DO UPDATE SET subject = excluded.subject, severity = excluded.severity, title = excluded.title, status = excluded.status,
       resolved_at = CASE WHEN excluded.dismissed_seen IS NULL THEN excluded.resolved_at ELSE finding.resolved_at END,
       resolution = CASE WHEN excluded.dismissed_seen IS NULL THEN excluded.resolution ELSE finding.resolution END,
       dismissed_seen = CASE WHEN excluded.dismissed_seen IS NULL THEN NULL ELSE finding.dismissed_seen END,
       suppression_id = CASE WHEN excluded.status = 'suppressed' THEN finding.suppression_id END, key_arn = excluded.key_arn, actor = excluded.actor,
       account = excluded.account, region = excluded.region, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
       occurrences = excluded.occurrences, explanation = excluded.explanation, details = excluded.details, evaluated_at = excluded.evaluated_at`,
    [
      new Date(at),
      text((finding) => finding.id),
      text((finding) => finding.detector),
      json((finding) => finding.dedupKey),
      textArray(rows.map((row) => row.subject)),
      text((finding) => finding.severity),
      text((finding) => finding.title),
      textArray(rows.map((row) => row.status)),
      moment((finding) => finding.resolvedAt),
      text((finding) => finding.resolution),
      text((finding) => finding.keyArn),
      text((finding) => finding.actor),
      text((finding) => finding.account),
      text((finding) => finding.region),
      moment((finding) => finding.firstSeen),
      moment((finding) => finding.lastSeen),
      moment((finding) => finding.occurrences),
      json((finding) => finding.explanation),
      json((finding) => finding.details),
      plainArray(rows.map((row) => String(row.dismissed))),
    ],
  );
  const evidence = rows.flatMap(({ finding }) => finding.evidence.map((eventId, position) => ({ id: finding.id, position, eventId })));
  await client.query('DELETE FROM finding_evidence WHERE finding_id = ANY($1::text[])', [rows.map(({ finding }) => finding.id)]);
  await client.query(
    'INSERT INTO finding_evidence (finding_id, position, event_id) SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[])',
    [
      textArray(evidence.map((entry) => entry.id)),
      plainArray(evidence.map((entry) => entry.position)),
      textArray(evidence.map((entry) => entry.eventId)),
    ],
  );
}

async function recordHistory(
  client: pg.ClientBase,
  entries: readonly { id: string; change: string; detail: Json }[],
  at: number,
): Promise<void> {
  if (entries.length === 0) return;
  await client.query(
    `INSERT INTO finding_history (finding_id, at, change, by, detail) SELECT f, $1, c, 'detection', d FROM unnest($2::text[], $3::text[], $4::jsonb[]) AS i(f, c, d)`,
    [
      new Date(at),
      textArray(entries.map((entry) => entry.id)),
      textArray(entries.map((entry) => entry.change)),
      jsonArray(entries.map((entry) => entry.detail as object)),
    ],
  );
}

/** Names of subjects that have findings, in order after `after`. */
export async function subjectsWithFindings(pool: pg.Pool, after: string, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ subject: string }>(
    'SELECT DISTINCT subject COLLATE "C" AS subject FROM finding WHERE subject COLLATE "C" > $1 ORDER BY 1 LIMIT $2',
    [after, limit],
  );
  return rows.map((row) => row.subject);
}
