import { z } from 'zod';
import { DAY, HOUR } from '../../core/clock.ts';
import { settled } from '../baseline.ts';
import { type ActorSubject, type DailyVolume, defineWindowDetector } from '../contract.ts';
import { personOf } from '../person.ts';
import { actorFirst, argument, count, iso, listed, moment, plain } from '../wording.ts';

interface Params {
  readonly learningDays: number;
  readonly memoryDays: number;
  readonly minimumDays: number;
  readonly nearbyHours: number;
  readonly settlingDays: number;
}

/** People only: programs have no night. Hours of working days and of weekends are compared apart, with those nearby. */
export default defineWindowDetector<Params, 'actor'>({
  id: 'off-hours-use',
  title: 'A person called KMS at an hour without history',
  severity: 'low',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({
    learningDays: z.int().min(7).max(365).default(28),
    memoryDays: z.int().min(15).max(730).default(90),
    minimumDays: z.int().min(3).max(90).default(15),
    nearbyHours: z.int().min(0).max(6).default(3),
    settlingDays: z.int().min(1).max(365).default(14),
  }),
  techniques: ['T1078.004'],
  blindSpots: [
    'People who were seen on fewer days than the minimum, or who work at all hours.',
    'Roles that several people share: their hours add up.',
  ],
  falsePositives: ['On-call duty, travel to another time zone, the hour that the clocks change by.'],

  evaluate(subject, { params, asOf }) {
    const person = personOf(subject.actor);
    if (person === null) return [];
    return (subject.presence ?? []).flatMap((day) => {
      const odd = oddHours(subject, day, params);
      const [first] = odd.hours;
      if (first === undefined) return [];
      const at = day.day * DAY + first * HOUR;
      const calls = odd.hours.reduce((sum, hour) => sum + (day.hours[hour] ?? 0), 0);
      const hours = odd.hours.map((hour) => `${String(hour).padStart(2, '0')}:00`);
      const usual = [...odd.usual].sort((a, b) => a - b).map((hour) => `${String(hour).padStart(2, '0')}:00`);
      return [
        {
          dedupKey: [subject.actor.id, new Date(day.day * DAY).toISOString().slice(0, 10)],
          at,
          until: day.day * DAY + ((odd.hours.at(-1) ?? first) + 1) * HOUR,
          occurrences: calls,
          actor: subject.actor.id,
          evidence: [...new Set([day.firstEventId, day.lastEventId])],
          explanation: {
            what: `${actorFirst(subject.actor)} made ${count(calls, 'successful KMS call')} on ${new Date(day.day * DAY).toISOString().slice(0, 10)} in the ${odd.hours.length === 1 ? 'hour' : 'hours'} from ${listed(hours)} UTC, first in the hour from ${moment(at)}.`,
            why: `It is ${person}. On the ${odd.days} days with calls before, ${isWeekend(day.day) ? 'weekends' : 'working days'} had calls in ${usual.length === 0 ? 'no hour' : `${count(usual.length, 'hour')} (${listed(usual, 12)})`}. Observed: an hour more than ${params.nearbyHours} hours away from all of them; expected: none.`,
            benign: 'On-call duty, travel to another time zone, or work that had to be done at night.',
            now: [
              `Ask ${plain(subject.actor.name, 80)} whether it was them.`,
              `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(at)} --end-time ${iso(at + HOUR)} --region ${argument(subject.habits?.at(-1)?.profile.region ?? '', 'REGION')}`,
              'If not: end the sessions, change the credentials, and see what else they did in those hours.',
            ],
          },
          details: { calls, hours, usual_hours: usual, days_before: odd.days, weekend: isWeekend(day.day) },
          ...settled(at, asOf, { days: params.settlingDays, reason: `The calls are ${params.settlingDays} days past.` }),
        },
      ];
    });
  },
});

interface Odd {
  readonly hours: readonly number[];
  readonly usual: ReadonlySet<number>;
  readonly days: number;
}

const NOTHING: Odd = { hours: [], usual: new Set(), days: 0 };

function oddHours({ presence = [] }: ActorSubject, day: DailyVolume, params: Params): Odd {
  const before = presence.filter((past) => past.day < day.day && past.day >= day.day - params.memoryDays);
  const [first] = before;
  if (first === undefined || before.length < params.minimumDays || day.day - first.day < params.learningDays) return NOTHING;
  const usual = new Set(before.filter((past) => isWeekend(past.day) === isWeekend(day.day)).flatMap(hoursOf));
  // Somebody who works on weekends for the first time is told by the hours of working days: the day alone is no finding.
  const known = usual.size > 0 ? usual : new Set(before.flatMap(hoursOf));
  const hours = hoursOf(day).filter((hour) => ![...known].some((other) => distance(hour, other) <= params.nearbyHours));
  return { hours, usual: known, days: before.length };
}

function hoursOf({ hours }: DailyVolume): number[] {
  return hours.flatMap((n, hour) => (n > 0 ? [hour] : []));
}

function distance(a: number, b: number): number {
  const apart = Math.abs(a - b);
  return Math.min(apart, 24 - apart);
}

/** 1 January 1970 was a Thursday. */
function isWeekend(day: number): boolean {
  const weekday = (day + 4) % 7;
  return weekday === 0 || weekday === 6;
}
