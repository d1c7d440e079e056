/** From decisions to the outbox: what each notification says is fixed here, in the transaction that decides that it is sent. */
import type pg from 'pg';
import type { FloodState } from '../alerts/flood.ts';
import type { Decision } from '../alerts/group.ts';
import { MINUTE } from '../core/clock.ts';
import { digest128 } from '../core/ids.ts';
import { SEVERITIES, type Severity } from '../core/severity.ts';
import type { AlertView, Notification, NotificationReason } from '../notifiers/contract.ts';
import { ensureGroups } from '../store/alerts.ts';
import {
  type Counts,
  countTold,
  forgetTold,
  type GroupUpdate,
  listAlerts,
  type ListedAlert,
  markTold,
  type Muted,
  takeDueGroups,
  type TellingLook,
} from '../store/alerts-due.ts';
import { insertNotifications, type NewNotification, type Superseded, supersede, undelivered } from '../store/notifications.ts';
import type { Deps } from './deps.ts';
import type { Alerting } from './notify-alerting.ts';
import { type Group, lookOf, stateOf } from './notify-look.ts';

/** When a group that is told as over is looked at once more, to let go of its alerts. */
const TIDY_MS = 5 * MINUTE;

/** A group that is told, and why. */
export interface Telling {
  readonly group: Group;
  readonly decision: Decision;
  readonly reason: NotificationReason;
  readonly counts: Counts | undefined;
}

export interface ToTell {
  /** Each entry becomes one notification. */
  readonly tell: readonly (readonly Telling[])[];
  readonly floods: ReadonlyMap<string, Flood>;
  readonly muted: Muted;
  readonly now: number;
}

export interface Flood {
  readonly digest: Digest;
  readonly state: FloodState;
}

/** The group of a receiver that stands for all of its groups while it floods. */
export interface Digest {
  readonly groupId: string;
  readonly sequence: number;
  readonly before: FloodState | null;
  /** The last digest waits to be sent or is being sent. */
  readonly isUndelivered: boolean;
}

export async function readDigest(client: pg.ClientBase, receiver: string): Promise<Digest> {
  const groupId = digest128(['flood', receiver]);
  await ensureGroups(client, [{ groupId, groupKey: `flood:${receiver}`, route: 'flood', receiver, labels: {} }]);
  const [row] = await takeDueGroups(client, { touched: [groupId], now: 0, limit: 0 });
  const { tokens, at, since, digestAt } = (row?.state ?? {}) as Partial<FloodState>;
  const isKnown = typeof tokens === 'number' && typeof at === 'number';
  return {
    groupId,
    sequence: row?.sequence ?? 0,
    before: isKnown ? { tokens, at, since: since ?? null, digestAt: digestAt ?? null } : null,
    isUndelivered: (await undelivered(client, [groupId])).has(groupId),
  };
}

/** Writes the notifications. @returns what becomes of the groups */
export async function tellAll(deps: Deps, client: pg.ClientBase, { tell, floods, muted, now }: ToTell): Promise<GroupUpdate[]> {
  const digests = [...floods.values()].map(({ digest, state }) => digestUpdate(digest, state, false));
  const all = tell.flat();
  if (all.length === 0) return digests;
  await forgetTold(
    client,
    all.filter(isPagedRepeat).map(({ group }) => group.id),
  );
  const superseded = new Map(
    (
      await supersede(
        client,
        all.filter(saysAll).map(({ group }) => group.id),
        now,
      )
    ).map((each) => [each.groupId, each]),
  );
  deps.telemetry.superseded([...superseded.values()]);

  const looks = tell.flatMap((tellings, at) => tellings.map(({ group }) => lookAt(group, at, superseded.get(group.id))));
  const paged = tell.flatMap((tellings, at) => (tellings[0]?.group.to.wantsEvery ? [at] : []));
  const seeing = { muted, now, paged };
  const listed = Map.groupBy(await listAlerts(client, looks, seeing), ({ telling }) => telling);
  const counted = Map.groupBy(await countTold(client, looks, seeing), ({ telling }) => telling);
  const updates: GroupUpdate[] = [];
  const rows: NewNotification[] = [];
  for (const [at, tellings] of tell.entries()) {
    const flood = tellings[0]?.reason === 'flood' ? floods.get(tellings[0].group.receiver) : undefined;
    const alerts = listed.get(at) ?? [];
    rows.push(notificationOf(deps.alerting, { tellings, flood, alerts, counted: counted.get(at) ?? [], superseded, now }));
    updates.push(...tellings.map((telling) => groupUpdate(telling, alerts.length, now)));
  }
  await insertNotifications(client, rows);
  await markTold(client, looks, { ...seeing, sequences: updates });
  const told = new Set(rows.map(({ groupId }) => groupId));
  return [...updates, ...[...floods.values()].map(({ digest, state }) => digestUpdate(digest, state, told.has(digest.groupId)))];
}

interface Composition {
  readonly tellings: readonly Telling[];
  readonly flood: Flood | undefined;
  readonly alerts: readonly ListedAlert[];
  readonly counted: readonly { readonly rank: number; readonly count: number }[];
  readonly superseded: ReadonlyMap<string, Superseded>;
  readonly now: number;
}

function notificationOf(alerting: Alerting, { tellings, flood, alerts, counted, superseded, now }: Composition): NewNotification {
  const [first] = tellings;
  if (!first) throw new TypeError('a notification tells of at least one group');
  const { receiver } = first.group;
  const groupId = flood?.digest.groupId ?? first.group.id;
  const sequence = (flood?.digest.sequence ?? first.group.sequence) + 1;
  const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0])) as Record<Severity, number>;
  for (const { rank, count } of counted) counts[SEVERITIES[rank] ?? 'info'] += count;
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  const before = flood ? [] : tellings.flatMap(({ group }) => superseded.get(group.id) ?? []);
  const isResolved = tellings.every((telling) => (telling.counts?.unresolved ?? 0) === 0);
  const reason = strongest(first.reason, isResolved ? [] : before.flatMap(({ reasons }) => reasons));
  const payload: Notification = {
    idempotencyKey: digest128([groupId, receiver, String(sequence)]),
    receiver,
    groupKey: flood ? `flood:${receiver}` : first.group.groupKey,
    groupLabels: flood ? {} : first.group.labels,
    status: isResolved ? 'resolved' : 'firing',
    reason,
    alerts: alerts.map((alert) => viewOf(alerting, alert)),
    truncated: total - alerts.length,
    counts,
    at: now,
  };
  const changes = tellings.flatMap((telling) => telling.counts?.committedAt ?? []);
  const waiting = before.flatMap(({ committedAt }) => committedAt ?? []);
  return {
    idempotencyKey: payload.idempotencyKey,
    groupId,
    receiver,
    reason,
    sequence,
    payload,
    createdAt: now,
    committedAt: waiting.length > 0 ? Math.min(...waiting) : changes.length > 0 ? Math.max(...changes) : null,
    nextAttemptAt: Math.max(now, ...before.map(({ nextAttemptAt }) => nextAttemptAt)),
  };
}

const STRONGEST_FIRST: readonly NotificationReason[] = ['new-group', 'escalated', 'new-alerts', 'resolved', 'repeat'];

/** A notification that says what never arrived says why that was to be told. */
function strongest(reason: NotificationReason, others: readonly string[]): NotificationReason {
  if (reason === 'flood') return reason;
  return STRONGEST_FIRST.find((each) => each === reason || others.includes(each)) ?? reason;
}

function viewOf({ externalUrl, runbooksUrl }: Alerting, { view, standing, lastSeen, occurrences }: ListedAlert): AlertView {
  const told = view as unknown as Omit<AlertView, 'status' | 'url' | 'runbookUrl'>;
  return {
    ...told,
    status: standing,
    lastSeen: lastSeen ?? told.lastSeen,
    occurrences: occurrences ?? told.occurrences,
    url: externalUrl === null ? null : `${externalUrl}/#finding-${encodeURIComponent(told.findingId)}`,
    runbookUrl: runbooksUrl === null ? null : `${runbooksUrl}/${encodeURIComponent(told.detector)}.md`,
  };
}

function lookAt(group: Group, telling: number, before: Superseded | undefined): TellingLook {
  return { ...lookOf(group), telling, page: group.to.page, undeliveredFrom: before?.sequence ?? null };
}

function groupUpdate({ group, decision, reason, counts }: Telling, listed: number, now: number): GroupUpdate {
  const isMore = group.to.wantsEvery && untold({ reason, counts }) > listed;
  return {
    groupId: group.id,
    state: { ...decision.state, open: decision.state.open || isMore, more: isMore },
    wakeAt: isMore ? now : (decision.wakeAt ?? now + TIDY_MS),
    sequence: group.sequence + (reason === 'flood' ? 0 : 1),
    forgets: !stateOf(group.state).open,
  };
}

function digestUpdate({ groupId, sequence }: Digest, state: FloodState, isTold: boolean): GroupUpdate {
  return { groupId, state, wakeAt: null, sequence: sequence + (isTold ? 1 : 0), forgets: false };
}

function untold({ reason, counts }: Pick<Telling, 'reason' | 'counts'>): number {
  if (!counts) return 0;
  return reason === 'repeat' ? counts.firing : counts.news + counts.over + counts.missed;
}

/** A repetition that one notification cannot hold: all of it is told anew, in as many as it takes. */
function isPagedRepeat({ group, reason, counts }: Telling): boolean {
  return group.to.wantsEvery && reason === 'repeat' && (counts?.firing ?? 0) > group.to.page;
}

/** Whether one notification says all there is to say of the group, so that those before it need not be sent any more. */
function saysAll({ group, reason, counts }: Telling): boolean {
  if (reason === 'flood') return false;
  const total = (counts?.firing ?? 0) + (counts?.over ?? 0) + (counts?.missed ?? 0);
  return !group.to.wantsEvery || (total <= group.to.page && !stateOf(group.state).more);
}
