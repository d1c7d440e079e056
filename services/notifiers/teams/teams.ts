import { z } from 'zod';
import type { Notifier } from '../contract.ts';
import { postJson } from '../request.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { reachShape } from '../target.ts';
import { cardMessage } from './card.ts';

const settings = z
  .strictObject({
    ...secretFields('webhook_url', {
      description: 'URL of a workflow that begins "when a Teams webhook request is received".',
      example: 'https://prod-00.westeurope.logic.azure.com/workflows/XXXX/triggers/manual/paths/invoke?sig=XXXX',
    }),
    ...reachShape,
  })
  .transform(openSecrets(['webhook_url'], ['webhook_url']));

/** Four requests a second are taken: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors */
export const teams: Notifier<z.output<typeof settings>> = {
  kind: 'teams',
  settings,
  paceMs: 250,
  async send(notification, { webhook_url, ...reach }, context) {
    if (!webhook_url) return { ok: false, code: 'no-webhook', reason: 'misconfigured', retryable: false };
    const posted = await postJson({ url: webhook_url.reveal(), body: cardMessage(notification), reach }, context);
    return posted.ok ? { ok: true } : posted;
  },
};
