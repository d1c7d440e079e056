import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { isCaller } from '../../core/habit.ts';
import { appearances, learnedSince, settled, totalCount } from '../baseline.ts';
import { defineWindowDetector } from '../contract.ts';
import { actorFirst, argument, count, iso, keyArguments, keyName, listed, moment, plain, span } from '../wording.ts';

const NONE = 'none';

/** Calls that come through AWS services never pass an endpoint of ours and are left out. */
export default defineWindowDetector({
  id: 'endpoint-bypassed',
  title: 'A KMS key that is used through VPC endpoints was called without one',
  severity: 'medium',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({
    learningDays: z.int().min(1).max(365).default(14),
    memoryDays: z.int().min(15).max(730).default(90),
    minimumCalls: z.int().min(1).default(20),
    settlingDays: z.int().min(1).max(365).default(30),
  }),
  techniques: ['T1550.001'],
  blindSpots: [
    'Keys that were called both ways from the beginning.',
    'Calls from an endpoint of somebody else: they count as calls through an endpoint.',
  ],
  falsePositives: ['A new program outside the network, or an endpoint that was taken down.'],

  evaluate(subject, { params, asOf }) {
    const memory = params.memoryDays * DAY;
    const direct = (subject.habits ?? []).filter(
      ({ actor, profile }) => profile.operationClass === 'use' && profile.callingService === null && isCaller(actor),
    );
    return appearances(direct, ({ vpcEndpoint }) => vpcEndpoint ?? NONE, memory).flatMap(({ value, at, eventId, habit, known }) => {
      if (value !== NONE || known.length === 0 || at < learnedSince(direct, at, memory) + params.learningDays * DAY) return [];
      const through = direct.filter(
        ({ profile, firstAt, lastAt }) => profile.vpcEndpoint !== null && firstAt < at && lastAt >= at - memory,
      );
      const calls = totalCount(through);
      if (calls < params.minimumCalls) return [];
      const network = plain(habit.profile.network ?? 'an unknown network', 64);
      return [
        {
          dedupKey: [subject.arn],
          at,
          actor: habit.actor.id,
          evidence: [eventId],
          explanation: {
            what: `${actorFirst(habit.actor)} called ${habit.profile.operation} under ${keyName(subject)} on ${moment(at)} without a VPC endpoint, from ${network}.`,
            why: `For ${span(Math.min(...through.map(({ firstAt }) => firstAt)), at)} all direct callers had come through VPC endpoints (${listed(known, 3)}; ${count(calls, 'call')}). Observed: a call without one; expected: none.`,
            benign: 'A program was set up outside the network, or an endpoint was taken down.',
            now: [
              `Ask the owner of ${plain(habit.actor.name, 80)} whether it may run outside the network.`,
              `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
              'If credentials were taken out of the network, revoke the sessions of the caller.',
              `Close the way: a condition on aws:SourceVpce in the key policy: aws kms get-key-policy ${keyArguments(subject)} --policy-name default --output text`,
            ],
          },
          details: { endpoints: known.slice(0, 10).map((name) => plain(name, 64)), calls_through_endpoints: calls, network },
          ...settled(at, asOf, {
            days: params.settlingDays,
            reason: `The first call without an endpoint is ${params.settlingDays} days old: the way now counts as known.`,
          }),
        },
      ];
    });
  },
});
