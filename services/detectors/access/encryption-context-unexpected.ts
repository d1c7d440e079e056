import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { isCaller } from '../../core/habit.ts';
import { appearances, learnedSince, settled, totalCount } from '../baseline.ts';
import { defineWindowDetector } from '../contract.ts';
import { surprise } from '../statistics.ts';
import { actorFirst, argument, count, iso, keyName, listed, moment, plain, span } from '../wording.ts';

/** Operations that can carry an encryption context; https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html */
const WITH_CONTEXT = new Set([
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
]);
const ABSENT = '(none)';
const PRIOR = 0.5;

/** Judged by the names in the context, never by values. Calls that services make in their own way are theirs to shape, and left out. */
export default defineWindowDetector({
  id: 'encryption-context-unexpected',
  title: 'A KMS key was used with an unusual encryption context',
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
    surpriseBits: z.number().min(1).max(40).default(4.5),
    settlingDays: z.int().min(1).max(365).default(30),
  }),
  techniques: ['T1530'],
  blindSpots: ['Values in the context: only the names are compared.', 'Asymmetric and HMAC keys, whose calls carry no context.'],
  falsePositives: ['A new version of a program that names its data otherwise.'],

  evaluate(subject, { params, asOf }) {
    const memory = params.memoryDays * DAY;
    const direct = (subject.habits ?? []).filter(
      ({ actor, profile }) => WITH_CONTEXT.has(profile.operation) && profile.callingService === null && isCaller(actor),
    );
    return appearances(direct, ({ contextShape }) => contextShape ?? ABSENT, memory).flatMap(
      ({ value, at, eventId, habit, known, novelties }) => {
        const begin = learnedSince(direct, at, memory);
        if (known.length === 0 || at < begin + params.learningDays * DAY) return [];
        const before = totalCount(direct.filter(({ firstAt, lastAt }) => firstAt < at && lastAt >= at - memory));
        const bits = surprise(novelties, Math.min(at - begin, memory) / DAY, PRIOR);
        if (before < params.minimumCalls || bits < params.surpriseBits) return [];
        const isAbsent = value === ABSENT;
        const observed = isAbsent ? 'without an encryption context' : `with an encryption context of the form ${plain(value, 120)}`;
        return [
          {
            dedupKey: [subject.arn, value],
            at,
            actor: habit.actor.id,
            title: isAbsent
              ? 'A KMS key was used without its usual encryption context'
              : 'A KMS key was used with an unusual encryption context',
            evidence: [eventId],
            explanation: {
              what: `${actorFirst(habit.actor)} called ${habit.profile.operation} under ${keyName(subject)} on ${moment(at)} ${observed}.`,
              why: `For ${span(begin, at)} direct callers had used ${count(known.length, 'form')} of context (${listed(known, 3)}; ${count(before, 'call')}), and ${count(novelties, 'new one')} had come up in that time: a surprise of ${bits.toFixed(1)} bits, reported from ${params.surpriseBits} on.`,
              benign: 'A new version of the program names its data otherwise.',
              now: [
                'Ask the owner of the key which program writes such a context.',
                `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
                'A context that is missing or of another program may mean that data of one use was encrypted for another, or that somebody tries ciphertexts.',
                'Bind the permission to the context: kms:EncryptionContextKeys and kms:EncryptionContext conditions in the key policy.',
              ],
            },
            details: {
              observed: plain(value, 200),
              known: known.slice(0, 10).map((shape) => plain(shape, 200)),
              known_count: known.length,
              calls_before: before,
              surprise_bits: Number(bits.toFixed(2)),
            },
            ...settled(at, asOf, {
              days: params.settlingDays,
              reason: `The form is ${params.settlingDays} days old: it now counts as known.`,
            }),
          },
        ];
      },
    );
  },
});
