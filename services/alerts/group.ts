/**
 * When a group is told, as a pure function of what was told before, what its alerts are now, and the moment. Alertmanager's rules with
 * two of our own: what is more severe than anything that was told does not wait for the group interval, and a critical or high alert
 * that was over before anybody was told is told all the same.
 *
 *            news, group wait over                 nothing is left unresolved
 *   closed ─────────────────────────▶ open ────────────────────────────────▶ closed
 *                                     │ ▲ news, something over, or the repeat interval has passed
 *                                     └─┘
 */
import type { Timing } from './timing.ts';

/** What is kept of a group from one decision to the next. */
export interface GroupState {
  /** The group was told as firing and not yet as resolved. */
  readonly open: boolean;
  /** When it was told last, epoch milliseconds. */
  readonly toldAt: number | null;
  /** Most severe alert that was firing then, as `severityRank`. */
  readonly toldRank: number | null;
  /** One notification could not hold all that was to be told: the next one follows at once. */
  readonly more: boolean;
}

export const NEW_GROUP: GroupState = { open: false, toldAt: null, toldRank: null, more: false };

/** A group's alerts, counted. Alerts that a silence mutes count as unresolved and as nothing else. */
export interface GroupView {
  /** Open and neither acknowledged nor suppressed. */
  readonly firing: number;
  /** Most severe of them. */
  readonly topRank: number | null;
  /** Firing and not told, or told when they were less severe. */
  readonly news: number;
  readonly newsRank: number | null;
  /** Since when the first of them is news. */
  readonly newsSince: number | null;
  /** Told as firing, and resolved since. */
  readonly over: number;
  /** Critical or high, and resolved before they were told. */
  readonly missed: number;
  readonly missedRank: number | null;
  /** Not resolved: firing, acknowledged, suppressed, silenced or not yet due. */
  readonly unresolved: number;
  /** When an alert becomes news by mere time: its silence ends, or it is left unacknowledged for too long. */
  readonly ripensAt: number | null;
}

export interface GroupSettings {
  timing(rank: number): Timing;
  readonly sendResolved: boolean;
  /** The group is what nobody acknowledged elsewhere. */
  readonly isEscalation: boolean;
}

export type Telling = 'new-group' | 'new-alerts' | 'escalated' | 'repeat' | 'resolved';

/** Why a group is told or not. */
export type Because =
  | Telling
  | 'continued'
  | 'nothing-fires'
  | 'group-wait'
  | 'group-interval'
  | 'repeat-interval'
  | 'resolved-unasked'
  | 'all-over';

export interface Decision {
  readonly because: Because;
  /** What the notification says of its reason; null when none is sent. */
  readonly tell: Telling | null;
  /** What was to be told counts as told. Without `tell`, the receiver does not want to hear of it. */
  readonly settles: boolean;
  readonly state: GroupState;
  /** When to decide again if nothing changes, epoch milliseconds; null = not before something does. */
  readonly wakeAt: number | null;
}

const LEAST_SEVERE = 4;

export function decide(before: GroupState, view: GroupView, { settings, now }: { settings: GroupSettings; now: number }): Decision {
  const hasNews = view.news + view.missed > 0;
  const wait = (because: Because, due: number | null): Decision => ({
    because,
    tell: null,
    settles: false,
    state: before,
    wakeAt: earliest(due, view.ripensAt),
  });
  const tell = (telling: Telling, because: Because = telling): Decision => {
    const state = after(view, now);
    const repeatAt = view.firing > 0 ? now + settings.timing(view.topRank ?? LEAST_SEVERE).repeatInterval : null;
    return { because, tell: telling, settles: true, state, wakeAt: earliest(repeatAt, view.ripensAt) };
  };
  const newsRank = earliest(view.newsRank, view.missedRank) ?? LEAST_SEVERE;
  const news: Telling = settings.isEscalation ? 'escalated' : before.open ? 'new-alerts' : 'new-group';

  if (!before.open) {
    if (!hasNews) return wait('nothing-fires', null);
    const due = view.missed > 0 ? now : (view.newsSince ?? now) + settings.timing(newsRank).groupWait;
    return now >= due ? tell(news) : wait('group-wait', due);
  }
  if (!hasNews && view.over === 0) {
    if (view.unresolved === 0) return { ...wait('all-over', null), state: { ...before, open: false, more: false } };
    if (view.firing === 0) return wait('nothing-fires', null);
    const due = (before.toldAt ?? now) + settings.timing(view.topRank ?? LEAST_SEVERE).repeatInterval;
    return now >= due ? tell('repeat') : wait('repeat-interval', due);
  }
  if (before.more) return tell(hasNews ? news : 'resolved', 'continued');
  const due = dueOf(before, view, { settings, now, newsRank });
  if (now < due) return wait('group-interval', due);
  if (hasNews) return tell(news);
  if (settings.sendResolved) return tell('resolved');
  const state = { ...before, open: view.unresolved > 0 };
  return { ...wait('resolved-unasked', null), settles: true, state, wakeAt: earliest(repeatOf(before, view, settings), view.ripensAt) };
}

/** When an open group is told of what is new or over. */
function dueOf(
  before: GroupState,
  view: GroupView,
  { settings, now, newsRank }: { settings: GroupSettings; now: number; newsRank: number },
): number {
  const rank = earliest(view.topRank, before.toldRank) ?? LEAST_SEVERE;
  const regular = (before.toldAt ?? now) + settings.timing(rank).groupInterval;
  const isWorse = view.news + view.missed > 0 && newsRank < (before.toldRank ?? LEAST_SEVERE + 1);
  return isWorse ? Math.min(regular, (view.newsSince ?? now) + settings.timing(newsRank).groupWait) : regular;
}

function repeatOf(before: GroupState, view: GroupView, settings: GroupSettings): number | null {
  return view.firing > 0 && before.toldAt !== null ? before.toldAt + settings.timing(view.topRank ?? LEAST_SEVERE).repeatInterval : null;
}

function after(view: GroupView, now: number): GroupState {
  return { open: view.unresolved > 0, toldAt: now, toldRank: view.topRank, more: false };
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
