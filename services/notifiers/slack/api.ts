/** Slack's Web API: https://docs.slack.dev/apis/web-api. It answers 200 with `ok: false` for most of what goes wrong. */
import type { DeliveryFailure, NotDelivered, NotifyContext } from '../contract.ts';
import { answerFields, postJson } from '../request.ts';
import type { SecretValue } from '../secret-value.ts';
import type { Reach } from '../target.ts';

export interface SlackPlace {
  /** `https://slack.com/api` */
  readonly api: string;
  readonly token: SecretValue;
  readonly reach: Reach;
}

export type SlackMethod = 'chat.postMessage' | 'chat.update';

export type SlackAnswer = { readonly ok: true; readonly channel: string; readonly ts: string } | NotDelivered;

/** The errors that we tell apart (https://docs.slack.dev/reference/methods/chat.postMessage#errors); others are `slack-error`. */
const ERRORS: ReadonlyMap<string, readonly [DeliveryFailure, boolean]> = new Map([
  ...named('unauthorized', false, [
    'account_inactive',
    'invalid_auth',
    'missing_scope',
    'no_permission',
    'not_authed',
    'not_in_channel',
    'restricted_action',
    'token_expired',
    'token_revoked',
  ]),
  ...named('misconfigured', false, ['channel_not_found', 'is_archived', 'team_access_not_granted']),
  ...named('too-large', false, ['msg_blocks_too_long', 'msg_too_long']),
  ...named('rejected', false, ['invalid_arguments', 'invalid_blocks', 'invalid_blocks_format', 'no_text', 'too_many_attachments']),
  ...named('rejected', true, ['cant_update_message', 'edit_window_closed', 'message_not_found', 'thread_not_found']),
  ...named('rate-limited', true, ['rate_limited', 'ratelimited', 'message_limit_exceeded']),
  ...named('server-error', true, ['fatal_error', 'internal_error', 'request_timeout', 'service_unavailable', 'team_added_to_org']),
]);

function named(reason: DeliveryFailure, retryable: boolean, codes: readonly string[]) {
  return codes.map((code) => [code, [reason, retryable]] as const);
}

/** Slack's names of channels and messages, as it gives them out. */
const ID = /^[A-Za-z0-9._-]{1,64}$/;

export async function callSlack(place: SlackPlace, method: SlackMethod, body: string, context: NotifyContext): Promise<SlackAnswer> {
  const headers = { authorization: `Bearer ${place.token.reveal()}` };
  const posted = await postJson({ url: `${place.api}/${method}`, body, headers, reach: place.reach }, context);
  if (!posted.ok) return posted;
  const answer = answerFields(posted.body);
  const [channel, ts, error] = [answer.get('channel'), answer.get('ts'), answer.get('error')];
  if (answer.get('ok') === true && typeof channel === 'string' && typeof ts === 'string' && ID.test(channel) && ID.test(ts)) {
    return { ok: true, channel, ts };
  }
  // Something between here and Slack may answer 200 too; that is not an answer of Slack.
  if (answer.get('ok') !== false) return { ok: false, code: 'answer-unreadable', reason: 'server-error', retryable: true };
  const known = typeof error === 'string' ? ERRORS.get(error) : undefined;
  if (!known) return { ok: false, code: 'slack-error', reason: 'rejected', retryable: false };
  return { ok: false, code: String(error), reason: known[0], retryable: known[1] };
}
