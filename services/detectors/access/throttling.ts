import { z } from 'zod';
import { HOUR, MINUTE } from '../../core/clock.ts';
import { settled } from '../baseline.ts';
import { defineWindowDetector, type ThrottledHour } from '../contract.ts';
import { actorName, argument, count, iso, listed, moment, plain } from '../wording.ts';

/** Quotas are per account and Region: https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html */
export default defineWindowDetector({
  id: 'throttling',
  title: 'KMS throttles calls of an account',
  severity: 'low',
  status: 'test',
  family: 'access',
  kind: 'window',
  subject: 'account',
  events: ['kms:*'],
  params: z.strictObject({
    share: z.number().min(0.0001).max(1).default(0.01),
    minutes: z.int().min(1).max(59).default(10),
    settlingDays: z.int().min(1).max(365).default(7),
  }),
  techniques: ['T1499'],
  blindSpots: ['Hours with fewer than 20 throttled calls.', 'Calls that AWS services retry without logging them.'],
  falsePositives: ['A load test.'],

  evaluate(subject, { params, asOf }) {
    const hours = (subject.throttled ?? []).filter(
      (hour) => hour.throttled > params.share * hour.calls && hour.lastAt - hour.firstAt >= params.minutes * MINUTE,
    );
    return [...Map.groupBy(hours, ({ region }) => region)].map(([region, own]) => {
      const worst = own.toSorted((a, b) => b.throttled / b.calls - a.throttled / a.calls || a.hour - b.hour)[0] as ThrottledHour;
      const throttled = own.reduce((sum, hour) => sum + hour.throttled, 0);
      const at = Math.min(...own.map((hour) => hour.firstAt));
      const until = Math.max(...own.map((hour) => hour.lastAt));
      const callers = worst.callers.map(({ actor, operation, count: n }) => `${actorName(actor)} (${n}: ${plain(operation, 64)})`);
      const dataKeys = own
        .flatMap((hour) => hour.callers)
        .filter(({ operation }) => operation === 'GenerateDataKey' || operation === 'Decrypt');
      return {
        dedupKey: [subject.account, region],
        region,
        at,
        until,
        occurrences: throttled,
        actor: worst.callers[0]?.actor.id ?? null,
        evidence: [...new Set(own.flatMap((hour) => [hour.firstEventId, hour.lastEventId]))],
        explanation: {
          what: `KMS throttled ${count(throttled, 'call')} of account ${plain(subject.account, 32)} in ${plain(region, 32)}, in ${count(own.length, 'hour')} from ${moment(at)} on. Most in the worst hour: ${listed(callers, 3)}.`,
          why: `Observed: ${worst.throttled} of ${worst.calls} calls in the hour from ${moment(worst.hour)} (${((100 * worst.throttled) / worst.calls).toFixed(1)} %), for at least ${params.minutes} minutes; expected: no more than ${(100 * params.share).toFixed(1)} %. Who is throttled cannot decrypt, and everybody in the account and Region shares one quota.`,
          benign: 'A load test, or a migration that is over soon.',
          now: [
            dataKeys.length > 0
              ? 'Most of it is data keys: S3 Bucket Keys make one call for many objects, and data-key caching of the AWS Encryption SDK one for many messages.'
              : 'See whether the callers can ask less often or spread their calls.',
            `See the quota and how near it is: aws service-quotas list-service-quotas --service-code kms --region ${argument(region, 'REGION')}`,
            `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(worst.hour)} --end-time ${iso(worst.hour + HOUR)} --region ${argument(region, 'REGION')}`,
            'A caller that nobody expects here, and that causes most of it, is a reason to look at volume-spike and key-sweep findings of the same hours.',
          ],
        },
        details: {
          throttled_calls: throttled,
          hours: own.length,
          worst_hour: iso(worst.hour),
          worst_share: Number((worst.throttled / worst.calls).toFixed(4)),
          worst_calls: worst.calls,
          callers: worst.callers.map(({ actor, operation, count: n }) => ({
            actor: plain(actor.id, 256),
            operation: plain(operation, 64),
            throttled: n,
          })),
        },
        ...settled(until, asOf, {
          days: params.settlingDays,
          reason: `No throttling of that extent for ${count(params.settlingDays, 'day')}.`,
        }),
      };
    });
  },
});
