import { DETECTORS } from '../../detectors/registry.ts';
import { KmswatchError } from '../../core/errors.ts';
import { digest128 } from '../../core/ids.ts';
import type { Notification } from '../../notifiers/contract.ts';
import { monotonicMs } from '../../platform/clock.ts';
import { createAlerting, externalUrlOf } from '../../workers/notify-alerting.ts';
import { visible } from '../../api/text/visible.ts';
import { type App, openLogger, readConfig } from '../app.ts';
import { printJson } from '../json.ts';

const TIMEOUT_MS = 60_000;

/** Sends a test to one receiver: no database, no outbox, no second try. */
export async function testReceiver(app: App, name: string, options: { readonly json?: boolean }): Promise<void> {
  const config = readConfig(app, { quiet: true });
  const alerting = createAlerting({
    config: config.alerting,
    externalUrl: externalUrlOf(config),
    runbooksUrl: config.runbooks_url ?? null,
    clock: app.clock,
    logger: openLogger(app, config),
  });
  const receiver = alerting.receivers.get(name);
  if (!receiver) {
    const hint = `The configuration has ${[...alerting.receivers.keys()].join(', ')}.`;
    throw new KmswatchError('NOT_FOUND', `There is no receiver ${JSON.stringify(name)}.`, { hint });
  }
  const since = monotonicMs();
  const signal = AbortSignal.any([app.interrupt, AbortSignal.timeout(TIMEOUT_MS)]);
  const delivery = await receiver.send(testNotification(name, app.clock.now(), alerting.externalUrl), { signal, memory: null });
  const milliseconds = Math.round(monotonicMs() - since);
  app.finish(delivery.ok ? 0 : 1);
  if (options.json) {
    const failure = delivery.ok ? null : { reason: delivery.reason, code: delivery.code, retryable: delivery.retryable };
    printJson(app.out.stdout, { receiver: name, kind: receiver.kind, ok: delivery.ok, milliseconds, failure });
    return;
  }
  if (delivery.ok) app.out.stdout.write(`${visible(name)} (${receiver.kind}) took it in ${milliseconds} ms.\n`);
  else {
    const again = delivery.retryable ? 'A real notification would be tried again.' : 'A real notification would not be tried again.';
    app.out.stdout.write(`${visible(name)} (${receiver.kind}) did not take it: ${delivery.reason} (${visible(delivery.code)}). ${again}\n`);
  }
}

function testNotification(receiver: string, at: number, externalUrl: string | null): Notification {
  const [detector] = DETECTORS;
  const title = 'TEST: this is a test notification of kmswatch, nothing has happened';
  return {
    idempotencyKey: digest128(['test', receiver, String(at)]),
    receiver,
    groupKey: `test:${receiver}`,
    groupLabels: { test: 'true' },
    status: 'firing',
    reason: 'test',
    alerts: [
      {
        findingId: '0000000000000000',
        detector: detector?.id ?? 'test',
        family: detector?.family ?? 'test',
        severity: 'info',
        status: 'open',
        title,
        explanation: {
          what: 'Somebody ran "kmswatch notify test".',
          why: 'To see that notifications arrive here.',
          benign: 'Always.',
          now: ['Nothing: it can be closed.'],
        },
        keyArn: null,
        keyName: null,
        actor: null,
        account: '000000000000',
        region: 'test',
        firstSeen: at,
        lastSeen: at,
        resolvedAt: null,
        occurrences: 1,
        url: externalUrl,
        runbookUrl: null,
      },
    ],
    truncated: 0,
    counts: { critical: 0, high: 0, medium: 0, low: 0, info: 1 },
    at,
  };
}
