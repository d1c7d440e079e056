import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import { type Habit, isCaller } from '../../core/habit.ts';
import { earliest, habitEvidence, latest, learnedSince, settled, totalCount } from '../baseline.ts';
import { defineWindowDetector, type KeySubject } from '../contract.ts';
import { personOf } from '../person.ts';
import { actorFirst, argument, count, iso, keyName, listed, moment, plain, span } from '../wording.ts';

interface Params {
  readonly learningDays: number;
  readonly memoryDays: number;
}

/** Names that only AWS services put into an encryption context; https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html */
const OF_SERVICES = /(?:^|,)(?:aws:[a-z0-9-]+:|SecretARN|PARAMETER_ARN)/;

export default defineWindowDetector<Params, 'key'>({
  id: 'person-used-service-key',
  title: 'A KMS key that only AWS services use was called directly',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({
    learningDays: z.int().min(1).max(365).default(14),
    memoryDays: z.int().min(15).max(730).default(90),
  }),
  techniques: ['T1530', 'T1552'],
  blindSpots: [
    'Keys whose use through services has been on record for less than the learning days.',
    'A person who reads the data through the service: then the service calls.',
    "Roles that people take on from the command line: unless the encryption context is a service's own, they look like programs.",
  ],
  falsePositives: ['An administrator who tests or restores by hand, under a change request.'],

  evaluate(subject, { params, asOf }) {
    const memory = params.memoryDays * DAY;
    const habits = (subject.habits ?? []).filter(({ profile }) => profile.operationClass === 'use');
    const direct = habits.filter(isDirect);
    return [...Map.groupBy(direct, ({ actor }) => actor.id).values()].flatMap((own) => {
      const telling = own.filter((habit) => reasonOf(habit) !== null);
      const [first] = telling;
      if (first === undefined) return [];
      const at = first.firstAt;
      const services = habits.filter((habit) => !isDirect(habit) && habit.firstAt < at && habit.lastAt >= at - memory);
      if (services.length === 0 || at < learnedSince(services, at, memory) + params.learningDays * DAY) return [];
      const context = telling.find(hasServiceContext);
      const others = direct.filter((habit) => habit.firstAt < at && habit.lastAt >= at - memory);
      // Where others call the key directly, only a service's own context tells that a service's data is decrypted.
      if (others.length > 0 && (context === undefined || others.some(hasServiceContext))) return [];
      return [matchOf(subject, { own: telling, services, context, at }, { params, asOf })];
    });
  },
});

function isDirect({ actor, profile }: Habit): boolean {
  return isCaller(actor) && profile.callingService === null;
}

function hasServiceContext({ profile }: Habit): boolean {
  return (profile.operation === 'Decrypt' || profile.operation === 'ReEncrypt') && OF_SERVICES.test(profile.contextShape ?? '');
}

/** Why a direct call is none that a program would make; null when it may be one. */
function reasonOf(habit: Habit): string | null {
  if (hasServiceContext(habit)) return "with a service's own encryption context and without the service";
  const person = personOf(habit.actor);
  if (person !== null) return `by ${person}`;
  return habit.profile.console ? 'from a session that was born in the console' : null;
}

interface Story {
  readonly own: readonly Habit[];
  readonly services: readonly Habit[];
  readonly context: Habit | undefined;
  readonly at: number;
}

function matchOf(subject: KeySubject, { own, services, context, at }: Story, { params, asOf }: { params: Params; asOf: number }) {
  const actor = (own[0] as Habit).actor;
  const calls = totalCount(own);
  const names = [...new Set(services.map(({ profile, actor: user }) => profile.callingService ?? user.name))].sort();
  const reasons = [...new Set(own.flatMap((habit) => reasonOf(habit) ?? []))];
  const operations = [...new Set(own.map(({ profile }) => profile.operation))].sort();
  return {
    dedupKey: [subject.arn, actor.id],
    at,
    until: latest(own),
    occurrences: calls,
    actor: actor.id,
    evidence: habitEvidence(own),
    explanation: {
      what: `${actorFirst(actor)} called ${keyName(subject)} directly on ${moment(at)}, ${listed(reasons)}: ${count(calls, 'call')} up to now (${listed(operations)}).`,
      why: `For ${span(earliest(services), at)} the key had been used through AWS services only (${listed(names)}; ${count(totalCount(services), 'call')}). Observed: a direct caller; expected: none.${context === undefined ? '' : ` The encryption context has the form ${plain(context.profile.contextShape ?? '', 120)}, which that service makes: its data key, and so its data, can be decrypted without it.`}`,
      benign: 'An administrator tested or restored something by hand, under a change request.',
      now: [
        `Ask ${plain(actor.name, 80)} what it was for.`,
        `The encryption context of the calls tells which data it was: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
        'See whether the encrypted data was copied before: snapshots, objects, secret values.',
        'Bind the permission to the service: a kms:ViaService condition in the key policy.',
      ],
    },
    details: {
      calls,
      services: names.slice(0, 10).map((name) => plain(name, 64)),
      service_calls: totalCount(services),
      reasons: reasons.map((reason) => plain(reason, 120)),
      operations: operations.map((name) => plain(name, 64)),
      with_service_context: context !== undefined,
    },
    ...settled(at, asOf, {
      days: params.memoryDays,
      reason: `The first direct call is ${params.memoryDays} days old: it now counts as known.`,
    }),
  };
}
