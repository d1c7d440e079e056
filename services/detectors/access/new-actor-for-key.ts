import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { type Context, defineWindowDetector, type KeySubject } from '../contract.ts';
import { type FirstUse, firstUses } from '../first-use.ts';
import { personOf } from '../person.ts';
import { actorName, argument, count, iso, isAws, keyArguments, keyName, moment, plain, span } from '../wording.ts';

interface Params {
  readonly learningDays: number;
  readonly memoryDays: number;
}

export default defineWindowDetector<Params, 'key'>({
  id: 'new-actor-for-key',
  title: 'A caller used an established KMS key for the first time',
  severity: 'medium',
  status: 'stable',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({
    learningDays: z.int().min(1).max(365).default(14),
    memoryDays: z.int().min(1).max(730).default(90),
  }),
  techniques: ['T1078.004'],
  blindSpots: [
    'First use within the learning days of a key: everybody is then taken as known.',
    'A known caller that comes back after a long absence.',
    'Another program or person behind a role that is known already.',
    'Keys whose read-only events are not logged.',
  ],
  falsePositives: ['A program that was moved to a new role.', 'A key that is taken into use long after it was created.'],

  evaluate(subject, context) {
    const { begin, firsts } = firstUses(subject, context.params.memoryDays * DAY);
    const established = begin + context.params.learningDays * DAY;
    return firsts
      .filter(({ use }) => use.firstAt >= established && !isAws(use.actor) && !isToldTwice(use, firsts))
      .map((first) => {
        const { use } = first;
        const factors = factorsOf(first, subject, context);
        const forgotten = use.firstAt + context.params.memoryDays * DAY;
        const reason = `The first use is ${context.params.memoryDays} days old: the caller now counts as known to the key.`;
        return {
          dedupKey: [subject.arn, use.actor.id],
          at: use.firstAt,
          actor: use.actor.id,
          severity: factors.length > 0 ? ('high' as const) : ('medium' as const),
          evidence: [use.firstEventId],
          explanation: {
            what: `The first successful cryptographic call of ${actorName(use.actor)} under ${keyName(subject)} that the records show was on ${moment(use.firstAt)}. Up to now they show ${count(use.count, 'call')} of it.`,
            why: `${habitOf(first, begin, context.params)} Observed: 1 new caller; expected: none.${factors.length > 0 ? ` It is ${factors.join(', and ')}.` : ''}`,
            benign: 'A program was moved to a new role, or the caller was given access under a change request.',
            now: [
              'Ask the owner of the key whether this caller should use it.',
              `See what lets it in: aws kms get-key-policy ${keyArguments(subject)} --policy-name default --output text; aws kms list-grants ${keyArguments(subject)}`,
              `Look at the calls under the key: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --region ${argument(subject.region, 'REGION')}`,
              'If it should not: take the permission out of the policy or revoke the grant, and find out what was decrypted.',
            ],
          },
          details: {
            known_actors: first.known,
            new_actors_before: first.joined,
            use_known_days: Math.floor((use.firstAt - begin) / DAY),
            calls: use.count,
            last_call_at: iso(use.lastAt),
            actor_type: use.actor.type,
            actor_account: use.actor.account,
            factors,
          },
          ...(context.asOf >= forgotten ? { resolved: { at: forgotten, reason } } : {}),
        };
      });
  },
});

/**
 * A call from another account is logged there with its caller, and in the key's account as that account's: where both logs are
 * read, the caller stands for both.
 */
function isToldTwice({ actor, firstAt }: FirstUse['use'], firsts: readonly FirstUse[]): boolean {
  if (actor.type !== 'account') return false;
  return firsts.some(
    ({ use }) => use.actor.type !== 'account' && use.actor.account === actor.account && Math.abs(use.firstAt - firstAt) <= 1000,
  );
}

/** What makes the new caller worse than a new program of the same account. */
function factorsOf({ use: { actor } }: FirstUse, subject: KeySubject, { organization }: Context<Params>): string[] {
  const person = personOf(actor);
  const foreign = actor.account !== null && actor.account !== subject.account && !organization.ownAccounts.has(actor.account);
  const outside = foreign ? `a caller of another account than the key's, which is ${plain(subject.account, 32)}` : null;
  return [person, outside].filter((factor) => factor !== null);
}

function habitOf({ use, known, lastJoinedAt }: FirstUse, begin: number, { memoryDays }: Params): string {
  const last = lastJoinedAt === null ? '' : `; the last new one came ${span(lastJoinedAt, use.firstAt)} earlier`;
  return `Use of the key had been on record for ${span(begin, use.firstAt)}. Callers known by then: ${known} (who is silent for ${memoryDays} days is forgotten)${last}.`;
}
