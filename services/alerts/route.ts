/**
 * The tree of routes, as Alertmanager's: an alert goes down the first branch that matches it, and on to the next ones where a branch says
 * `continue`; where no branch matches, it stays. What a route does not say, it has from its parent.
 * https://prometheus.io/docs/alerting/latest/configuration/#route-related-settings
 */
import { digest128 } from '../core/ids.ts';
import { type Labels, labelText, labelValue } from './labels.ts';
import { type Matcher, matchAll, matcherText } from './matcher.ts';
import type { Timing } from './timing.ts';

/** As the configuration says it; durations in milliseconds. */
export interface RouteSettings {
  readonly receiver?: string | undefined;
  readonly group_by?: readonly string[] | undefined;
  readonly matchers?: readonly Matcher[] | undefined;
  readonly continue?: boolean | undefined;
  readonly group_wait?: number | undefined;
  readonly group_interval?: number | undefined;
  readonly repeat_interval?: number | undefined;
  /** `false` takes back what the parent says. */
  readonly escalate?: { readonly after: number; readonly receiver: string } | false | undefined;
  readonly routes?: readonly RouteSettings[] | undefined;
}

export interface Escalation {
  readonly afterMs: number;
  readonly receiver: string;
}

export interface Route {
  /** The matchers on the way to it, as in `{}/{severity="critical"}`. Routes with the same matchers below the same parent are told apart by number. */
  readonly key: string;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  readonly receiver: string;
  /** `all`: every alert is a group of its own. */
  readonly groupBy: readonly string[] | 'all';
  readonly timing: Partial<Timing>;
  readonly escalation: Escalation | null;
  readonly routes: readonly Route[];
}

/** Where an alert goes: one group of one receiver. */
export interface Placement {
  readonly groupId: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly route: string;
  readonly receiver: string;
}

export const DEFAULT_GROUP_BY = ['account', 'key', 'family'] as const;
/** In `group_by`: by all labels. */
export const BY_ALL = '...';

type Inherited = Pick<Route, 'receiver' | 'groupBy' | 'timing' | 'escalation'>;

/** @throws TypeError when the root names no receiver */
export function createRoute(settings: RouteSettings): Route {
  if (settings.receiver === undefined) throw new TypeError('the first route must name a receiver');
  const start: Inherited = { receiver: settings.receiver, groupBy: DEFAULT_GROUP_BY, timing: {}, escalation: null };
  return build({ ...settings, matchers: [] }, { key: '{}', inherited: start });
}

function build(settings: RouteSettings, at: { readonly key: string; readonly inherited: Inherited }): Route {
  const { inherited, key } = at;
  const own: Inherited = {
    receiver: settings.receiver ?? inherited.receiver,
    groupBy: groupByOf(settings) ?? inherited.groupBy,
    timing: { ...inherited.timing, ...timingSaid(settings) },
    escalation: escalationOf(settings, inherited),
  };
  const seen = new Map<string, number>();
  const routes = (settings.routes ?? []).map((child) => {
    const text = `{${(child.matchers ?? []).map(matcherText).join(',')}}`;
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    return build(child, { key: `${key}/${text}${times > 1 ? `#${times}` : ''}`, inherited: own });
  });
  return { ...own, key, matchers: settings.matchers ?? [], continue: settings.continue ?? false, routes };
}

function groupByOf({ group_by: by }: RouteSettings): Route['groupBy'] | undefined {
  return by?.includes(BY_ALL) ? 'all' : by && [...new Set(by)].sort();
}

function timingSaid(settings: RouteSettings): Partial<Timing> {
  return {
    ...(settings.group_wait !== undefined && { groupWait: settings.group_wait }),
    ...(settings.group_interval !== undefined && { groupInterval: settings.group_interval }),
    ...(settings.repeat_interval !== undefined && { repeatInterval: settings.repeat_interval }),
  };
}

function escalationOf({ escalate }: RouteSettings, inherited: Inherited): Escalation | null {
  if (escalate === undefined) return inherited.escalation;
  return escalate === false ? null : { afterMs: escalate.after, receiver: escalate.receiver };
}

/** The routes at which an alert ends, in order; at least one. */
export function routesOf(root: Route, labels: Labels): Route[] {
  const found: Route[] = [];
  for (const child of root.routes) {
    if (!matchAll(child.matchers, labels)) continue;
    found.push(...routesOf(child, labels));
    if (!child.continue) break;
  }
  return found.length > 0 ? found : [root];
}

/** The groups that an alert belongs to; an escalation is a group of the receiver that it escalates to. */
export function placementsOf(root: Route, labels: Labels): Placement[] {
  const placed = new Map<string, Placement>();
  for (const route of routesOf(root, labels)) {
    const groupLabels = groupLabelsOf(route, labels);
    for (const target of targetsOf(route)) {
      const placement = { ...target, groupLabels, groupKey: `${target.route}:${labelText(groupLabels)}` };
      const groupId = digest128([placement.groupKey, placement.receiver]);
      placed.set(groupId, { ...placement, groupId });
    }
  }
  return [...placed.values()];
}

/** Settings of the groups of one route and receiver. */
export interface Target {
  readonly route: string;
  readonly receiver: string;
  readonly timing: Partial<Timing>;
  /** Milliseconds that an alert must have been open and unacknowledged; null where it is no escalation. */
  readonly escalatesAfter: number | null;
}

/** Every route's targets, by `targetKey`. */
export function targetsIn(root: Route): ReadonlyMap<string, Target> {
  const all = [root];
  for (const route of all) all.push(...route.routes);
  return new Map(
    all.flatMap((route) => {
      const [first, ...rest] = targetsOf(route);
      const escalated = rest.map((target) => ({ ...target, timing: route.timing, escalatesAfter: route.escalation?.afterMs ?? null }));
      const targets = [...(first ? [{ ...first, timing: route.timing, escalatesAfter: null }] : []), ...escalated];
      return targets.map((target) => [targetKey(target), target] as const);
    }),
  );
}

export function targetKey({ route, receiver }: Pick<Target, 'route' | 'receiver'>): string {
  return JSON.stringify([route, receiver]);
}

/** The route's own receiver first, then the one that it escalates to. */
function targetsOf({ key, receiver, escalation }: Route): Pick<Target, 'route' | 'receiver'>[] {
  return [{ route: key, receiver }, ...(escalation ? [{ route: `${key}/escalated`, receiver: escalation.receiver }] : [])];
}

function groupLabelsOf({ groupBy }: Route, labels: Labels): Labels {
  if (groupBy === 'all') return labels;
  return Object.fromEntries(groupBy.filter((name) => labelValue(labels, name) !== '').map((name) => [name, labelValue(labels, name)]));
}
