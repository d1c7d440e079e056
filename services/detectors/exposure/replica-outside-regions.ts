import { z } from 'zod';
import type { StoredEvent } from '../../core/event.ts';
import { type Context, defineEventDetector, type KeySubject } from '../contract.ts';
import { circumstances, isAllowedRegion } from '../organization.ts';
import { argument, callerFirst, deed, eventMatch, keyArguments, keyName, listed, moment, plain } from '../wording.ts';

/** Multi-Region keys: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html */
export default defineEventDetector({
  id: 'replica-outside-regions',
  title: 'A multi-Region key was brought to a Region that is not allowed',
  severity: 'high',
  status: 'stable',
  family: 'exposure',
  kind: 'event',
  subject: 'key',
  events: ['kms:ReplicateKey', 'kms:UpdatePrimaryRegion', 'kms:DeleteKey'],
  params: z.strictObject({}),
  techniques: ['T1535'],
  blindSpots: [
    'Without organization.allowed_regions in the configuration every Region is allowed.',
    'Replicas from before the records begin.',
  ],
  falsePositives: ['A Region that was taken into use and is not in the configuration yet.'],

  dedupKey: (event, subject) => [subject.arn, event.operation === 'UpdatePrimaryRegion' ? 'primary' : 'replica'],

  evaluate({ event }, subject, context) {
    const region = regionSet(event, subject);
    if (region === null || isAllowedRegion(context.organization, region) !== false) return null;
    const replica = event.operation === 'ReplicateKey';
    const done = replica ? `made ${keyName(subject)}, a replica of` : `made ${plain(region, 32)} the primary Region of`;
    const of = replica ? `key ${plain(event.key?.id ?? 'that is not named', 80)} in ${plain(event.region, 32)}` : keyName(subject);
    return eventMatch(event, {
      explanation: {
        what: `${callerFirst(event)} ${done} ${of}, on ${moment(event.eventTime)}.`,
        why: `A replica has the same key material as its primary: whoever may use it there can decrypt what was encrypted here. Allowed are ${allowed(context)}; ${plain(region, 32)} is not among them, so no policies, trails and monitors may be in place there.`,
        benign: 'The Region was taken into use on purpose, and the configuration does not name it yet.',
        now: [
          'Ask the caller for the change request.',
          `Look at the key there: aws kms describe-key ${replica ? keyArguments(subject) : `--key-id ${argument(subject.arn.slice(subject.arn.indexOf('/') + 1), 'KEY_ID')} --region ${argument(region, 'REGION')}`}`,
          replica
            ? `If nobody needs the replica, let it be deleted: aws kms schedule-key-deletion ${keyArguments(subject)} --pending-window-in-days 7`
            : `Move the primary back: aws kms update-primary-region --key-id ${argument(subject.arn.slice(subject.arn.indexOf('/') + 1), 'KEY_ID')} --primary-region ${argument(subject.region, 'REGION')} --region ${argument(region, 'REGION')}`,
          `Check that KMS events of that Region are logged: aws cloudtrail describe-trails --region ${argument(region, 'REGION')}`,
        ],
      },
      details: {
        region,
        allowed_regions: [...(context.organization.allowedRegions ?? [])].toSorted(),
        ...circumstances(context.organization, event),
      },
    });
  },

  mends({ event }, subject, context) {
    const region = regionSet(event, subject, true);
    if (event.operation === 'UpdatePrimaryRegion' && region !== null && isAllowedRegion(context.organization, region) === true)
      return `The primary Region is an allowed one again: ${deed(event)}.`;
    return null;
  },

  standing(match, subject) {
    const { deleted } = subject.facts;
    return deleted === undefined
      ? match
      : { ...match, resolved: { at: deleted.at, reason: `AWS deleted the key on ${moment(deleted.at)}.` } };
  },
});

/**
 * The Region that a call brings this key to. A replica is told of as the key that it is. A move of the primary is recorded in both Regions
 * and told of once, as of the key that was primary: the call names that one.
 */
function regionSet(event: StoredEvent, subject: KeySubject, back = false): string | null {
  if (event.operation === 'ReplicateKey') return event.otherKey?.arn === subject.arn ? subject.region : null;
  const region = event.operation === 'UpdatePrimaryRegion' ? event.detail?.primaryRegion : undefined;
  return region === undefined || (!back && region === subject.region) ? null : region;
}

function allowed({ organization }: Context<unknown>): string {
  return listed([...(organization.allowedRegions ?? [])].toSorted(), 10);
}
