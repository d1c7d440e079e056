import { z } from 'zod';
import { DAY } from '../../core/clock.ts';
import type { Habit } from '../../core/habit.ts';
import { settled } from '../baseline.ts';
import { defineWindowDetector } from '../contract.ts';
import { LONG_PAUSE_DAYS } from '../habits.ts';
import { actorFirst, argument, iso, keyArguments, keyName, moment, span } from '../wording.ts';

/** Only a pause in which use of other keys was on record is one: where nobody looked, nothing is known. */
export default defineWindowDetector({
  id: 'dormant-key-used',
  title: 'A KMS key that was long unused is used again',
  severity: 'medium',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({
    dormantDays: z.int().min(LONG_PAUSE_DAYS).max(1000).default(90),
    watchedShare: z.number().min(0.1).max(1).default(0.8),
    settlingDays: z.int().min(1).max(365).default(30),
  }),
  techniques: ['T1078.004'],
  blindSpots: [
    'Keys that were never used before on record.',
    "Pauses in which the log of the key's account and Region shows no cryptographic calls at all, or too few weeks with some.",
    'Use by a service that caches data keys for months.',
  ],
  falsePositives: ['A yearly job, a restore of an old backup, a test of recovery.'],

  evaluate(subject, { params, asOf }) {
    return pausesOf(subject.habits ?? [], params.dormantDays).flatMap(({ end, habit }) => {
      const at = habit.firstAt;
      const share = watchedShare(subject.watched ?? [], end, at);
      if (share < params.watchedShare) return [];
      return [
        {
          dedupKey: [subject.arn, habit.firstEventId],
          at,
          actor: habit.actor.id,
          evidence: [habit.firstEventId],
          explanation: {
            what: `${actorFirst(habit.actor)} called ${habit.profile.operation} under ${keyName(subject)} on ${moment(at)}.`,
            why: `The last successful cryptographic call before was on ${moment(end)}. Observed: use after a pause of ${span(end, at)}; expected from ${params.dormantDays} unused days on: none. In that pause other calls of the account and Region were on record in ${Math.round(share * 100)} of 100 weeks, so the key was unused and not merely unwatched.`,
            benign: 'A yearly job, a restore from an old backup, a test of recovery.',
            now: [
              'Ask the owner of the key what is still encrypted under it.',
              `See which data it was: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(at)} --region ${argument(subject.region, 'REGION')}`,
              `See who may use it: aws kms get-key-policy ${keyArguments(subject)} --policy-name default --output text; aws kms list-grants ${keyArguments(subject)}`,
              `If it should not be in use: aws kms disable-key ${keyArguments(subject)}`,
            ],
          },
          details: { last_used_at: iso(end), unused_days: Math.floor((at - end) / DAY), watched_share: Number(share.toFixed(2)) },
          ...settled(at, asOf, {
            days: params.settlingDays,
            reason: `The key has been in use again since ${params.settlingDays} days ago.`,
          }),
        },
      ];
    });
  },
});

/** Pauses of at least so many days between cryptographic calls, each with the calls that ended it. */
function pausesOf(habits: readonly Habit[], days: number): { end: number; habit: Habit }[] {
  const pauses: { end: number; habit: Habit }[] = [];
  let end: number | null = null;
  for (const habit of habits) {
    if (habit.profile.operationClass !== 'use') continue;
    if (end !== null && habit.firstAt - end >= days * DAY) pauses.push({ end, habit });
    end = Math.max(end ?? habit.lastAt, habit.lastAt);
  }
  return pauses;
}

/** Of the weeks of a pause, how many had a watched day. */
function watchedShare(watched: readonly number[], from: number, to: number): number {
  const weeks = Math.floor((to - from) / (7 * DAY));
  const begin = Math.floor(from / DAY) + 1;
  const seen = new Set(watched.flatMap((day) => (day >= begin && day < begin + weeks * 7 ? [Math.floor((day - begin) / 7)] : [])));
  return weeks === 0 ? 0 : seen.size / weeks;
}
