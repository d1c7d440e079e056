import { z } from 'zod';
import type { Notifier } from '../contract.ts';
import { shortHash } from '../hash.ts';
import { postJson } from '../request.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { reachShape } from '../target.ts';
import { webhookPayload } from '../webhook-payload.ts';
import { signatureHeaders, signingKeys } from './signature.ts';

const settings = z
  .strictObject({
    ...secretFields('url', { description: 'Where notifications are posted.', example: 'https://example.com/kmswatch' }),
    ...secretFields('signing_secret', {
      description:
        'Secret that signs each message by Standard Webhooks. Several, separated by spaces or line breaks, newest first, sign together: so a secret is replaced without a gap.',
      example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    }),
    ...secretFields('authorization', { description: 'Value of the header Authorization.', example: 'Bearer XXXX' }),
    max_bytes: z.int().min(16_384).max(1_000_000).default(20_000).meta({
      description: 'Largest message; findings that do not fit are counted in it. Standard Webhooks recommends less than 20 KB.',
    }),
    ...reachShape,
  })
  .transform(openSecrets(['url', 'signing_secret', 'authorization'], ['url']))
  .superRefine(({ signing_secret, authorization }, context) => {
    if (signing_secret && signingKeys(signing_secret.reveal()) === null) {
      const message = 'must be one to five secrets, each whsec_ and 24 to 64 bytes in base64';
      context.addIssue({ code: 'custom', path: ['signing_secret'], message });
    }
    if (authorization && !/^[\x20-\x7e]{1,4000}$/.test(authorization.reveal())) {
      context.addIssue({ code: 'custom', path: ['authorization'], message: 'must be one line of ASCII' });
    }
  });

/** Any receiver of ours. It knows a repetition by `webhook-id`, which is the same for every attempt. */
export const webhook: Notifier<z.output<typeof settings>> = {
  kind: 'webhook',
  settings,
  paceMs: 0,
  async send(notification, { url, signing_secret, authorization, max_bytes, ...reach }, context) {
    if (!url) return { ok: false, code: 'no-url', reason: 'misconfigured', retryable: false };
    const body = webhookPayload(notification, max_bytes);
    const id = `msg_${shortHash(notification.idempotencyKey)}`;
    const timestamp = Math.floor(context.clock.now() / 1000);
    const keys = signing_secret ? (signingKeys(signing_secret.reveal()) ?? []) : [];
    const headers = {
      ...(keys.length > 0 ? signatureHeaders(keys, { id, timestamp, body }) : { 'webhook-id': id, 'webhook-timestamp': String(timestamp) }),
      ...(authorization && { authorization: authorization.reveal() }),
    };
    const posted = await postJson({ url: url.reveal(), body, headers, reach }, context);
    return posted.ok ? { ok: true } : posted;
  },
};
