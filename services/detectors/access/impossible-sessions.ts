import { z } from 'zod';
import { DAY, MINUTE } from '../../core/clock.ts';
import { settled } from '../baseline.ts';
import { type ActorSubject, defineWindowDetector, type SessionPlace } from '../contract.ts';
import { actorName, argument, count, iso, listed, moment, plain } from '../wording.ts';

interface Params {
  readonly minutes: number;
  readonly knownDays: number;
  readonly settlingDays: number;
}

/** Two uses of one access key from different networks, so near in time that nobody can have moved. */
interface Pair {
  readonly before: SessionPlace;
  readonly after: SessionPlace;
}

/** Temporary credentials are bound to where they were given out, and people do not change networks back and forth within minutes. */
export default defineWindowDetector<Params, 'actor'>({
  id: 'impossible-sessions',
  title: 'One access key was used from two networks at the same time',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'window',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({
    minutes: z.int().min(1).max(60).default(30),
    knownDays: z.int().min(1).max(90).default(1),
    settlingDays: z.int().min(1).max(365).default(30),
  }),
  techniques: ['T1550.001', 'T1539'],
  blindSpots: [
    'Credentials that are used from one network only, be it the wrong one.',
    'Private addresses all count as one network, and so do those behind one provider.',
    'Networks that the caller has used for longer than the known days.',
  ],
  falsePositives: [
    'A laptop that switches between office, phone and VPN; a program behind several address translations in different networks.',
  ],

  evaluate(subject, { params, asOf }) {
    const pairs = pairsOf(subject, params);
    return [...Map.groupBy(pairs, ({ before }) => before.accessKey)].map(([accessKey, own]) => {
      const at = Math.min(...own.map(({ after }) => after.firstAt));
      const until = Math.max(...own.map(({ after }) => after.lastAt));
      const networks = [...new Set(own.flatMap(({ before, after }) => [before.network, after.network]))].sort();
      const apart = Math.min(...own.map(({ before, after }) => Math.max(0, after.firstAt - before.lastAt)));
      return {
        dedupKey: [subject.actor.id, accessKey],
        at,
        until,
        occurrences: own.length,
        actor: subject.actor.id,
        evidence: [...new Set(own.flatMap(({ before, after }) => [before.lastEventId, after.firstEventId]))],
        explanation: {
          what: `Access key ${plain(accessKey, 64)} of ${actorName(subject.actor)} was used from ${count(networks.length, 'network')} (${listed(networks)}), first on ${moment(at)}.`,
          why: `Observed: uses from different networks ${Math.round(apart / MINUTE)} minutes apart or less; expected: one network at a time, or at least ${params.minutes} minutes between two. One of them was new for the caller.`,
          benign: 'A laptop switched between office, phone and VPN, or a program is behind several address translations.',
          now: [
            `See all calls with the access key: aws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue=${argument(accessKey, 'ACCESS_KEY_ID')} --start-time ${iso(at - DAY)}`,
            `Ask the owner of ${plain(subject.actor.name, 80)} which of the networks is theirs.`,
            'Where the key came from an instance or a function: look there for what was run.',
            'If one is not theirs: revoke the sessions of the role (a policy with aws:TokenIssueTime), or deactivate the access key.',
          ],
        },
        details: {
          networks: networks.slice(0, 10).map((name) => plain(name, 64)),
          minutes_apart: Math.round(apart / MINUTE),
          pairs: own.length,
        },
        ...settled(until, asOf, { days: params.settlingDays, reason: `Not seen again for ${params.settlingDays} days.` }),
      };
    });
  },
});

function pairsOf({ sessions = [], habits = [] }: ActorSubject, { minutes, knownDays }: Params): Pair[] {
  const since = new Map<string, number>();
  for (const { profile, firstAt } of habits) {
    if (profile.callingService !== null || profile.network === null) continue;
    since.set(profile.network, Math.min(since.get(profile.network) ?? firstAt, firstAt));
  }
  const begin = Math.min(...since.values());
  const isNew = (network: string, at: number): boolean => at - (since.get(network) ?? at) < knownDays * DAY;
  const ordered = sessions.toSorted((a, b) => a.firstAt - b.firstAt || (a.network < b.network ? -1 : 1));
  return [...Map.groupBy(ordered, ({ accessKey }) => accessKey).values()].flatMap((places) =>
    places.flatMap((after, index): Pair[] => {
      // What a caller does on its first day is how it is, as far as anybody knows.
      if (after.firstAt < begin + knownDays * DAY) return [];
      const before = places.slice(0, index).findLast(({ network }) => network !== after.network);
      if (before === undefined || after.firstAt - before.lastAt >= minutes * MINUTE) return [];
      return isNew(after.network, after.firstAt) || isNew(before.network, after.firstAt) ? [{ before, after }] : [];
    }),
  );
}
