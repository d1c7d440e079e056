import { describe, expect, test } from 'vitest';
import { routesOf } from '../../../services/alerts/route.ts';
import { createLogger } from '../../../services/platform/logger.ts';
import { redactConfig } from '../../../services/platform/config/redact.ts';
import { configSchema } from '../../../services/workers/config.ts';
import { createAlerting, externalUrlOf } from '../../../services/workers/notify-alerting.ts';
import { alertingSchema } from '../../../services/workers/notify-config.ts';

const LOG = { name: 'log', log: {} };
const options = { externalUrl: null, runbooksUrl: null, clock: { now: () => 0 }, logger: createLogger('silent') };

function problems(alerting: object): string[] {
  const parsed = alertingSchema.safeParse(alerting);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.')} ${message}`);
}

function deep(levels: number): object {
  return levels === 0 ? { matchers: ['a=b'] } : { matchers: ['a=b'], routes: [deep(levels - 1)] };
}

describe('the configuration of alerts', () => {
  test('is in order when it says nothing: everything goes to the log', () => {
    const config = alertingSchema.parse(undefined);
    const { receivers, root } = createAlerting({ ...options, config });
    expect([...receivers.keys()]).toEqual(['log']);
    expect(routesOf(root, { severity: 'low' }).map(({ receiver }) => receiver)).toEqual(['log']);
    expect(receivers.get('log')).toMatchObject({ kind: 'log', perMinute: null, wantsEvery: true, sendResolved: true });
  });

  test('limits what people read, and not what machines do, unless it says so', () => {
    const receivers = [
      { name: 'team', slack: { webhook_url: 'https://hooks.slack.com/services/T/B/x' } },
      { name: 'hook', webhook: { url: 'https://example.com' }, max_per_minute: 5, send_resolved: false },
    ];
    const config = alertingSchema.parse({ receivers, route: { receiver: 'team' } });
    const made = createAlerting({ ...options, config }).receivers;
    expect(made.get('team')).toMatchObject({ perMinute: 20, wantsEvery: false, sendResolved: true });
    expect(made.get('hook')).toMatchObject({ perMinute: 5, wantsEvery: true, sendResolved: false });
  });

  test.each([
    ['a receiver that there is not', { route: { receiver: 'team' } }, 'route.receiver names no receiver: team'],
    ['the same in a route', { route: { routes: [{ matchers: ['a=b'], receiver: 'x' }] } }, 'route.routes.0.receiver names no receiver: x'],
    [
      'the same in an escalation',
      { route: { routes: [{ matchers: ['a=b'], routes: [{ matchers: ['c=d'], escalate: { after: '1h', receiver: 'boss' } }] }] } },
      'route.routes.0.routes.0.escalate.receiver names no receiver: boss',
    ],
    ['a name that is taken', { receivers: [LOG, LOG] }, 'receivers.1.name is the name of another receiver: log'],
    ['a receiver of no kind', { receivers: [{ name: 'log' }] }, 'receivers.0 must have one of'],
    ['a receiver of two kinds', { receivers: [{ ...LOG, sns: { topic_arn: 'arn:aws:sns:eu-west-1:111122223333:t' } }] }, 'log and sns'],
    ['a duration that is none', { route: { group_wait: '5' } }, 'route.group_wait must be a duration'],
    ['a matcher that is none', { route: { routes: [{ matchers: ['severity=~"("'] }] } }, 'route.routes.0.matchers.0 has no valid regular'],
    ['a route without matchers', { route: { routes: [{ receiver: 'log' }] } }, 'route.routes.0.matchers'],
    ['matchers of the first route', { route: { matchers: ['a=b'] } }, 'Unrecognized key: "matchers"'],
    ['a label that can be none', { route: { group_by: ['a-b'] } }, 'route.group_by.0 must be the name of a label'],
    ['routes without end', { route: { routes: [deep(4)] } }, 'Unrecognized key: "routes"'],
    ['a word that is not known', { route: { group_weight: '5s' } }, 'Unrecognized key: "group_weight"'],
  ])('refuses %s', (_what, alerting, message) => {
    expect(problems(alerting).join('\n')).toContain(message);
  });

  test('takes four levels of routes', () => {
    expect(problems({ route: { routes: [deep(3)] } })).toEqual([]);
  });

  test('is shown without its secrets', () => {
    const url = 'https://hooks.example.com/services/very-secret';
    const config = configSchema.parse({ alerting: { receivers: [{ name: 'hook', webhook: { url } }], route: { receiver: 'hook' } } });
    expect(JSON.stringify(redactConfig(configSchema, config))).not.toContain('very-secret');
    expect(redactConfig(configSchema, config).alerting.receivers).toMatchObject([{ name: 'hook', webhook: { url: '[secret]' } }]);
  });

  test('has the same fingerprint for the same routes, and another one for others', () => {
    const fingerprint = (alerting: object): string => createAlerting({ ...options, config: alertingSchema.parse(alerting) }).fingerprint;
    expect(fingerprint({})).toBe(fingerprint({ give_up_after: '1h', receivers: [{ name: 'log', log: { level: 'info' } }] }));
    const others = [{}, { route: { group_wait: '1s' } }, { receivers: [LOG, { name: 'b', log: {} }] }, { owner_tags: ['x'] }];
    expect(new Set(others.map(fingerprint)).size).toBe(4);
  });
});

test('links lead to where people reach the service, as far as that is known', () => {
  expect(externalUrlOf({ external_url: 'https://kms.example.com/watch//', listen: '0.0.0.0:1' })).toBe('https://kms.example.com/watch');
  expect(externalUrlOf({ listen: '127.0.0.1:8787' })).toBe('http://127.0.0.1:8787');
  expect(externalUrlOf({ listen: '[::1]:8787' })).toBe('http://[::1]:8787');
  for (const listen of ['0.0.0.0:8787', '[::]:8787', '127.0.0.1:0']) expect(externalUrlOf({ listen })).toBe(null);
});
