import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import type { PendingDeletion } from '../../core/key.ts';
import { moreSevere } from '../../core/severity.ts';
import { defineEventDetector } from '../contract.ts';
import type { KeySubject, Match } from '../contract.ts';
import { useBefore, useDetails, useSentence } from '../key-use.ts';
import { oncePer } from '../once-per.ts';
import { callerFirst, count, deed, eventMatch, gone, iso, keyArguments, keyName, moment, plain } from '../wording.ts';

/** Days left at which the finding is told again, most urgent first. */
const STAGES = [1, 3, 7];
const MAX_REPLICAS = 20;

/** `ScheduleKeyDeletion`: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
export default defineEventDetector({
  id: 'key-deletion-scheduled',
  title: 'KMS key is scheduled for deletion',
  severity: 'high',
  status: 'stable',
  family: 'deletion',
  kind: 'event',
  subject: 'key',
  events: ['kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion', 'kms:DeleteKey'],
  params: z.strictObject({
    recentUseDays: z.int().min(1).max(365).default(30),
    callerDays: z.int().min(1).max(365).default(90),
  }),
  techniques: ['T1485'],
  blindSpots: [
    'Use is not visible when read-only events are not logged (WriteOnly trails), nor for S3 Bucket Key and data-key cache hits.',
  ],
  falsePositives: ['Planned decommissioning after the data was re-encrypted or deleted.'],

  dedupKey: (_event, subject) => [subject.arn],

  evaluate({ event, after }, subject, { params }) {
    if (event.operation !== 'ScheduleKeyDeletion') return null;
    const use = useBefore(subject, event.eventTime, { recent: params.recentUseDays, callers: params.callerDays });
    const windowDays = event.detail?.pendingWindowInDays ?? 30;
    const waits = event.detail?.keyState === 'PendingReplicaDeletion';
    const date = waits ? null : deletionDate(after.deletion?.value ?? null, event.eventTime + windowDays * DAY);
    const until =
      date === null ? 'The window begins when the last replica key is deleted' : `AWS deletes it on ${moment(date)} or soon after`;
    return eventMatch(event, {
      severity: use.recent ? 'critical' : 'high',
      explanation: {
        what: `${callerFirst(event)} scheduled ${keyName(subject)} for deletion on ${moment(event.eventTime)}, with a waiting window of ${count(windowDays, 'day')}. ${until}.`,
        why: `${useSentence(use, event.eventTime, params.callerDays)} A key to be deleted should have been unused for at least ${params.recentUseDays} days; once it is deleted, nothing that it encrypts can be decrypted again.`,
        benign: 'The data under the key is known to be gone or re-encrypted, and the deletion is planned.',
        now: [
          `If in doubt, stop it: aws kms cancel-key-deletion ${keyArguments(subject)}`,
          `The key is disabled after that; to use it again: aws kms enable-key ${keyArguments(subject)}`,
          'Ask the caller for the change request, and the callers named here whether they still need the key.',
        ],
      },
      details: {
        window_days: windowDays,
        deletion_date: iso(date),
        waits_for_replicas: waits,
        ...useDetails(use),
        aliases: subject.aliases.map((alias) => plain(alias, 256)),
        replicas: replicasOf(subject),
      },
    });
  },

  mends({ event }) {
    if (event.operation === 'CancelKeyDeletion') return `The deletion was cancelled, the key is left disabled: ${deed(event)}.`;
    return gone(event);
  },

  standing(match, subject, { asOf }) {
    const pending = subject.facts.deletion?.value ?? null;
    if (pending === null || pending.waitsForReplicas || subject.facts.deleted !== undefined) return match;
    return escalated(match, deletionDate(pending, match.at + pending.windowDays * DAY), asOf);
  },
});

function deletionDate(pending: PendingDeletion | null, fallback: number): number {
  return pending?.date ?? fallback;
}

/** Names the days left from seven on; critical from three on. A date that has passed without DeleteKey is said as that. */
function escalated(match: Match, date: number, asOf: number): Match {
  const daysLeft = Math.ceil((date - asOf) / DAY);
  const stage = STAGES.find((days) => daysLeft <= days);
  if (stage === undefined) return { ...match, details: { ...match.details, days_left: daysLeft } };
  const passed = date <= asOf;
  const left = passed
    ? `The deletion date ${moment(date)} has passed and no DeleteKey event is in the records: whether the key still exists is unknown.`
    : `As of ${moment(asOf)}, at most ${count(daysLeft, 'day')} left to cancel it.`;
  return {
    ...match,
    severity: stage <= 3 ? 'critical' : moreSevere(match.severity ?? 'high', 'high'),
    title: passed ? 'KMS key has reached its deletion date' : `KMS key will be deleted within ${count(stage, 'day')}`,
    explanation: { ...match.explanation, why: `${left} ${match.explanation.why}` },
    details: { ...match.details, days_left: Math.max(daysLeft, 0), escalated_at_days: stage },
  };
}

const replicasOf = oncePer((subject: KeySubject): string[] => {
  const replicas = subject.timeline.flatMap(({ event }) =>
    event.operation === 'ReplicateKey' && event.outcome === 'ok' && event.otherKey !== null ? [event.otherKey.arn] : [],
  );
  return [...new Set(replicas)].filter((arn) => arn !== subject.arn).slice(0, MAX_REPLICAS);
});
