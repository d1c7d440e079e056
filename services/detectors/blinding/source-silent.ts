import { z } from 'zod';
import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { type Channel, defineAbsenceDetector, type Match } from '../contract.ts';
import { type Silence, silences } from '../silence.ts';
import { count, iso, moment, period, plain, span } from '../wording.ts';

interface Params {
  readonly learning_days: number;
  readonly silent_hours: number;
  readonly grace_minutes: number;
}

type Found = Match & { readonly dedupKey: readonly string[]; readonly account: string; readonly region: string };

/** What can be looked at, by source. */
const CHECKS: Readonly<Record<string, readonly string[]>> = {
  's3-trail': [
    'Ask the trail when it last delivered, and with which error: aws cloudtrail get-trail-status --name TRAIL --region REGION',
    'See whether messages wait, or none come any more: aws sqs get-queue-attributes --queue-url QUEUE --attribute-names All',
  ],
  eventbridge: [
    'See whether the rule is on and which events it takes: aws events describe-rule --name RULE --region REGION',
    'See whether messages wait, or none come any more: aws sqs get-queue-attributes --queue-url QUEUE --attribute-names All',
  ],
  'lookup-events': [
    "Ask for the account's events with the same role: aws cloudtrail lookup-events --max-results 1 --region REGION",
    'Look into the log of kmswatch for "cannot be polled": it names the account and what AWS answered.',
  ],
};

export default defineAbsenceDetector({
  id: 'source-silent',
  title: 'A source that should speak has fallen silent',
  severity: 'high',
  status: 'stable',
  family: 'blinding',
  kind: 'absence',
  subject: 'account',
  events: ['kms:*'],
  params: z.strictObject({
    learning_days: z
      .int()
      .min(1)
      .max(45)
      .default(14)
      .describe('How long a source must have spoken of an account and Region before its silence is judged, days.'),
    silent_hours: z
      .int()
      .min(1)
      .max(168)
      .default(1)
      .describe('Hours without a word that are reported at the earliest, counting hours by how often they were heard before.'),
    grace_minutes: z.int().min(15).max(1440).default(60).describe('How long after its end an hour is waited for, minutes.'),
  }),
  techniques: ['T1562.008'],
  blindSpots: [
    'A source that has spoken for less than the learning time.',
    'Hours in which kmswatch itself was not running: those are unknown, not silent.',
    'A source that goes on with some events and leaves out others; digests show missing files of a trail, and nothing of the other sources.',
    'An account that has been silent for more than some eleven weeks is taken for switched off.',
  ],
  falsePositives: [
    'A public holiday in an account that is used on working days.',
    'An account or Region that was given up, or a source that was taken out of the configuration on purpose.',
    'An outage of CloudTrail: the events come later and the finding is withdrawn.',
  ],

  evaluate(channels, { params, asOf }) {
    const closedBefore = asOf - HOUR - params.grace_minutes * MINUTE + 1;
    return channels.flatMap((channel) => [...silenceOf(channel, params, closedBefore), ...missingOf(channel, closedBefore)]);
  },
});

function silenceOf(channel: Channel, params: Params, closedBefore: number): Found[] {
  const rule = { learnMs: params.learning_days * DAY, leastHours: params.silent_hours };
  return silences({ ...channel, closedBefore }, rule).map((silence) => ({
    ...placeOf(channel, 'silent'),
    at: silence.from,
    until: silence.to,
    evidence: evidenceOf(channel),
    explanation: {
      what: `${sourceOf(channel)} said nothing of ${whereOf(channel)} ${period(silence.from, silence.to)}.`,
      why: `By what was heard in the ${span(silence.knownSince, silence.from)} before, ${hours(silence.loss)} of these ${count(silence.silentHours, 'hour')} should have brought something; ${floorText(silence, params)}.`,
      benign: 'The account or Region was given up, or nobody worked there for once, as on a public holiday.',
      now: [
        ...(CHECKS[channel.source] ?? []),
        'Look for who switched logging off: findings trail-stopped, trail-deleted and kms-events-excluded of the same account.',
      ],
    },
    details: {
      source: channel.source,
      silent_since: iso(silence.from),
      silent_hours: silence.silentHours,
      expected_hours: rounded(silence.loss),
      floor_hours: rounded(silence.floor),
    },
    ...(silence.endedAt !== null && {
      resolved: { at: silence.endedAt, reason: `${sourceOf(channel)} speaks again, since ${moment(silence.endedAt)}.` },
    }),
  }));
}

function missingOf(channel: Channel, closedBefore: number): Found[] {
  const missing = channel.missing.filter(({ hour }) => hour < closedBefore);
  const [first] = missing;
  if (!first) return [];
  const last = missing.at(-1) ?? first;
  const files = missing.reduce((sum, each) => sum + each.files, 0);
  const isGap = missing.every(({ gap }) => gap !== null);
  return [
    {
      ...placeOf(channel, 'missing'),
      at: first.hour,
      until: last.hour + HOUR,
      occurrences: files,
      title: isGap ? 'Events of a time were not read and can no longer be had' : 'CloudTrail has written log files that were never seen',
      evidence: evidenceOf(channel),
      explanation: {
        what: isGap
          ? `${count(missing.length, 'hour')} of ${whereOf(channel)} ${period(first.hour, last.hour + HOUR)} were not read before CloudTrail dropped them.`
          : `${count(files, 'log file')} of ${whereOf(channel)} from ${count(missing.length, 'hour')} ${period(first.hour, last.hour + HOUR)} never came to us.`,
        why: isGap
          ? 'Event history goes back 90 days. What happened in these hours is not known, and expected is that every hour was read.'
          : 'The digests of the trail, which CloudTrail signs, name them. Expected is that every file that a digest names has been read.',
        benign: 'Notifications of the bucket were lost or set up late, and the files are still there.',
        now: isGap
          ? ['See whether a trail kept the time, and replay its files: aws cloudtrail describe-trails --region REGION']
          : [
              'See whether the files are in the bucket: aws s3 ls s3://BUCKET/AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/',
              'Where they are, read them: kmswatch replay. Where they are gone, ask who deleted them.',
            ],
      },
      details: {
        source: channel.source,
        hours: missing.slice(0, 24).map(({ hour, files: number, gap }) => ({ hour: iso(hour), files: number, gap })),
        hours_in_all: missing.length,
      },
    },
  ];
}

function placeOf(
  { account, region, source }: Channel,
  what: 'silent' | 'missing',
): Pick<Found, 'dedupKey' | 'account' | 'region'> & {
  readonly actor: null;
} {
  return { dedupKey: [account, region, source, what], account, region, actor: null };
}

function evidenceOf({ lastEventId }: Channel): string[] {
  return lastEventId === null ? [] : [lastEventId];
}

function sourceOf({ source }: Channel): string {
  return `The source ${plain(source, 40)}`;
}

function whereOf({ account, region }: Channel): string {
  return `account ${plain(account, 40)} in ${plain(region, 40)}`;
}

function hours(value: number): string {
  return String(rounded(value));
}

function floorText({ floor }: Silence, { silent_hours: least }: Params): string {
  return floor > least
    ? `${hours(floor)} are needed to tell it from the quiet times that it has had before`
    : `${count(least, 'such hour')} ${least === 1 ? 'is' : 'are'} enough, for it is hardly ever quiet`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
