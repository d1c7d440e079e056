/** The configuration of alerts: receivers, composed from what each notifier wants to know, and the tree of routes. Words are Alertmanager's. */
import { z } from 'zod';
import { parseDuration } from '../alerts/duration.ts';
import { LABEL_NAME } from '../alerts/labels.ts';
import { parseMatcher } from '../alerts/matcher.ts';
import { BY_ALL } from '../alerts/route.ts';
import { receiverSchema } from '../notifiers/registry.ts';

/** Kinds of receivers that people read as messages: these get few of them a minute, and lists instead of everything. */
export const READ_BY_PEOPLE: ReadonlySet<string> = new Set(['slack', 'teams', 'pagerduty', 'email']);
export const PEOPLE_PER_MINUTE = 20;

/** Levels of routes below the first one. */
const ROUTE_DEPTH = 4;
const MOST_ROUTES = 200;
const MOST_RECEIVERS = 50;
const DEFAULT_RECEIVERS = [{ name: 'log', log: {} }];

const name = z.string().min(1).max(63);
const duration = z.string().refine((text) => parseDuration(text) !== null, 'must be a duration as in 30s, 5m or 1h30m');
const matcher = z.string().superRefine((text, context) => {
  const parsed = parseMatcher(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.problem });
});
const label = z.string().refine((text) => text === BY_ALL || LABEL_NAME.test(text), `must be the name of a label, or ${BY_ALL} for all`);

const receiver = receiverSchema.safeExtend({
  send_resolved: z.boolean().default(true).meta({ description: 'Whether it is told that an alert is over.' }),
  max_per_minute: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({
      description: `Notifications a minute; when more groups are due, one notification sums them up. Default ${PEOPLE_PER_MINUTE} for what people read, none for machines.`,
    }),
});

const routeShape = {
  receiver: name.optional(),
  group_by: z.array(label).max(20).optional(),
  group_wait: duration.optional(),
  group_interval: duration.optional(),
  repeat_interval: duration.optional(),
  escalate: z.union([z.strictObject({ after: duration, receiver: name }), z.literal(false)]).optional(),
};

/** A route as it is written. */
export interface WrittenRoute {
  readonly receiver?: string | undefined;
  readonly group_by?: readonly string[] | undefined;
  readonly group_wait?: string | undefined;
  readonly group_interval?: string | undefined;
  readonly repeat_interval?: string | undefined;
  readonly escalate?: { readonly after: string; readonly receiver: string } | false | undefined;
  readonly matchers?: readonly string[] | undefined;
  readonly continue?: boolean | undefined;
  readonly routes?: readonly WrittenRoute[] | undefined;
}

function childRoute(depth: number): z.ZodType<WrittenRoute> {
  const shape = { matchers: z.array(matcher).min(1).max(50), continue: z.boolean().optional(), ...routeShape };
  if (depth === 1) return z.strictObject(shape);
  return z.strictObject({
    ...shape,
    routes: z
      .array(childRoute(depth - 1))
      .max(MOST_ROUTES)
      .optional(),
  });
}

const route = z.strictObject({
  ...routeShape,
  receiver: name.default('log').meta({ description: 'Receiver of everything that no route below takes.' }),
  group_by: routeShape.group_by.meta({
    description: 'Labels that the alerts of a group have in common; default account, key and family.',
    examples: [['account', 'key', 'family']],
  }),
  group_wait: routeShape.group_wait.meta({
    description: 'From the first alert of a group until it is told. Default by the most severe alert: critical and high 0s, others 30s.',
    examples: ['30s'],
  }),
  group_interval: routeShape.group_interval.meta({
    description: 'From one telling until what is new or over is told. Default critical 1m, others 5m.',
    examples: ['5m'],
  }),
  repeat_interval: routeShape.repeat_interval.meta({
    description: 'From one telling until the same is told again. Default critical 4h, high 1d, others 7d.',
    examples: ['4h'],
  }),
  escalate: routeShape.escalate.meta({
    description: 'Whom to tell of what nobody acknowledged in time.',
    examples: [{ after: '30m', receiver: 'on-call' }],
  }),
  routes: z
    .array(childRoute(ROUTE_DEPTH))
    .max(MOST_ROUTES)
    .optional()
    .meta({
      description: 'Routes for alerts that match all `matchers`; the first that matches takes the alert, unless it says `continue`.',
      examples: [[{ matchers: ['severity="critical"'], receiver: 'on-call' }]],
    }),
});

export const alertingSchema = z
  .strictObject({
    receivers: z
      .array(receiver)
      .min(1)
      .max(MOST_RECEIVERS)
      .prefault(DEFAULT_RECEIVERS)
      .meta({ description: 'Whom findings are told to: each a name and one kind with its settings. See docs/alerting.md.' }),
    route: route.prefault({}).meta({ description: 'Which receiver is told of what, and when.' }),
    owner_tags: z
      .array(z.string().min(1).max(128))
      .max(20)
      .default(['owner', 'team'])
      .meta({ description: 'Tags of a key that say whose it is, for the label `owner`; the first that a key has counts.' }),
    give_up_after: duration.prefault('24h').meta({ description: 'For how long a notification that does not arrive is tried again.' }),
    claim_lease: duration.prefault('15s').meta({
      description: 'After how long without a sign of life what a process was sending is sent by another one.',
    }),
  })
  .superRefine((given, context) => {
    const names = given.receivers.map((each) => each.name);
    for (const [at, each] of names.entries()) {
      if (names.indexOf(each) !== at)
        context.addIssue({ code: 'custom', path: ['receivers', at, 'name'], message: `is the name of another receiver: ${each}` });
    }
    for (const { path, receiver: named } of namedReceivers(given.route, ['route'])) {
      if (!names.includes(named))
        context.addIssue({ code: 'custom', path, message: `names no receiver: ${named}; there are ${names.join(', ')}` });
    }
  })
  .prefault({})
  .meta({ description: 'Who is told of findings.' });

export type AlertingConfig = z.output<typeof alertingSchema>;

function namedReceivers(given: WrittenRoute, path: readonly PropertyKey[]): { path: PropertyKey[]; receiver: string }[] {
  return [
    ...(given.receiver === undefined ? [] : [{ path: [...path, 'receiver'], receiver: given.receiver }]),
    ...(given.escalate ? [{ path: [...path, 'escalate', 'receiver'], receiver: given.escalate.receiver }] : []),
    ...(given.routes ?? []).flatMap((child, at) => namedReceivers(child, [...path, 'routes', at])),
  ];
}
