import { z } from 'zod';
import { DAY, HOUR } from '../../core/clock.ts';
import { settled } from '../baseline.ts';
import { type DailyVolume, defineWindowDetector, type KeySubject } from '../contract.ts';
import { type Spike, spikesOf } from '../volume.ts';
import { actorName, argument, count, iso, keyName, moment } from '../wording.ts';

/** Cryptographic calls of a caller under a key against the same hours of other weeks and days; `volume.ts` tells the method. */
export default defineWindowDetector({
  id: 'volume-spike',
  title: 'A caller used a KMS key far more than usual',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'baseline',
  subject: 'key',
  events: ['kms:*'],
  params: z.strictObject({
    minimumPerHour: z.int().min(32).default(100),
    minimumPerDay: z.int().min(32).default(300),
    quietMinimum: z.int().min(32).default(100),
    quietFactor: z.number().min(1).default(10),
    factor: z.number().min(1).default(3),
    learningDays: z.int().min(7).max(365).default(14),
    settlingDays: z.int().min(1).max(365).default(14),
  }),
  techniques: ['T1530', 'T1486'],
  blindSpots: [
    'A caller that has used the key for less than the learning days.',
    'Growth that is slow enough to become habit, and volume that hides below the factor in a busy hour or week.',
    'What data-key caching and S3 Bucket Keys save is never called: a hundredfold of data can be one call.',
  ],
  falsePositives: [
    'A migration, a re-encryption, a restore, a sale that everybody waits for.',
    'A monthly job that has been seen fewer than two times.',
  ],

  evaluate(subject, { params, asOf }) {
    const callers = Map.groupBy(subject.volumes ?? [], ({ actor }) => actor.id);
    return [...callers.values()].flatMap((volumes) =>
      episodesOf(spikesOf(volumes, params)).map((spikes) =>
        matchOf(subject, { volumes, spikes }, { asOf, settlingDays: params.settlingDays }),
      ),
    );
  },
});

const EXPECTED_FROM: Readonly<Record<Spike['unit'], string>> = {
  hour: 'the same hours of the weeks and days before',
  day: 'the eight weeks before',
  week: 'the four weeks before',
};

/** Spikes on neighbouring days are one story. */
function episodesOf(spikes: readonly Spike[]): Spike[][] {
  const episodes: Spike[][] = [];
  for (const spike of spikes) {
    const last = episodes.at(-1);
    if (last && spike.from - (last.at(-1) as Spike).from <= 2 * DAY) last.push(spike);
    else episodes.push([spike]);
  }
  return episodes;
}

interface Story {
  readonly volumes: readonly DailyVolume[];
  readonly spikes: readonly Spike[];
}

function matchOf(subject: KeySubject, { volumes, spikes }: Story, { asOf, settlingDays }: { asOf: number; settlingDays: number }) {
  const actor = (volumes[0] as DailyVolume).actor;
  const ordered = spikes.toSorted((a, b) => b.z - a.z || a.from - b.from);
  const peak = ordered[0] as Spike;
  const hours = spikes.filter(({ unit }) => unit === 'hour');
  const days = spikes.filter(({ unit }) => unit === 'day');
  const weeks = spikes.filter(({ unit }) => unit === 'week');
  const from = Math.min(...spikes.map((spike) => spike.from));
  const until = Math.max(...spikes.map((spike) => spike.from + (spike.unit === 'hour' ? HOUR : DAY)));
  const involved = new Set(spikes.map((spike) => Math.floor(spike.from / DAY)));
  const evidence = volumes.filter(({ day }) => involved.has(day)).flatMap(({ firstEventId, lastEventId }) => [firstEventId, lastEventId]);
  const sum = (of: readonly Spike[]): number => of.reduce((total, spike) => total + spike.value, 0);
  const [calls, lasted] =
    weeks.length > 0 && days.length + hours.length === 0
      ? [Math.max(...weeks.map(({ value }) => value)), 'seven days that together stand out']
      : [
          sum(days.length > 0 ? days : hours),
          `${hours.length > 0 ? count(hours.length, 'hour') : count(days.length, 'day')} that stand out`,
        ];
  return {
    dedupKey: [subject.arn, actor.id, new Date(Math.floor(from / DAY) * DAY).toISOString().slice(0, 10)],
    at: from,
    until,
    occurrences: calls,
    actor: actor.id,
    evidence: [...new Set(evidence)],
    explanation: {
      what: `${hours.length + days.length > 0 ? `From ${moment(from)} on` : `In the week to ${moment(from + DAY)}`}, ${actorName(actor)} made ${count(calls, 'successful cryptographic call')} under ${keyName(subject)}, in ${lasted}.`,
      why: `Observed at most ${peak.value} calls in the ${peak.unit} ${peak.unit === 'week' ? `to ${moment(peak.from + DAY)}` : `from ${moment(peak.from)}`}. Expected from ${EXPECTED_FROM[peak.unit]}: median ${peak.median}, and at most ${peak.percentile95} in 95 of 100; modified z-score ${peak.z.toFixed(1)}, where more than 3.5 is an outlier.`,
      benign: 'A migration, a restore or a re-encryption was under way, or the demand was extraordinary.',
      now: [
        'Ask the owner of the caller what ran in that time.',
        `Look at the calls, and at what the encryption context says was decrypted: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${argument(subject.arn, 'KEY_ARN')} --start-time ${iso(from)} --end-time ${iso(until)} --region ${argument(subject.region, 'REGION')}`,
        'See where the calls came from, and whether the same caller read the encrypted data in those hours.',
        'If nobody knows them: revoke the sessions of the caller and take its access to the key away.',
      ],
    },
    details: {
      calls,
      unusual_hours: hours.length,
      unusual_days: days.length,
      unusual_weeks: weeks.length,
      peak_at: iso(peak.from),
      peak_unit: peak.unit,
      peak_calls: peak.value,
      expected_median: peak.median,
      expected_deviation: peak.deviation,
      expected_percentile_95: peak.percentile95,
      modified_z: Number(peak.z.toFixed(2)),
    },
    ...settled(until, asOf, { days: settlingDays, reason: `No hour or day stood out for ${settlingDays} days.` }),
  };
}
