import { z } from 'zod';
import type { StoredEvent, TrailSettings } from '../../core/event.ts';
import { type AccountSubject, defineEventDetector } from '../contract.ts';
import { oncePer } from '../once-per.ts';
import { trailArguments, trailKey, trailOf, trailText } from '../trail.ts';
import { callerFirst, deed, eventMatch, listed, moment, plain } from '../wording.ts';

type Aspect = keyof TrailSettings;

/** What a trail loses, in words, and the option that gives it back. */
const ASPECTS: Readonly<Record<Aspect, { readonly loss: string; readonly option: string }>> = {
  multiRegion: { loss: 'it no longer covers all Regions', option: '--is-multi-region-trail' },
  globalEvents: { loss: 'it no longer takes events of global services such as IAM', option: '--include-global-service-events' },
  validation: { loss: 'its log files are no longer covered by signed digests', option: '--enable-log-file-validation' },
  bucket: { loss: 'it delivers to another bucket', option: '--s3-bucket-name LOG_BUCKET' },
  kmsKeyId: { loss: 'its log files are no longer encrypted under the KMS key', option: '--kms-key-id KEY_ARN' },
};
const ALL = Object.keys(ASPECTS) as Aspect[];

/** `UpdateTrail`: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html */
export default defineEventDetector({
  id: 'trail-changed',
  title: 'A CloudTrail trail was weakened',
  severity: 'high',
  status: 'stable',
  family: 'blinding',
  kind: 'event',
  subject: 'account',
  events: ['cloudtrail:UpdateTrail', 'cloudtrail:CreateTrail'],
  params: z.strictObject({}),
  techniques: ['T1562.008'],
  blindSpots: [
    'What a trail was set to before the records begin; a bucket or key that is then changed is not noticed.',
    'A change of the topic or log group that the trail tells of its files.',
  ],
  falsePositives: ['A planned move to another bucket.', 'Settings that were off before the records begin, and that a console sends again.'],

  dedupKey: (event) => trailKey(event),

  evaluate({ event }, subject) {
    const losses = judged(subject).get(event)?.lost ?? [];
    if (losses.length === 0) return null;
    const unsure = losses.every(({ before }) => before === undefined);
    return eventMatch(event, {
      ...(unsure ? { severity: 'medium' as const } : {}),
      explanation: {
        what: `${callerFirst(event)} changed ${trailText(event)} on ${moment(event.eventTime)}: ${listed(losses.map(({ aspect }) => ASPECTS[aspect].loss))}.`,
        why: `Who hides something makes the log miss it, or puts it where nobody looks.${unsure ? ' What the trail was set to before is not in the records, so it may have been so already.' : ''} Expected is that a trail keeps its Regions, its global events, its digests, its bucket and its key.`,
        benign: 'A planned change of the trail under a change request.',
        now: [
          'Ask the caller for the change request.',
          `See what is set: aws cloudtrail get-trail ${trailArguments(event)}`,
          `Set it back: aws cloudtrail update-trail ${trailArguments(event)} ${losses.map(({ aspect }) => ASPECTS[aspect].option).join(' ')}`,
          'Look at what happened meanwhile in the Regions and services that the trail left out: aws cloudtrail lookup-events',
        ],
      },
      details: {
        trail: trailOf(event).name,
        lost: losses.map(({ aspect }) => aspect),
        before: Object.fromEntries(losses.map(({ aspect, before }) => [aspect, before === undefined ? null : shown(before)])),
        after: Object.fromEntries(losses.map(({ aspect, after }) => [aspect, after === undefined ? null : shown(after)])),
      },
    });
  },

  mends({ event }, subject) {
    return judged(subject).get(event)?.restored === true ? `The trail has again what it had lost: ${deed(event)}.` : null;
  },
});

interface Loss {
  readonly aspect: Aspect;
  /** Undefined = not known. */
  readonly before: TrailSettings[Aspect];
  readonly after: TrailSettings[Aspect];
}

interface Judged {
  readonly lost: readonly Loss[];
  /** All that was lost before is as it was. */
  readonly restored: boolean;
}

const judged = oncePer((subject: AccountSubject): ReadonlyMap<StoredEvent, Judged> => {
  const trails = new Map<string, { settings: TrailSettings; missing: Map<Aspect, TrailSettings[Aspect]> }>();
  const found = new Map<StoredEvent, Judged>();
  for (const event of subject.timeline) {
    const settings = event.service === 'cloudtrail' && event.outcome === 'ok' ? event.detail?.trail : undefined;
    if (settings === undefined) continue;
    const name = JSON.stringify(trailKey(event));
    const known = trails.get(name);
    if (known === undefined || event.operation === 'CreateTrail') {
      const lost = event.operation === 'CreateTrail' ? [] : lossesOf({}, settings);
      trails.set(name, { settings, missing: new Map(lost.map(({ aspect, before }) => [aspect, before])) });
      found.set(event, { lost, restored: false });
      continue;
    }
    const lost = lossesOf(known.settings, settings);
    const hadLost = known.missing.size > 0;
    for (const { aspect, before } of lost) if (!known.missing.has(aspect)) known.missing.set(aspect, before);
    for (const [aspect, before] of known.missing) if (isBack(aspect, before, settings[aspect])) known.missing.delete(aspect);
    known.settings = { ...known.settings, ...settings };
    found.set(event, { lost, restored: hadLost && known.missing.size === 0 });
  }
  return found;
});

/** A flag that is off where it was on, or where nothing is known of it; another bucket than the known one; no key where one is known. */
function lossesOf(before: TrailSettings, after: TrailSettings): Loss[] {
  return ALL.filter((aspect) => {
    const [was, is] = [before[aspect], after[aspect]];
    if (aspect === 'bucket') return was !== undefined && is !== undefined && was !== is;
    if (aspect === 'kmsKeyId') return is === '' && was !== undefined && was !== '';
    return is === false && was !== false;
  }).map((aspect) => ({ aspect, before: before[aspect], after: after[aspect] }));
}

function isBack(aspect: Aspect, before: TrailSettings[Aspect], now: TrailSettings[Aspect]): boolean {
  if (now === undefined) return false;
  if (aspect === 'bucket') return now === before;
  return aspect === 'kmsKeyId' ? now !== '' : now === true;
}

function shown(value: string | boolean): string | boolean {
  return typeof value === 'string' ? plain(value, 200) : value;
}
