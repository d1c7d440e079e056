import { z } from 'zod';
import { parseKmsArn } from '../../core/arn.ts';
import { type ActorSubject, defineWindowDetector } from '../contract.ts';
import { rowEvidence, rowSpan } from '../row-evidence.ts';
import { argument, count, iso, keyId, listed, moment, plain } from '../wording.ts';

/** When the root user is needed: https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html */
export default defineWindowDetector({
  id: 'root-used-key',
  title: 'The root user of an account called KMS',
  severity: 'high',
  status: 'stable',
  family: 'access',
  kind: 'window',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({}),
  techniques: ['T1078.004'],
  blindSpots: ['Read-only calls where a trail logs none, and calls that CloudTrail does not log.'],
  falsePositives: ['The root user opened encrypted data of another service in the console, and that service called KMS.'],

  evaluate(subject) {
    if (subject.actor.type !== 'root') return [];
    return [...Map.groupBy(subject.uses, placeOf)].map(([place, uses]) => {
      const [{ keyArn, region: calledIn } = { keyArn: null, region: '' }] = uses;
      const region = (keyArn === null ? null : parseKmsArn(keyArn)?.region) ?? calledIn;
      const { firstAt, lastAt } = rowSpan(uses);
      const calls = sum(uses);
      const failed = sum(uses.filter((use) => use.outcome !== 'ok'));
      const kinds = [...new Set(uses.map((use) => use.operationClass))].toSorted();
      const target = `${keyArn === null ? 'KMS without naming a key' : `key ${keyId(keyArn)}`} in ${plain(region, 32)}`;
      const when = firstAt === lastAt ? `on ${moment(firstAt)}` : `from ${moment(firstAt)} to ${moment(lastAt)}`;
      return {
        dedupKey: [subject.actor.id, place],
        keyArn,
        region,
        at: firstAt,
        until: lastAt,
        occurrences: calls,
        actor: subject.actor.id,
        evidence: rowEvidence(uses),
        explanation: {
          what: `The root user of account ${plain(subject.actor.account ?? 'unknown', 32)} made ${count(calls, 'call')} (${failed} of them failed) to ${target}, ${when}. Kinds of calls: ${listed(kinds)}.`,
          why: 'AWS advises to use the root user only for what nobody else can do. KMS calls are no such thing: 0 are expected. Identity policies of the account do not limit the root user.',
          benign: 'The holder of the root user did it under a written procedure, or opened encrypted data in the console.',
          now: [
            'Ask the holder of the root user whether it was them.',
            `List what the root user did: aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=root --region ${argument(region, 'REGION')}`,
            'See whether it has access keys and MFA: aws iam get-account-summary',
            'If it was not them: change its password, delete its access keys, and review the keys it touched.',
          ],
        },
        details: { calls, failed_calls: failed, kinds, first_call_at: iso(firstAt), last_call_at: iso(lastAt) },
      };
    });
  },
});

type Use = ActorSubject['uses'][number];

/** A finding is about one key, or about all calls in one Region that name none. */
function placeOf(use: Use): string {
  return use.keyArn ?? `${use.account}:${use.region}`;
}

function sum(uses: readonly Use[]): number {
  return uses.reduce((total, use) => total + use.count, 0);
}
