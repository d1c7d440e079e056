import { z } from 'zod';
import { DAY, MINUTE } from '../../core/clock.ts';
import type { StoredEvent } from '../../core/event.ts';
import { type Crowd, crowdsOf } from '../crowds.ts';
import { type ActorSubject, defineWindowDetector } from '../contract.ts';
import { actorName, count, isAws, keyId, listed, moment, period } from '../wording.ts';

/** Days on which a caller did as much make it a habit. */
const HABIT_DAYS = 2;

/** RevokeGrant and RetireGrant: https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html */
export default defineWindowDetector({
  id: 'grants-revoked-burst',
  title: 'One caller took back many grants on KMS keys at once',
  severity: 'high',
  status: 'stable',
  family: 'exposure',
  kind: 'window',
  subject: 'actor',
  events: ['kms:RevokeGrant', 'kms:RetireGrant'],
  params: z.strictObject({
    grants: z.int().min(2).max(1000).default(5),
    windowMinutes: z.int().min(1).max(1440).default(10),
    historyDays: z.int().min(1).max(90).default(14),
  }),
  techniques: ['T1531', 'T1489'],
  blindSpots: [
    'Grants that AWS services retire, also when somebody deletes the resources that they stand for.',
    'A pace below the threshold.',
  ],
  falsePositives: [
    'Cleaning up grants that nobody needs any more.',
    'A program that retires its grants in batches, in its first days on record.',
  ],

  evaluate(subject, { params }) {
    if (isAws(subject.actor)) return [];
    const taken = (subject.harms ?? []).filter(({ operation }) => operation === 'RevokeGrant' || operation === 'RetireGrant');
    const crowds = crowdsOf(taken, { windowMs: params.windowMinutes * MINUTE, minimum: params.grants, thing: grantOf });
    return crowds.filter((crowd) => !isHabit(crowd, crowds, params.historyDays)).map((crowd) => matchOf(subject, crowd, params));
  },
});

function grantOf({ key, detail, eventId }: StoredEvent): string {
  return `${key?.arn ?? ''} ${detail?.grantId ?? eventId}`;
}

/** At least half as many on some of the days before, the day before the crowd itself left out. */
function isHabit(crowd: Crowd<StoredEvent>, crowds: readonly Crowd<StoredEvent>[], historyDays: number): boolean {
  const at = crowd.events[0]?.eventTime ?? 0;
  const days = crowds.flatMap(({ events, peak }) => {
    const then = events[0]?.eventTime ?? 0;
    const before = then <= at - DAY && then >= at - historyDays * DAY;
    return before && peak * 2 >= crowd.peak ? [Math.floor(then / DAY)] : [];
  });
  return new Set(days).size >= HABIT_DAYS;
}

interface Terms {
  readonly grants: number;
  readonly windowMinutes: number;
  readonly historyDays: number;
}

function matchOf(subject: ActorSubject, { events, peak }: Crowd<StoredEvent>, { grants, windowMinutes, historyDays }: Terms) {
  const [from, to] = [events[0]?.eventTime ?? 0, events.at(-1)?.eventTime ?? 0];
  const keys = [...new Set(events.flatMap(({ key }) => (key === null ? [] : [key.arn])))].toSorted();
  const regions = new Set(events.map(({ region }) => region));
  const name = actorName(subject.actor);
  return {
    dedupKey: [subject.actor.id],
    keyArn: keys.length === 1 ? (keys[0] ?? null) : null,
    region: regions.size === 1 ? ([...regions][0] ?? '') : '',
    at: from,
    until: to,
    occurrences: events.length,
    actor: subject.actor.id,
    evidence: events.map(({ eventId }) => eventId),
    explanation: {
      what: `${name.charAt(0).toUpperCase()}${name.slice(1)} took back ${count(events.length, 'grant')} on ${count(keys.length, 'key')} (${listed(keys.map(keyId), 3)}), ${period(from, to)}.`,
      why: `Observed are up to ${peak} within ${windowMinutes} minutes; expected are fewer than ${grants}, or as many on at least ${HABIT_DAYS} of the ${historyDays} days before. What works by a grant (volumes, tables, clusters) loses the key, at the latest when it is attached or started again.`,
      benign: 'The grants belonged to resources that are gone, and were cleaned up on purpose.',
      now: [
        'Ask the caller for the change request.',
        `See what is left: aws kms list-grants --key-id KEY_ARN --region REGION`,
        'Look for services that fail with AccessDenied or InvalidGrantToken under these keys; most make their grants again when the resource is started or attached again.',
        `See what else the caller did since ${moment(from)}.`,
      ],
    },
    details: {
      grants: events.length,
      keys: keys.slice(0, 50),
      peak_in_window: peak,
      window_minutes: windowMinutes,
      history_days: historyDays,
    },
  };
}
