/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { Notification } from '../contract.ts';
import { fit } from '../fit.ts';
import { shortHash } from '../hash.ts';
import { plainText } from '../plain-text.ts';
import { headline } from '../story.ts';
import { clean } from '../text.ts';
import { webhookPayload } from '../webhook-payload.ts';

/** SNS takes 256 KB of message and attributes together; both forms share it, and escaping as JSON within JSON may double them. */
const JSON_BYTES = 80_000;
const TEXT_BYTES = 30_000;
const SUBJECT_MAX = 99;

/** People's subscriptions (e-mail, SMS) get text, all others JSON: the same as the webhook's. */
export function publishInput(notification: Notification, topic: string): PublishCommandInput {
  const [first] = notification.alerts;
  const text = fit(notification, { bytes: TEXT_BYTES, alerts: 20 }, (shown, hidden) => plainText(notification, shown, hidden));
  const attributes = {
    status: notification.status,
    reason: notification.reason,
    severity: first?.severity ?? 'info',
    detector: first?.detector ?? 'none',
    account: clean(first?.account ?? 'none', 60) || 'none',
    region: clean(first?.region ?? 'none', 60) || 'none',
  };
  return {
    TopicArn: topic,
    Subject: subject(headline(notification)),
    Message: JSON.stringify({
      default: webhookPayload(notification, JSON_BYTES),
      email: text,
      sms: clean(headline(notification), 140),
    }),
    MessageStructure: 'json',
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    ),
    ...(topic.endsWith('.fifo') && {
      MessageGroupId: shortHash(notification.groupKey),
      MessageDeduplicationId: shortHash(notification.idempotencyKey),
    }),
  };
}

/** Less than 100 characters of ASCII without control characters, beginning with a letter, a number or punctuation. */
function subject(text: string): string {
  const ascii = text.replace(/[^\x20-\x7e]+/g, '?');
  return ascii.length > SUBJECT_MAX ? `${ascii.slice(0, SUBJECT_MAX - 3)}...` : ascii;
}
