import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { aliasMoves, aliasName } from '../alias-move.ts';
import { defineEventDetector } from '../contract.ts';
import type { AliasSubject } from '../contract.ts';
import { argument, callerFirst, deed, eventMatch, isAws, keyId, moment, plain } from '../wording.ts';

/** `UpdateAlias`: https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html */
export default defineEventDetector({
  id: 'alias-repointed',
  title: 'Alias was moved to another KMS key',
  severity: 'medium',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'alias',
  events: ['kms:UpdateAlias', 'kms:CreateAlias', 'kms:DeleteAlias'],
  params: z.strictObject({}),
  techniques: ['T1486', 'T1565'],
  blindSpots: ['The first target of an alias that the records show is taken as it is.'],
  falsePositives: ['Manual rotation: an alias moved to a newer key by its usual administrator is told as low.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, after }, subject) {
    const move = aliasMoves(subject).get(event);
    if (move?.verdict !== 'changed' || move.from === null || after === null) return null;
    // Only AWS can move aliases of AWS managed keys, and does.
    const alias = aliasName(subject);
    if (alias.startsWith('alias/aws/') && isAws(event.actor)) return null;
    const rotation = isManualRotation(subject, event, { from: move.from, to: after });
    return eventMatch(event, {
      severity: rotation ? 'low' : 'medium',
      explanation: {
        what: `${callerFirst(event)} moved ${plain(alias)} in ${plain(subject.region, 32)} from key ${keyId(move.from)} to key ${keyId(after)} on ${moment(event.eventTime)}, by ${event.operation}.`,
        why: `Whatever encrypts by this alias now does so under another key, which may have another policy and another owner. ${
          rotation
            ? 'The new key is newer than the old one and the caller has moved or made this alias before: this looks like manual rotation.'
            : 'The records do not show that the new key is newer and that the caller has moved or made this alias before, as in manual rotation.'
        }`,
        benign: 'The move is the manual rotation of a key that cannot rotate automatically.',
        now: [
          'Ask the caller for the change request.',
          `Look at the new key: aws kms get-key-policy --key-id ${argument(after, 'KEY_ARN')} --policy-name default --region ${argument(subject.region, 'REGION')}`,
          `Move it back: aws kms update-alias --alias-name ${argument(alias, 'ALIAS')} --target-key-id ${argument(keyId(move.from), 'KEY_ID')} --region ${argument(subject.region, 'REGION')}`,
        ],
      },
      details: { alias: plain(alias, 256), from_key: move.from, to_key: after, looks_like_rotation: rotation },
    });
  },

  mends({ event }, subject) {
    const move = aliasMoves(subject).get(event);
    return move?.verdict === 'restored' && move.to !== null ? `The alias points to key ${keyId(move.to)} again: ${deed(event)}.` : null;
  },
});

/** Newer key, and a caller who moved or made this alias before. What is not known counts as no. */
function isManualRotation(subject: AliasSubject, event: StoredEvent, move: { readonly from: string; readonly to: string }): boolean {
  const [from, to] = [createdAt(subject, move.from), createdAt(subject, move.to)];
  if (from === null || to === null || to <= from) return false;
  for (const { event: earlier } of subject.timeline) {
    if (earlier === event) return false;
    if (earlier.outcome === 'ok' && earlier.actor.id === event.actor.id) return true;
  }
  return false;
}

function createdAt(subject: AliasSubject, keyArn: string): number | null {
  const facts = Object.hasOwn(subject.targets, keyArn) ? subject.targets[keyArn] : undefined;
  return facts?.created?.value ?? null;
}
