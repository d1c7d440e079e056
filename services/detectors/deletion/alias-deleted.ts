import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { aliasName } from '../alias-move.ts';
import { defineEventDetector } from '../contract.ts';
import { argument, callerFirst, deed, eventMatch, isAws, iso, keyId, moment, plain, span } from '../wording.ts';

/** `DeleteAlias`: https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html */
export default defineEventDetector({
  id: 'alias-deleted',
  title: 'Alias of a KMS key in use was deleted',
  severity: 'medium',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'alias',
  events: ['kms:DeleteAlias', 'kms:CreateAlias', 'kms:UpdateAlias'],
  params: z.strictObject({ recentUseDays: z.int().min(1).max(365).default(30) }),
  techniques: ['T1489'],
  blindSpots: [
    'Use is not visible when read-only events are not logged (WriteOnly trails); then no finding is raised.',
    'Whether the key is used by this alias, by another or by its id is not told apart.',
  ],
  falsePositives: ['Callers that name the key by its id or ARN do not notice.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, before }, subject, { params }) {
    if (event.operation !== 'DeleteAlias') return null;
    const target = before ?? (event.key?.kind === 'key' ? event.key.arn : null);
    const alias = aliasName(subject);
    if (target === null || (alias.startsWith('alias/aws/') && isAws(event.actor))) return null;
    const lastUsed = Object.hasOwn(subject.lastUsed, target) ? subject.lastUsed[target] : undefined;
    if (lastUsed === undefined || lastUsed < event.eventTime - params.recentUseDays * DAY) return null;
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} deleted ${plain(alias)} in ${plain(subject.region, 32)} on ${moment(event.eventTime)}; it pointed to key ${keyId(target)}.`,
        why: `The key was last used successfully on ${moment(lastUsed)}, ${span(lastUsed, event.eventTime)} ${lastUsed <= event.eventTime ? 'before' : 'after'}; expected is no use for ${params.recentUseDays} days before an alias goes. Callers that name the key by this alias now fail with NotFoundException.`,
        benign: 'Nobody uses the alias: callers name the key by its id, its ARN or another alias.',
        now: [
          'Ask the caller for the change request.',
          `Make it again: aws kms create-alias --alias-name ${argument(alias, 'ALIAS')} --target-key-id ${argument(keyId(target), 'KEY_ID')} --region ${argument(subject.region, 'REGION')}`,
          `Look for other aliases: aws kms list-aliases --key-id ${argument(target, 'KEY_ARN')} --region ${argument(subject.region, 'REGION')}`,
        ],
      },
      details: { alias: plain(alias, 256), key_arn: target, last_used_at: iso(lastUsed), recent_use_days: params.recentUseDays },
    });
  },

  mends({ event, after }) {
    if (event.operation !== 'CreateAlias') return null;
    return `The alias exists again${after === null ? '' : ` and points to key ${keyId(after)}`}: ${deed(event)}.`;
  },
});
