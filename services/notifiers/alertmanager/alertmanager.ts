import { z } from 'zod';
import { MINUTE } from '../../core/clock.ts';
import type { NotDelivered, Notifier } from '../contract.ts';
import { postJson } from '../request.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { httpUrl, reachShape } from '../target.ts';
import { postableAlerts } from './alerts.ts';

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;

const settings = z
  .strictObject({
    urls: z
      .array(httpUrl)
      .min(1)
      .max(10)
      .meta({
        description: 'Base URL of every instance of the cluster; alerts go to each.',
        examples: [['https://alertmanager.example.com']],
      }),
    ...secretFields('bearer_token', { description: 'Token that is sent with each request.' }),
    labels: z
      .record(z.string(), z.string().min(1).max(200))
      .refine((labels) => Object.keys(labels).every((name) => LABEL.test(name)), 'must be names of labels: letters, digits and _')
      .default({})
      .meta({ description: 'Labels that every alert gets.', examples: [{ team: 'security' }] }),
    expire_minutes: z.int().min(3).max(1440).default(15).meta({
      description: 'A firing alert ends by itself when it is not sent again for so long; it is sent again after a third of this time.',
    }),
    ...reachShape,
  })
  .transform(openSecrets(['bearer_token']));

/** Alertmanager forgets what is not sent again, so firing alerts are; it knows repetitions by their labels. */
export const alertmanager: Notifier<z.output<typeof settings>> = {
  kind: 'alertmanager',
  settings,
  paceMs: 0,
  resendAfterMs: ({ expire_minutes }) => (expire_minutes * MINUTE) / 3,
  async send(notification, { urls, bearer_token, labels, expire_minutes, ...reach }, context) {
    const now = context.clock.now();
    const body = JSON.stringify(postableAlerts(notification, { labels, now, firingUntil: now + expire_minutes * MINUTE }));
    const headers: Record<string, string> = bearer_token ? { authorization: `Bearer ${bearer_token.reveal()}` } : {};
    const answers = await Promise.all(
      urls.map((url) => postJson({ url: `${url.replace(/\/+$/, '')}/api/v2/alerts`, body, headers, reach }, context)),
    );
    const failures = answers.filter((answer): answer is NotDelivered => !answer.ok);
    // Instances do not tell each other of alerts: what one has not taken is sent to all again, which changes nothing for the others.
    return failures.find(({ retryable }) => retryable) ?? failures[0] ?? { ok: true };
  },
};
