/**
 * Which finding is in which alert group, and what was told of it there. Everything is set-based: a number of statements that does not
 * depend on how many findings and groups are worked on. One process at a time changes it, under `lockAlerts`.
 */
import type pg from 'pg';
import type { Explanation, FindingStatus } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';
import type { Severity } from '../core/severity.ts';
import { jsonArray, plainArray, textArray } from './array.ts';

/** A finding with what its labels and its telling are made of. */
export interface FindingToPlace {
  readonly id: string;
  readonly detector: string;
  readonly severity: Severity;
  readonly status: FindingStatus;
  readonly title: string;
  readonly explanation: Explanation;
  readonly keyArn: string | null;
  /** First alias or id of the key. */
  readonly keyName: string | null;
  readonly actor: string | null;
  readonly account: string;
  readonly region: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly resolvedAt: number | null;
  readonly occurrences: number;
  /** Tags of the key, those that it has now. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface AlertRow {
  readonly groupId: string;
  readonly findingId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rank: number;
  readonly standing: FindingStatus;
  /** What is told of it. */
  readonly view: JsonObject;
  /** The finding was opened or re-opened, so that it is worth telling though it may be over. */
  readonly isNew: boolean;
  readonly committedAt: number;
}

export interface GroupRow {
  readonly groupId: string;
  readonly groupKey: string;
  readonly route: string;
  readonly receiver: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Until the transaction ends, nobody else places or tells alerts. */
export async function lockAlerts(client: pg.ClientBase): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('kmswatch alerts', 0))");
}

export async function readFindingsToPlace(client: pg.ClientBase, ids: readonly string[]): Promise<FindingToPlace[]> {
  const { rows } = await client.query<FindingToPlace>(
    `SELECT f.id, f.detector, f.severity, f.status, f.title, f.explanation, f.key_arn AS "keyArn", f.actor, f.account, f.region,
       f.first_seen AS "firstSeen", f.last_seen AS "lastSeen", f.resolved_at AS "resolvedAt", f.occurrences,
       coalesce((SELECT min(n.name) FROM key_alias l JOIN kms_key n ON n.id = l.alias_id WHERE l.target_key_id = k.id), k.name) AS "keyName",
       (SELECT coalesce(jsonb_object_agg(tag, fact ->> 'value') FILTER (WHERE fact ->> 'value' IS NOT NULL), '{}')
        FROM jsonb_each(CASE WHEN jsonb_typeof(k.facts -> 'tags') = 'object' THEN k.facts -> 'tags' ELSE '{}' END) AS t(tag, fact)) AS tags
     FROM finding f LEFT JOIN kms_key k ON k.arn = f.key_arn WHERE f.id = ANY($1::text[]) ORDER BY f.id`,
    [ids],
  );
  return rows;
}

export async function ensureGroups(client: pg.ClientBase, groups: readonly GroupRow[]): Promise<void> {
  const rows = groups.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1));
  await client.query(
    `INSERT INTO alert_group (id, group_key, route, receiver, labels)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[]) ON CONFLICT DO NOTHING`,
    [
      textArray(rows.map((row) => row.groupId)),
      textArray(rows.map((row) => row.groupKey)),
      textArray(rows.map((row) => row.route)),
      textArray(rows.map((row) => row.receiver)),
      jsonArray(rows.map((row) => row.labels)),
    ],
  );
}

/** Alerts that are over before anybody placed them are only kept when they are new. */
export async function placeAlerts(client: pg.ClientBase, alerts: readonly AlertRow[]): Promise<void> {
  await client.query(
    `INSERT INTO alert (group_id, finding_id, labels, severity_rank, standing, view, since, committed_at)
     SELECT g, f, l, r, s, v, to_timestamp(c / 1000.0), to_timestamp(c / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::smallint[], $5::text[], $6::jsonb[], $7::boolean[], $8::float8[]) AS i(g, f, l, r, s, v, n, c)
     WHERE s <> 'resolved' OR n OR EXISTS (SELECT FROM alert a WHERE a.group_id = g AND a.finding_id = f)
     ON CONFLICT (group_id, finding_id) DO UPDATE SET labels = excluded.labels, severity_rank = excluded.severity_rank, standing = excluded.standing,
       view = excluded.view, committed_at = excluded.committed_at,
       since = CASE WHEN excluded.standing = 'open' AND (alert.standing <> 'open' OR excluded.severity_rank < alert.severity_rank)
         THEN excluded.since ELSE alert.since END`,
    [
      textArray(alerts.map((alert) => alert.groupId)),
      textArray(alerts.map((alert) => alert.findingId)),
      jsonArray(alerts.map((alert) => alert.labels)),
      plainArray(alerts.map((alert) => alert.rank)),
      textArray(alerts.map((alert) => alert.standing)),
      jsonArray(alerts.map((alert) => alert.view)),
      plainArray(alerts.map((alert) => String(alert.isNew))),
      plainArray(alerts.map((alert) => alert.committedAt)),
    ],
  );
  // What was told to be over and came back is a thing of its own, also when it is over again.
  const again = alerts.filter((alert) => alert.isNew);
  await client.query(
    `UPDATE alert a SET told = NULL, told_rank = NULL FROM unnest($1::text[], $2::text[]) AS i(g, f)
     WHERE a.group_id = i.g AND a.finding_id = i.f AND a.told = 'resolved'`,
    [textArray(again.map((alert) => alert.groupId)), textArray(again.map((alert) => alert.findingId))],
  );
}

/**
 * Takes findings out of the groups that they are no longer placed in. Where they were told as firing, they count as over, unless only
 * the routes changed: then nothing is over.
 *
 * @returns the groups that lost one
 */
export async function leaveGroups(
  client: pg.ClientBase,
  findings: readonly { readonly findingId: string; readonly groupIds: readonly string[]; readonly silently: boolean }[],
): Promise<string[]> {
  const stays = findings.flatMap(({ findingId, groupIds }) => groupIds.map((groupId) => ({ findingId, groupId })));
  const { rows } = await client.query<{ groupId: string }>(
    `WITH gone AS (
       SELECT a.group_id, a.finding_id, i.silently FROM alert a JOIN unnest($1::text[], $2::boolean[]) AS i(f, silently) ON a.finding_id = i.f
       WHERE NOT EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS s(f, g) WHERE s.f = a.finding_id AND s.g = a.group_id)),
     over AS (UPDATE alert a SET standing = 'resolved' FROM gone WHERE a.group_id = gone.group_id AND a.finding_id = gone.finding_id AND a.told = 'firing' AND NOT silently),
     out AS (DELETE FROM alert a USING gone WHERE a.group_id = gone.group_id AND a.finding_id = gone.finding_id
       AND (silently OR a.told IS NULL OR (a.told = 'resolved' AND a.standing <> 'resolved')))
     SELECT DISTINCT group_id AS "groupId" FROM gone`,
    [
      textArray(findings.map(({ findingId }) => findingId)),
      plainArray(findings.map(({ silently }) => String(silently))),
      textArray(stays.map(({ findingId }) => findingId)),
      textArray(stays.map(({ groupId }) => groupId)),
    ],
  );
  return rows.map(({ groupId }) => groupId);
}

/** Alerts of groups that a silence could mute, in pages; the order of the rows means nothing. */
export async function* alertLabels(
  client: pg.ClientBase,
  groupIds: readonly string[],
  page: number,
): AsyncGenerator<{ groupId: string; findingId: string; labels: Record<string, string> }[]> {
  for (let after = ['', '']; ; ) {
    const { rows } = await client.query<{ groupId: string; findingId: string; labels: Record<string, string> }>(
      `SELECT group_id AS "groupId", finding_id AS "findingId", labels FROM alert
       WHERE group_id = ANY($1::text[]) AND (standing = 'open' OR told IS NULL) AND (group_id, finding_id) > ($2, $3) ORDER BY group_id, finding_id LIMIT $4`,
      [groupIds, ...after, page],
    );
    yield rows;
    const last = rows.at(-1);
    if (!last || rows.length < page) return;
    after = [last.groupId, last.findingId];
  }
}
