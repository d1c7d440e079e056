import { z } from 'zod';
import { MINUTE } from '../../core/clock.ts';
import type { StoredEvent } from '../../core/event.ts';
import { type Crowd, crowdsOf } from '../crowds.ts';
import { type ActorSubject, defineWindowDetector, type Organization } from '../contract.ts';
import { changeWindowAt, knownRole } from '../organization.ts';
import { actorName, argument, count, isAws, iso, keyId, listed, period, plain } from '../wording.ts';

const DEEDS: ReadonlyMap<string, string> = new Map([
  ['DisableKey', 'disabled'],
  ['ScheduleKeyDeletion', 'scheduled for deletion'],
  ['DeleteImportedKeyMaterial', 'stripped of imported material'],
  ['PutKeyPolicy', 'given another policy'],
]);

/** One actor against many keys at once: what ransom and destruction have in common. */
export default defineWindowDetector({
  id: 'mass-key-tampering',
  title: 'One caller disabled, deleted or changed several KMS keys at once',
  severity: 'critical',
  status: 'stable',
  family: 'deletion',
  kind: 'window',
  subject: 'actor',
  events: [...DEEDS.keys()].map((operation) => `kms:${operation}`),
  params: z.strictObject({
    keys: z.int().min(2).max(1000).default(3),
    windowMinutes: z.int().min(1).max(1440).default(60),
  }),
  techniques: ['T1485', 'T1486', 'T1531'],
  blindSpots: [
    'Several callers who share the work.',
    'A pace below the threshold.',
    'Keys that a caller strips of grants or aliases only.',
  ],
  falsePositives: [
    'Tearing down an environment on purpose.',
    'A deployment that changes the policies of many keys by a role that the configuration does not name among the pipeline roles.',
  ],

  evaluate(subject, { params, organization }) {
    const crowds = crowdsOf(tampering(subject, organization), {
      windowMs: params.windowMinutes * MINUTE,
      minimum: params.keys,
      thing: (event) => event.key?.arn ?? event.eventId,
    });
    return crowds.map((crowd) => matchOf(subject, crowd, { ...params, organization }));
  },
});

/** A deployment may write policies by the dozen; what else it does to keys counts like anybody's. */
function tampering(subject: ActorSubject, organization: Organization): StoredEvent[] {
  if (isAws(subject.actor)) return [];
  const deploys = knownRole(organization, subject.actor) === 'pipeline role';
  return (subject.harms ?? []).filter(({ operation }) => DEEDS.has(operation) && !(deploys && operation === 'PutKeyPolicy'));
}

interface Terms {
  readonly keys: number;
  readonly windowMinutes: number;
  readonly organization: Organization;
}

function matchOf(subject: ActorSubject, { events, peak }: Crowd<StoredEvent>, { keys, windowMinutes, organization }: Terms) {
  const [first, last] = [events[0], events.at(-1)];
  const [from, to] = [first?.eventTime ?? 0, last?.eventTime ?? 0];
  const touched = [...new Set(events.flatMap(({ key }) => (key === null ? [] : [key.arn])))].toSorted();
  const regions = new Set(events.map(({ region }) => region));
  const deeds = [...Map.groupBy(events, ({ operation }) => operation)].map(([operation, done]) => ({
    operation,
    keys: new Set(done.map(({ key }) => key?.arn)).size,
  }));
  const told = deeds.map((deed) => `${count(deed.keys, 'key')} ${DEEDS.get(deed.operation) ?? deed.operation}`);
  const window = changeWindowAt(organization, from);
  return {
    dedupKey: [subject.actor.id],
    keyArn: null,
    region: regions.size === 1 ? ([...regions][0] ?? '') : '',
    at: from,
    until: to,
    occurrences: events.length,
    actor: subject.actor.id,
    evidence: events.map(({ eventId }) => eventId),
    explanation: {
      what: `${capital(actorName(subject.actor))} reached ${count(touched.length, 'key')} ${period(from, to)}: ${listed(told)} (${listed(touched.map(keyId), 5)}).`,
      why: `Observed are up to ${peak} different keys within ${windowMinutes} minutes; expected are fewer than ${keys}. Whoever destroys or locks away many keys at once makes all that they encrypt unreadable.${window === null ? '' : ` It was within the change window "${plain(window, 100)}", which does not explain it by itself.`}`,
      benign: 'An environment is torn down, or a change rolled out, on purpose and under a change request.',
      now: [
        'Ask the caller at once; if it is not them, revoke the sessions and keys of the principal.',
        'Stop each deletion: aws kms cancel-key-deletion --key-id KEY_ARN --region REGION (a cancelled key is disabled)',
        'Enable each key that was disabled: aws kms enable-key --key-id KEY_ARN --region REGION',
        'Import material again that was deleted, and put back policies that were changed.',
        `List all that the caller did since: aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=${argument(last?.sessionName ?? subject.actor.name, 'NAME')} --start-time ${iso(from)}`,
      ],
    },
    details: {
      keys: touched.slice(0, 50),
      key_count: touched.length,
      peak_in_window: peak,
      window_minutes: windowMinutes,
      deeds,
      change_window: window,
    },
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
