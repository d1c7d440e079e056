/** What the configuration says of alerts, put together: routes, receivers that can be sent to, links. */
import type { Clock } from '../core/clock.ts';
import { digest128 } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import { DETECTORS } from '../detectors/registry.ts';
import { parseDuration } from '../alerts/duration.ts';
import { type Matcher, parseMatcher } from '../alerts/matcher.ts';
import { createRoute, type Route, type RouteSettings, type Target, targetsIn } from '../alerts/route.ts';
import { ALERT_LIMIT, type Delivery, type Notification } from '../notifiers/contract.ts';
import { createReceiver, type ReceiverTools } from '../notifiers/receiver.ts';
import { createAws } from '../platform/aws.ts';
import type { Logger } from '../platform/logger.ts';
import { createOutbound } from '../platform/outbound.ts';
import { type Bell, createBell } from './notify-bell.ts';
import { type AlertingConfig, PEOPLE_PER_MINUTE, READ_BY_PEOPLE, type WrittenRoute } from './notify-config.ts';
import { VERSION } from './version.ts';

export interface Receiver {
  readonly name: string;
  readonly kind: string;
  readonly sendResolved: boolean;
  /** Notifications a minute before they are summed up; null = as many as there are. */
  readonly perMinute: number | null;
  /** A machine: it is told of every alert, not only of the most severe ones of a group. */
  readonly wantsEvery: boolean;
  /** Alerts that one notification carries at most. */
  readonly page: number;
  /** It forgets what it was told after this time, milliseconds. */
  readonly resendMs: number | null;
  readonly paceMs: number;
  /** Rings when there is something to send. */
  readonly bell: Bell;
  send(notification: Notification, given: { readonly signal: AbortSignal; readonly memory: Json }): Promise<Delivery>;
}

export interface Alerting {
  readonly root: Route;
  readonly targets: ReadonlyMap<string, Target>;
  /** The same for the same routes and receivers. */
  readonly fingerprint: string;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly ownerTags: readonly string[];
  readonly families: ReadonlyMap<string, string>;
  /** Where people reach the service, without a slash at the end; null when nobody said. */
  readonly externalUrl: string | null;
  readonly runbooksUrl: string | null;
  readonly giveUpAfterMs: number;
  readonly leaseMs: number;
  /** Rings when groups should be looked at before their time. */
  readonly bell: Bell;
}

export interface AlertingOptions {
  readonly config: AlertingConfig;
  readonly externalUrl: string | null;
  readonly runbooksUrl: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @param options.config checked by `alertingSchema` */
export function createAlerting(options: AlertingOptions): Alerting {
  const { config, clock, logger } = options;
  const tools = {
    http: createOutbound({ version: VERSION }),
    aws: createAws({ clock, version: VERSION }),
    clock,
    logger,
    version: VERSION,
  };
  const receivers = config.receivers.map((written) => toReceiver(written, tools));
  const root = createRoute(routeSettings(config.route));
  return {
    root,
    targets: targetsIn(root),
    fingerprint: digest128([JSON.stringify(config.route), ...receivers.map(({ name }) => name).toSorted(), ...config.owner_tags]),
    receivers: new Map(receivers.map((receiver) => [receiver.name, receiver])),
    ownerTags: config.owner_tags,
    families: new Map(DETECTORS.map(({ id, family }) => [id, family])),
    externalUrl: options.externalUrl,
    runbooksUrl: options.runbooksUrl,
    giveUpAfterMs: parseDuration(config.give_up_after) ?? 0,
    leaseMs: Math.max(1_000, parseDuration(config.claim_lease) ?? 0),
    bell: createBell(),
  };
}

/** Where the service is reached, from the configuration: as it says, or where it listens if that is one address. */
export function externalUrlOf({
  external_url: said,
  listen,
}: {
  readonly external_url?: string | undefined;
  readonly listen: string;
}): string | null {
  if (said !== undefined) return said.replace(/\/+$/, '');
  return /^(0\.0\.0\.0|\[::\]|\*)?:\d+$/.test(listen) || listen.endsWith(':0') ? null : `http://${listen}`;
}

function toReceiver(written: AlertingConfig['receivers'][number], tools: ReceiverTools): Receiver {
  const { name, kind, paceMs, resendAfterMs, deliver } = createReceiver(written, tools);
  const isPeople = READ_BY_PEOPLE.has(kind);
  return {
    name,
    kind,
    sendResolved: written.send_resolved,
    perMinute: written.max_per_minute ?? (isPeople ? PEOPLE_PER_MINUTE : null),
    wantsEvery: !isPeople,
    page: PAGES[kind] ?? ALERT_LIMIT,
    resendMs: resendAfterMs,
    paceMs,
    bell: createBell(),
    send: deliver,
  };
}

/** A message of the usual size holds so many alerts; what did not fit would count as told. */
const PAGES: Readonly<Record<string, number>> = { webhook: 10 };

function routeSettings(written: WrittenRoute): RouteSettings {
  const { matchers, group_wait, group_interval, repeat_interval, escalate, routes, ...rest } = written;
  const milliseconds = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : (parseDuration(text) ?? undefined);
  return {
    ...rest,
    matchers: (matchers ?? []).map(compiled),
    group_wait: milliseconds(group_wait),
    group_interval: milliseconds(group_interval),
    repeat_interval: milliseconds(repeat_interval),
    escalate: escalate ? { after: milliseconds(escalate.after) ?? 0, receiver: escalate.receiver } : escalate,
    routes: (routes ?? []).map(routeSettings),
  };
}

function compiled(text: string): Matcher {
  const parsed = parseMatcher(text);
  if (!parsed.ok) throw new TypeError(`the matcher ${text} ${parsed.problem}`);
  return parsed.matcher;
}
