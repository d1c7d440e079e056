import { z } from 'zod';
import type { Notifier } from '../contract.ts';
import { postJson } from '../request.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { httpUrl, reachShape } from '../target.ts';
import { eventMessage } from './event.ts';

const settings = z
  .strictObject({
    ...secretFields('routing_key', { description: 'Integration key of an Events API v2 integration.', example: '32 characters' }),
    url: httpUrl
      .default('https://events.pagerduty.com/v2/enqueue')
      .meta({ description: 'Where events go; accounts in the EU: https://events.eu.pagerduty.com/v2/enqueue.' }),
    ...reachShape,
  })
  .transform(openSecrets(['routing_key'], ['routing_key']));

/** Some eight events a second are taken of an integration. */
export const pagerduty: Notifier<z.output<typeof settings>> = {
  kind: 'pagerduty',
  settings,
  paceMs: 125,
  async send(notification, { routing_key, url, ...reach }, context) {
    if (!routing_key) return { ok: false, code: 'no-routing-key', reason: 'misconfigured', retryable: false };
    const posted = await postJson({ url, body: eventMessage(notification, routing_key.reveal()), reach }, context);
    return posted.ok ? { ok: true } : posted;
  },
};
