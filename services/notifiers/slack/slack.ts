import { z } from 'zod';
import type { Notifier } from '../contract.ts';
import { postJson } from '../request.ts';
import { openSecrets, secretFields } from '../secret-value.ts';
import { httpUrl, reachShape } from '../target.ts';
import { caseMessage } from './message.ts';
import { tellThread } from './thread.ts';

const settings = z
  .strictObject({
    ...secretFields('webhook_url', {
      description: 'Incoming webhook: each notification is a message of its own.',
      example: 'https://hooks.slack.com/services/T000/B000/XXXX',
    }),
    ...secretFields('bot_token', {
      description: 'Token of a bot with the scope chat:write, instead of a webhook: one thread for each group of alerts.',
      example: 'xoxb-…',
    }),
    channel: z
      .string()
      .regex(/^[CGD][A-Z0-9]{2,30}$/, 'must be the id of a channel, as in C0123456789')
      .optional()
      .meta({ description: 'Id of the channel, with `bot_token`. The bot must be its member.' }),
    api_url: httpUrl.default('https://slack.com/api').meta({ description: 'Where the Web API is, with `bot_token`.' }),
    ...reachShape,
  })
  .transform(openSecrets(['webhook_url', 'bot_token'], ['webhook_url', 'bot_token']))
  .superRefine((given, context) => {
    if (given.webhook_url && given.bot_token) {
      context.addIssue({ code: 'custom', path: ['bot_token'], message: 'and webhook_url are both set; set one of them' });
    }
    if (given.bot_token && given.channel === undefined) {
      context.addIssue({ code: 'custom', path: ['channel'], message: 'is missing; a bot must be told where to write' });
    }
  });

/** https://docs.slack.dev/apis/web-api/rate-limits: one message a second and channel. */
export const slack: Notifier<z.output<typeof settings>> = {
  kind: 'slack',
  settings,
  paceMs: 1_000,
  async send(notification, { webhook_url, bot_token, channel, api_url, ...reach }, context) {
    if (bot_token && channel !== undefined) {
      return await tellThread(notification, channel, { api: api_url.replace(/\/+$/, ''), token: bot_token, reach }, context);
    }
    if (!webhook_url) return { ok: false, code: 'no-webhook', reason: 'misconfigured', retryable: false };
    const posted = await postJson({ url: webhook_url.reveal(), body: caseMessage(notification), reach }, context);
    return posted.ok ? { ok: true } : posted;
  },
};
