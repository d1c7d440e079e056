/** Alert groups that are due: their alerts counted, listed and marked as told. Under `lockAlerts`, like everything that changes alerts. */
import type pg from 'pg';
import type { FindingStatus } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';
import { jsonArray, plainArray, textArray } from './array.ts';

export interface DueGroup {
  readonly id: string;
  readonly groupKey: string;
  readonly route: string;
  readonly receiver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: JsonObject;
  readonly sequence: number;
  /** It is due by time. */
  readonly isAwake: boolean;
}

/** How the alerts of one group are looked at. */
export interface Look {
  readonly groupId: string;
  /** Milliseconds that an alert must have been open to count as firing. */
  readonly holdMs: number;
  /** Alerts that were over before they were told are told, where they are critical or high. */
  readonly tellsMissed: boolean;
  /** What is over is told. */
  readonly tellsResolved: boolean;
  /** What was told from this sequence on never arrived, so that what is over is told again; null = all arrived. */
  readonly undeliveredFrom: number | null;
}

/** Alerts of silenced groups that are not told. */
export type Muted = readonly { readonly groupId: string; readonly findingId: string }[];

export interface Counts {
  readonly groupId: string;
  readonly firing: number;
  readonly topRank: number | null;
  readonly news: number;
  readonly newsRank: number | null;
  readonly newsSince: number | null;
  readonly over: number;
  readonly missed: number;
  readonly missedRank: number | null;
  readonly unresolved: number;
  readonly ripensAt: number | null;
  /** Of the latest change that is to be told, epoch milliseconds. */
  readonly committedAt: number | null;
}

/** Groups that were touched or whose time has come, in the order of their ids; locked, and before any notification is. */
export async function takeDueGroups(
  client: pg.ClientBase,
  { touched, now, limit }: { readonly touched: readonly string[]; readonly now: number; readonly limit: number },
): Promise<DueGroup[]> {
  const { rows } = await client.query<DueGroup>(
    `SELECT id, group_key AS "groupKey", route, receiver, labels, state, sequence, coalesce(wake_at <= $2, false) AS "isAwake" FROM alert_group
     WHERE id = ANY($1::text[]) OR id IN (SELECT id FROM alert_group WHERE wake_at <= $2 ORDER BY wake_at LIMIT $3) ORDER BY id FOR UPDATE`,
    [touched, new Date(now), limit],
  );
  return rows;
}

/** When the next group wants to be looked at, epoch milliseconds; null = none does. */
export async function nextWake(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ at: number | null }>({
    name: 'next-wake',
    text: 'SELECT min(wake_at) AS at FROM alert_group WHERE wake_at IS NOT NULL',
  });
  return rows[0]?.at ?? null;
}

const MISSED_RANK = 1;

/** The alerts of the groups with what they are now; $1–$7 are the looks, $8–$9 what is muted, $10 now. */
const SEEN = `looks AS (SELECT * FROM unnest($1::text[], $2::float8[], $3::boolean[], $4::boolean[], $5::integer[], $6::integer[], $7::integer[])
      AS l(group_id, hold, tells_missed, tells_resolved, undelivered_from, telling, page)),
    muted AS (SELECT DISTINCT * FROM unnest($8::text[], $9::text[]) AS m(group_id, finding_id)),
    judged AS (
      SELECT a.*, l.telling, l.page, m.finding_id IS NOT NULL AS is_muted, a.since + make_interval(secs => l.hold / 1000) AS ripe_at,
        a.standing = 'open' AND m.finding_id IS NULL AND a.since + make_interval(secs => l.hold / 1000) <= $10 AS fires,
        a.standing = 'resolved' AND l.tells_resolved AND (a.told = 'firing' OR (a.told = 'resolved' AND a.told_sequence >= l.undelivered_from)) AS is_over,
        a.standing = 'resolved' AND l.tells_resolved AND l.tells_missed AND a.told IS NULL AND a.severity_rank <= ${MISSED_RANK} AND m.finding_id IS NULL AS is_missed
      FROM looks l JOIN alert a ON a.group_id = l.group_id LEFT JOIN muted m ON m.group_id = a.group_id AND m.finding_id = a.finding_id),
    seen AS (
      SELECT *, (fires AND (told IS DISTINCT FROM 'firing' OR severity_rank < told_rank)) AS is_news, (standing = 'resolved' AND told = 'firing') AS was_told
      FROM judged)`;

/** Counts the alerts of the groups; a group without any is absent. */
export async function countAlerts(client: pg.ClientBase, looks: readonly Look[], { muted, now }: Seeing): Promise<Map<string, Counts>> {
  const { rows } = await client.query<Counts>(
    `WITH ${SEEN}
     SELECT group_id AS "groupId", count(*) FILTER (WHERE fires) AS firing, min(severity_rank) FILTER (WHERE fires) AS "topRank",
       count(*) FILTER (WHERE is_news) AS news, min(severity_rank) FILTER (WHERE is_news) AS "newsRank", min(since) FILTER (WHERE is_news) AS "newsSince",
       count(*) FILTER (WHERE was_told) AS over, count(*) FILTER (WHERE is_missed) AS missed, min(severity_rank) FILTER (WHERE is_missed) AS "missedRank",
       count(*) FILTER (WHERE standing <> 'resolved') AS unresolved,
       min(ripe_at) FILTER (WHERE standing = 'open' AND NOT is_muted AND ripe_at > $10) AS "ripensAt",
       max(committed_at) FILTER (WHERE is_news OR was_told OR is_missed) AS "committedAt"
     FROM seen GROUP BY group_id`,
    [...looksOf(looks.map((look) => ({ ...look, telling: 0, page: 0 }))), ...seeing({ muted, now })],
  );
  return new Map(rows.map((row) => [row.groupId, row]));
}

export interface Seeing {
  readonly muted: Muted;
  readonly now: number;
}

/** A look at a group that is told; the alerts of groups with the same number go into one notification. */
export type TellingLook = Look & {
  readonly telling: number;
  /** Alerts that the notification carries at most. */
  readonly page: number;
};

export interface ListedAlert {
  readonly telling: number;
  readonly groupId: string;
  readonly findingId: string;
  readonly rank: number;
  readonly standing: FindingStatus;
  readonly view: JsonObject;
  readonly lastSeen: number | null;
  readonly occurrences: number | null;
}

/** $11: tellings whose receiver wants every alert. */
const LISTED = `listed AS (
      SELECT *, row_number() OVER (PARTITION BY telling ORDER BY
          (telling = ANY($11::integer[]) AND NOT (is_news OR was_told OR is_missed)), standing = 'resolved', severity_rank, (view ->> 'lastSeen')::float8 DESC, finding_id, group_id) <= page AS is_listed
      FROM seen WHERE fires OR is_over OR is_missed)`;

/**
 * The alerts that a telling consists of: firing, over since they were told, or missed. The most severe first.
 * @param paged tellings whose receiver wants every alert: what it does not know comes before what it knows
 */
export async function listAlerts(
  client: pg.ClientBase,
  looks: readonly TellingLook[],
  { muted, now, paged }: Seeing & { readonly paged: readonly number[] },
): Promise<ListedAlert[]> {
  const { rows } = await client.query<ListedAlert>(
    `WITH ${SEEN}, ${LISTED}
     SELECT telling, group_id AS "groupId", l.finding_id AS "findingId", severity_rank AS rank, standing, view, f.last_seen AS "lastSeen", f.occurrences
     FROM listed l LEFT JOIN finding f ON f.id = l.finding_id WHERE is_listed
     ORDER BY telling, standing = 'resolved', severity_rank, (view ->> 'lastSeen')::float8 DESC, l.finding_id, group_id`,
    [...looksOf(looks), ...seeing({ muted, now }), plainArray(paged)],
  );
  return rows;
}

/** How many alerts each telling consists of, by severity. */
export async function countTold(
  client: pg.ClientBase,
  looks: readonly TellingLook[],
  { muted, now }: Seeing,
): Promise<{ telling: number; rank: number; count: number; firing: number }[]> {
  const { rows } = await client.query<{ telling: number; rank: number; count: number; firing: number }>(
    `WITH ${SEEN} SELECT telling, severity_rank AS rank, count(*) AS count, count(*) FILTER (WHERE fires) AS firing
     FROM seen WHERE fires OR is_over OR is_missed GROUP BY telling, severity_rank`,
    [...looksOf(looks), ...seeing({ muted, now })],
  );
  return rows;
}

/**
 * Marks what a telling consists of as told; of paged ones, what was listed.
 * @param sequences of the notification of each group
 */
export async function markTold(
  client: pg.ClientBase,
  looks: readonly TellingLook[],
  options: Seeing & {
    readonly paged: readonly number[];
    readonly sequences: readonly { readonly groupId: string; readonly sequence: number }[];
  },
): Promise<void> {
  await client.query(
    `WITH ${SEEN}, ${LISTED}, told AS (SELECT * FROM unnest($12::text[], $13::integer[]) AS t(group_id, sequence))
     UPDATE alert a SET told = CASE WHEN l.fires THEN 'firing' ELSE 'resolved' END, told_rank = a.severity_rank, told_sequence = t.sequence
     FROM listed l JOIN told t ON t.group_id = l.group_id
     WHERE a.group_id = l.group_id AND a.finding_id = l.finding_id AND (l.is_listed OR NOT l.telling = ANY($11::integer[]))`,
    [
      ...looksOf(looks),
      ...seeing(options),
      plainArray(options.paged),
      textArray(options.sequences.map(({ groupId }) => groupId)),
      plainArray(options.sequences.map(({ sequence }) => sequence)),
    ],
  );
}

/** What is over counts as told, though nobody was told: the receiver does not want to hear of it. */
export async function settleOver(client: pg.ClientBase, groupIds: readonly string[]): Promise<void> {
  await client.query(
    "UPDATE alert SET told = 'resolved', told_sequence = NULL WHERE group_id = ANY($1::text[]) AND standing = 'resolved'",
    [groupIds],
  );
}

/** Every alert of the groups is to be told anew, as a receiver that forgets needs it. */
export async function forgetTold(client: pg.ClientBase, groupIds: readonly string[]): Promise<void> {
  await client.query(
    "UPDATE alert SET told = NULL, told_rank = NULL WHERE group_id = ANY($1::text[]) AND standing = 'open' AND told = 'firing'",
    [groupIds],
  );
}

/** Lets go of alerts that are over and of which there is nothing more to tell. */
export async function dropOver(client: pg.ClientBase, looks: readonly Look[], muted: Muted): Promise<void> {
  await client.query(
    `DELETE FROM alert a USING unnest($1::text[], $2::boolean[]) AS l(group_id, tells_missed)
     WHERE a.group_id = l.group_id AND a.standing = 'resolved' AND (
       (a.told = 'resolved' AND NOT EXISTS (SELECT FROM notification n WHERE n.group_id = a.group_id AND n.state = 'pending'))
       OR (a.told IS NULL AND (NOT l.tells_missed OR a.severity_rank > ${MISSED_RANK}
         OR EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS m(g, f) WHERE m.g = a.group_id AND m.f = a.finding_id))))`,
    [
      textArray(looks.map(({ groupId }) => groupId)),
      plainArray(looks.map(({ tellsMissed, tellsResolved }) => String(tellsMissed && tellsResolved))),
      textArray(muted.map(({ groupId }) => groupId)),
      textArray(muted.map(({ findingId }) => findingId)),
    ],
  );
}

export interface GroupUpdate {
  readonly groupId: string;
  readonly state: object;
  readonly wakeAt: number | null;
  readonly sequence: number;
  /** A new case begins: what the notifier remembers of the one before is forgotten. */
  readonly forgets: boolean;
}

export async function updateGroups(client: pg.ClientBase, updates: readonly GroupUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  await client.query(
    `UPDATE alert_group g SET state = s, wake_at = to_timestamp(w / 1000.0), sequence = q, memory = CASE WHEN f THEN NULL ELSE memory END
     FROM unnest($1::text[], $2::jsonb[], $3::float8[], $4::integer[], $5::boolean[]) AS i(id, s, w, q, f) WHERE g.id = i.id`,
    [
      textArray(updates.map(({ groupId }) => groupId)),
      jsonArray(updates.map(({ state }) => state)),
      plainArray(updates.map(({ wakeAt }) => wakeAt)),
      plainArray(updates.map(({ sequence }) => sequence)),
      plainArray(updates.map(({ forgets }) => String(forgets))),
    ],
  );
}

/** Has every group looked at, as after a silence that ended early. */
export async function wakeGroups(client: pg.Pool | pg.ClientBase, now: number): Promise<void> {
  await client.query('UPDATE alert_group SET wake_at = $1 WHERE EXISTS (SELECT FROM alert WHERE group_id = id)', [new Date(now)]);
}

function looksOf(looks: readonly TellingLook[]): string[] {
  return [
    textArray(looks.map(({ groupId }) => groupId)),
    plainArray(looks.map(({ holdMs }) => holdMs)),
    plainArray(looks.map(({ tellsMissed }) => String(tellsMissed))),
    plainArray(looks.map(({ tellsResolved }) => String(tellsResolved))),
    plainArray(looks.map(({ undeliveredFrom }) => undeliveredFrom)),
    plainArray(looks.map(({ telling }) => telling)),
    plainArray(looks.map(({ page }) => page)),
  ];
}

function seeing({ muted, now }: Seeing): [string, string, Date] {
  return [textArray(muted.map(({ groupId }) => groupId)), textArray(muted.map(({ findingId }) => findingId)), new Date(now)];
}
