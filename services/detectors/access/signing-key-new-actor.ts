import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { isCaller } from '../../core/habit.ts';
import { appearances, habitEvidence, learnedSince, settled, totalCount } from '../baseline.ts';
import { defineWindowDetector } from '../contract.ts';
import { SIGNING } from '../signing.ts';
import { actorFirst, argument, count, iso, keyArguments, keyName, listed, moment, plain, span } from '../wording.ts';

export default defineWindowDetector({
  id: 'signing-key-new-actor',
  title: 'A new caller signs with an established KMS key',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:Sign', 'kms:GenerateMac', 'kms:DeriveSharedSecret'],
  params: z.strictObject({
    learningDays: z.int().min(1).max(365).default(14),
    memoryDays: z.int().min(15).max(730).default(90),
  }),
  techniques: ['T1553', 'T1606'],
  blindSpots: [
    'First use within the learning days of a key.',
    'Another program or person behind a role that is known already.',
    'What was signed: only a digest reaches KMS.',
  ],
  falsePositives: ['A program that was moved to a new role.'],

  evaluate(subject, { params, asOf }) {
    const memory = params.memoryDays * DAY;
    const signing = (subject.habits ?? []).filter(({ actor, profile }) => SIGNING.has(profile.operation) && isCaller(actor));
    const callers = new Map(signing.map((habit) => [habit.profile, habit.actor.id]));
    return appearances(signing, (profile) => callers.get(profile) ?? null, memory).flatMap(({ value, at, habit, known }) => {
      const begin = learnedSince(signing, at, memory);
      if (known.length === 0 || at < begin + params.learningDays * DAY) return [];
      const own = signing.filter(({ actor, firstAt }) => actor.id === value && firstAt >= at);
      const operations = [...new Set(own.map(({ profile }) => profile.operation))].sort();
      return [
        {
          dedupKey: [subject.arn, value],
          at,
          occurrences: totalCount(own),
          actor: value,
          evidence: habitEvidence(own),
          explanation: {
            what: `${actorFirst(habit.actor)} called ${listed(operations)} with ${keyName(subject)} on ${moment(at)}; up to now the records show ${count(totalCount(own), 'such call')} of it.`,
            why: `Whatever trusts this key now trusts what the caller signed. For ${span(begin, at)} signatures with it came from ${count(known.length, 'caller')} (${listed(known, 3)}). Observed: 1 new caller; expected: none.`,
            benign: 'The program that signs was moved to a new role.',
            now: [
              'Ask the owner of the key whether this caller should sign.',
              `See what lets it in: aws kms get-key-policy ${keyArguments(subject)} --policy-name default --output text; aws kms list-grants ${keyArguments(subject)}`,
              `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
              'If it should not: take its access away, and tell whoever verifies with this key from when on signatures are in doubt.',
            ],
          },
          details: {
            calls: totalCount(own),
            known_callers: known.slice(0, 10).map((name) => plain(name, 256)),
            known_count: known.length,
            operations,
            actor_type: habit.actor.type,
          },
          ...settled(at, asOf, {
            days: params.memoryDays,
            reason: `The first signature is ${params.memoryDays} days old: the caller now counts as known to the key.`,
          }),
        },
      ];
    });
  },
});
