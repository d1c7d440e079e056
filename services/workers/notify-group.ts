/**
 * The group step: findings that changed go into their groups, and every group that is due is decided on, in one transaction. What is to
 * be told is written to the outbox; sending is another step. One process at a time does this.
 */
import type pg from 'pg';
import { meter } from '../alerts/flood.ts';
import { decide, type Decision, type GroupState } from '../alerts/group.ts';
import { mutedUntil } from '../alerts/silence.ts';
import { targetKey } from '../alerts/route.ts';
import { timingOf } from '../alerts/timing.ts';
import type { JsonObject } from '../core/json.ts';
import { alertLabels, lockAlerts } from '../store/alerts.ts';
import {
  type Counts,
  countAlerts,
  type DueGroup,
  dropOver,
  type GroupUpdate,
  settleOver,
  takeDueGroups,
  updateGroups,
} from '../store/alerts-due.ts';
import { listSilences } from '../store/silences.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Deps } from './deps.ts';
import { type Group, lookOf, stateOf } from './notify-look.ts';
import { placeChanged } from './notify-place.ts';
import { type Flood, readDigest, type Telling, tellAll } from './notify-tell.ts';

/** Signals of one transaction. */
const SIGNALS = 500;
/** Groups of one transaction. More than signals: when a flood is summed up, as much of it as possible goes into one notification. */
const GROUPS = 10_000;
const LABEL_PAGE = 2_000;

/** Works until nothing is due. @returns receivers for which there is something to send */
export async function groupDue(deps: Deps): Promise<Set<string>> {
  const told = new Set<string>();
  for (;;) {
    const step = await inTransaction(deps.pool, (client) => groupStep(deps, client));
    for (const receiver of step.receivers) told.add(receiver);
    if (!step.isMore) return told;
  }
}

async function groupStep(deps: Deps, client: pg.ClientBase): Promise<{ receivers: readonly string[]; isMore: boolean }> {
  await lockAlerts(client);
  const now = deps.clock.now();
  const { touched, taken } = await placeChanged(deps, client, SIGNALS);
  const due = await takeDueGroups(client, { touched, now, limit: GROUPS });
  const isFull = taken >= SIGNALS || due.filter(({ isAwake }) => isAwake).length >= GROUPS;
  if (due.length === 0) return { receivers: [], isMore: isFull };

  const groups = due.flatMap((group) => known(deps, group));
  const muting = await mutedAlerts(client, groups, now);
  const looks = groups.map(lookOf);
  await dropOver(client, looks, muting.muted);
  const counts = await countAlerts(client, looks, { muted: muting.muted, now });

  const isKnown = new Set(groups.map(({ id }) => id));
  const updates: GroupUpdate[] = due.filter(({ id }) => !isKnown.has(id)).map((group) => update(group, group.state, null));
  const tellings: Telling[] = [];
  const unasked: string[] = [];
  for (const group of groups) {
    const decision = decideOn(group, counts.get(group.id), { now, ripensAt: muting.until.get(group.id) ?? null });
    deps.telemetry.decided(group, decision.because);
    if (decision.tell !== null) tellings.push({ group, decision, reason: decision.tell, counts: counts.get(group.id) });
    else {
      if (decision.settles) unasked.push(group.id);
      updates.push(update(group, decision.state, decision.wakeAt));
    }
  }
  if (unasked.length > 0) await settleOver(client, unasked);
  const metered = await meterAll(client, tellings, now);
  updates.push(...metered.held);
  updates.push(...(await tellAll(deps, client, { ...metered, muted: muting.muted, now })));
  await updateGroups(client, updates);
  return {
    receivers: [...new Set(metered.tell.flat().map(({ group }) => group.receiver))],
    isMore: isFull || updates.some(({ wakeAt }) => wakeAt !== null && wakeAt <= now),
  };
}

/** A group of a route or receiver that the configuration no longer has is left alone. */
function known(deps: Deps, group: DueGroup): Group[] {
  const target = deps.alerting.targets.get(targetKey(group));
  const to = deps.alerting.receivers.get(group.receiver);
  return target && to ? [{ ...group, target, to }] : [];
}

function decideOn(
  { state, target, to }: Group,
  counts: Counts | undefined,
  { now, ripensAt }: { now: number; ripensAt: number | null },
): Decision {
  const view = { ...(counts ?? NOTHING), ripensAt: earliest(counts?.ripensAt ?? null, ripensAt) };
  return decide(stateOf(state), view, {
    now,
    settings: {
      timing(rank) {
        const timing = timingOf(target.timing, rank);
        return to.resendMs === null ? timing : { ...timing, repeatInterval: Math.min(timing.repeatInterval, to.resendMs) };
      },
      sendResolved: to.sendResolved,
      isEscalation: target.escalatesAfter !== null,
    },
  });
}

const NOTHING = {
  firing: 0,
  topRank: null,
  news: 0,
  newsRank: null,
  newsSince: null,
  over: 0,
  missed: 0,
  missedRank: null,
  unresolved: 0,
  ripensAt: null,
} as const;

interface Metered {
  /** Each entry becomes one notification. */
  readonly tell: readonly (readonly Telling[])[];
  readonly held: readonly GroupUpdate[];
  /** State of the floods, by receiver. */
  readonly floods: ReadonlyMap<string, Flood>;
}

/** Receivers that people read get a digest where there would be too many notifications. */
async function meterAll(client: pg.ClientBase, tellings: readonly Telling[], now: number): Promise<Metered> {
  const tell: Telling[][] = [];
  const held: GroupUpdate[] = [];
  const floods = new Map<string, Flood>();
  for (const [name, ofReceiver] of Map.groupBy(tellings, ({ group }) => group.receiver)) {
    const to = ofReceiver[0]?.group.to;
    if (!to || to.perMinute === null) {
      tell.push(...ofReceiver.map((telling) => [telling]));
      continue;
    }
    const digest = await readDigest(client, name);
    const metered = meter(digest.before, ofReceiver.length, { perMinute: to.perMinute, now, isUndelivered: digest.isUndelivered });
    floods.set(name, { digest, state: metered.state });
    if (metered.how === 'each') tell.push(...ofReceiver.map((telling) => [telling]));
    else if (metered.how === 'digest') tell.push(ofReceiver.map((telling) => ({ ...telling, reason: 'flood' as const })));
    else held.push(...ofReceiver.map(({ group }) => update(group, group.state, metered.until)));
  }
  return { tell, held, floods };
}

/** Which alerts active silences mute, and when the first of the silences that matter to a group ends. */
async function mutedAlerts(
  client: pg.ClientBase,
  groups: readonly Group[],
  now: number,
): Promise<{ muted: { groupId: string; findingId: string }[]; until: Map<string, number> }> {
  const silences = (await listSilences(client, { now })).filter(({ startsAt }) => startsAt <= now);
  const muted: { groupId: string; findingId: string }[] = [];
  const until = new Map<string, number>();
  if (silences.length === 0 || groups.length === 0) return { muted, until };
  const mutes = mutedUntil(silences, now);
  const ids = groups.map(({ id }) => id);
  for await (const page of alertLabels(client, ids, LABEL_PAGE)) {
    for (const { groupId, findingId, labels } of page) {
      const end = mutes(labels);
      if (end === null) continue;
      muted.push({ groupId, findingId });
      until.set(groupId, Math.min(end, until.get(groupId) ?? end));
    }
  }
  return { muted, until };
}

function update(group: DueGroup, state: GroupState | JsonObject, wakeAt: number | null): GroupUpdate {
  return { groupId: group.id, state, wakeAt, sequence: group.sequence, forgets: false };
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
