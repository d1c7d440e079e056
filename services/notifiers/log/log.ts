import { z } from 'zod';
import type { Notifier } from '../contract.ts';
import { countsInWords, headline } from '../story.ts';
import { clean } from '../text.ts';

const settings = z.strictObject({
  level: z.enum(['info', 'warn', 'error']).default('warn').meta({ description: 'Level of the line.' }),
});

/** One line of kmswatch's own log for each notification. */
export const log: Notifier<z.output<typeof settings>> = {
  kind: 'log',
  settings,
  paceMs: 0,
  async send(notification, { level }, { logger }) {
    const { receiver, status, reason, truncated, alerts } = notification;
    const findings = alerts.map((alert) => ({
      id: alert.findingId,
      detector: alert.detector,
      severity: alert.severity,
      status: alert.status,
      title: clean(alert.title, 200),
      key: alert.keyArn === null ? null : clean(alert.keyArn, 300),
      actor: alert.actor === null ? null : clean(alert.actor, 300),
      account: clean(alert.account, 60),
      region: clean(alert.region, 60),
    }));
    logger[level]({ receiver, status, reason, counts: countsInWords(notification), findings, truncated }, headline(notification));
    return { ok: true };
  },
};
