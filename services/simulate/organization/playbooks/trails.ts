import { HOUR, MINUTE } from '../../../core/clock.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Call } from '../../record.ts';
import type { Playbook } from '../contract.ts';
import { addressOf, adjacent, elsewhere, HELD, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';
import { useOf } from './uses.ts';

const regionOf = (t: Telling): string => t.organization.trail.arn.split(':')[3] ?? 'us-east-1';

/** Basic event selectors. */
function selectors(t: Telling, how: { readWriteType: string; excluded: readonly string[] }): Call {
  const { name, arn } = t.organization.trail;
  const eventSelectors = [
    { readWriteType: how.readWriteType, includeManagementEvents: true, dataResources: [], excludeManagementEventSources: how.excluded },
  ];
  return adjacent('cloudtrail', 'PutEventSelectors', { trailName: name, eventSelectors }, { trailARN: arn, eventSelectors });
}

/** Advanced event selectors: each a name and conditions on fields. */
function advanced(t: Telling, fields: readonly JsonObject[]): Call {
  const { name, arn } = t.organization.trail;
  const management = { field: 'eventCategory', equals: ['Management'] };
  const advancedEventSelectors = [{ name: 'Management events', fieldSelectors: [management, ...fields] }];
  return adjacent(
    'cloudtrail',
    'PutEventSelectors',
    { trailName: name, advancedEventSelectors },
    { trailARN: arn, advancedEventSelectors },
  );
}

/** What the trail does not show: a key of the organization is used to decrypt, again and again. */
function inTheDark(t: Telling, how: { from: number; to: number; count: number; address: string }): void {
  const account = t.random.pick(t.organization.accounts.length > 0 ? t.organization.accounts : [t.account]);
  const held = account.keys.filter(({ purpose }) => HELD.includes(purpose));
  const key = t.random.pick(held.length > 0 ? held : account.keys);
  const thief = elsewhere(t.workload(key).direct(how.from), { from: how.address, agent: TOOLS.boto });
  const step = Math.floor((how.to - how.from) / (how.count + 1) / 1000) * 1000;
  for (let n = 1; n <= how.count; n += 1) {
    const time = how.from + n * step;
    t.attack({ time, region: key.key.region }, thief, useOf(t, key, time));
  }
}

/** KMS is left out of the trail, and then used. */
export const kmsLeftOut: Playbook = playbook({
  id: 'kms-left-out-of-trail',
  about: 'KMS is left out of the organization’s trail, keys are used unseen, and the trail is put back.',
  where: 'security',
  days: 9,
  expects: ['kms-events-excluded', 'management-events-narrowed'],
  variants: {
    loud: {
      how: 'the exclude list names KMS, for an hour and a half; 80 decryptions',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const address = addressOf(t);
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: address, agent: TOOLS.kali });
        const [from, to] = [t.at, t.at + 90 * MINUTE];
        const known = t.attack(
          { time: from, region: regionOf(t) },
          admin,
          selectors(t, { readWriteType: 'All', excluded: ['kms.amazonaws.com'] }),
        );
        inTheDark(t, { from, to, count: 80, address });
        t.blinds(from, to, true);
        t.attack({ time: to, region: regionOf(t) }, admin, selectors(t, { readWriteType: 'All', excluded: [] }));
        return known;
      },
    },
    quiet: {
      how: 'an advanced selector with NotEquals, at the office, for 25 minutes; ten decryptions',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const from = t.office(person, 12);
        const to = from + 25 * MINUTE;
        const admin = person.caller(t.account.id, from, 'console');
        const known = t.attack(
          { time: from, region: regionOf(t) },
          admin,
          advanced(t, [{ field: 'eventSource', notEquals: ['kms.amazonaws.com'] }]),
        );
        inTheDark(t, { from, to, count: 10, address: addressOf(t) });
        t.blinds(from, to, true);
        t.attack({ time: to, region: regionOf(t) }, admin, advanced(t, []));
        return known;
      },
    },
    evasive: {
      how: 'by the pipeline in the change window: a selector that names other services, and so does without KMS; three decryptions',
      tell: (t) => {
        const from = t.window();
        const to = from + 12 * MINUTE;
        const admin = t.account.pipeline(from);
        const wanted = [
          'iam.amazonaws.com',
          'sts.amazonaws.com',
          'ec2.amazonaws.com',
          's3.amazonaws.com',
          'cloudtrail.amazonaws.com',
          'sqs.amazonaws.com',
        ];
        const known = t.attack({ time: from, region: regionOf(t) }, admin, advanced(t, [{ field: 'eventSource', equals: wanted }]));
        inTheDark(t, { from, to, count: 3, address: addressOf(t, 'rented') });
        t.blinds(from, to, true);
        t.attack({ time: to, region: regionOf(t) }, admin, advanced(t, []));
        return known;
      },
    },
  },
});

/** The trail itself is switched off, or takes only what changes something. */
export const trailBlinded: Playbook = playbook({
  id: 'trail-blinded',
  about: 'The organization’s trail stops logging or is narrowed; meanwhile keys are used.',
  where: 'security',
  days: 9,
  expects: ['trail-stopped', 'trail-changed', 'management-events-narrowed'],
  variants: {
    loud: {
      how: 'StopLogging, two hours, 100 decryptions',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const address = addressOf(t);
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: address, agent: TOOLS.kali });
        const [from, to] = [t.at, t.at + 2 * HOUR];
        const name = { name: t.organization.trail.arn };
        const known = t.attack({ time: from, region: regionOf(t) }, admin, adjacent('cloudtrail', 'StopLogging', name));
        inTheDark(t, { from, to, count: 100, address });
        t.blinds(from, to, false);
        t.attack({ time: to, region: regionOf(t) }, admin, adjacent('cloudtrail', 'StartLogging', name));
        return known;
      },
    },
    quiet: {
      how: 'StopLogging for a quarter of an hour at the office, ten decryptions',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'SecurityAudit');
        const from = t.office(person, 17);
        const to = from + 15 * MINUTE;
        const admin = person.caller(t.account.id, from, 'cli');
        const name = { name: t.organization.trail.name };
        const known = t.attack({ time: from, region: regionOf(t) }, admin, adjacent('cloudtrail', 'StopLogging', name));
        inTheDark(t, { from, to, count: 10, address: addressOf(t) });
        t.blinds(from, to, false);
        t.attack({ time: to, region: regionOf(t) }, admin, adjacent('cloudtrail', 'StartLogging', name));
        return known;
      },
    },
    evasive: {
      how: 'in the change window the trail takes only what writes, which hides every Decrypt, to save money, for 40 minutes',
      tell: (t) => {
        const from = t.window();
        const to = from + 40 * MINUTE;
        const admin = t.account.pipeline(from);
        const known = t.attack({ time: from, region: regionOf(t) }, admin, selectors(t, { readWriteType: 'WriteOnly', excluded: [] }));
        inTheDark(t, { from, to, count: 6, address: addressOf(t, 'rented') });
        t.blinds(from, to, true);
        t.attack({ time: to, region: regionOf(t) }, admin, selectors(t, { readWriteType: 'All', excluded: [] }));
        return known;
      },
    },
  },
});
