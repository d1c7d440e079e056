import { MINUTE } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import { putKeyPolicy } from '../controls.ts';
import { workMoment } from '../instants.ts';
import { ACCOUNTS } from '../keyring.ts';
import { OFFSETS } from '../plot.ts';
import { rolePolicy } from '../policies.ts';
import type { Call } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { signedIn, STAFF } from '../staff.ts';
import type { World } from '../world.ts';

const HOME = 'us-east-1';
const { berlin, austin } = OFFSETS;

/** The queue that tells kmswatch of new log files; its owner is the security account. */
export const MONITOR_QUEUE = 'kmswatch-trail';

function call(service: string, operation: string, request: JsonObject, response: JsonObject | null = null): Call {
  return { service, operation, readOnly: false, request, response };
}

/** Jonas gives one role into the policies of three of staging's keys, by hand, within ten minutes. */
export function policiesByHand(world: World, scribe: Scribe): void {
  const time = workMoment(world.end, 13, { hour: 16, minute: 20, offset: berlin });
  const jonas = signedIn(world, STAFF.jonas, { account: 'staging', time });
  for (const [n, name] of ['stg-uploads', 'stg-scratch', 'stg-secrets'].entries()) {
    const key = world.key(name);
    scribe.write({ time: time + n * 4 * MINUTE, region: key.region }, jonas, putKeyPolicy(key, rolePolicy(key.account, 'stg-debugger')));
  }
}

/** The data account's second trail: Tom takes read events and other Regions out of it to save money, and puts them back. */
export function secondTrailNarrowed(world: World, scribe: Scribe): void {
  const time = workMoment(world.end, 11, { hour: 9, minute: 47, offset: austin });
  const name = 'data-lake-trail';
  const trailARN = `arn:aws:cloudtrail:${HOME}:${ACCOUNTS.data}:trail/${name}`;
  const tom = (at: number) => signedIn(world, STAFF.tom, { account: 'data', time: at, tool: 'cli' });
  const select = (readWriteType: string): Call => {
    const eventSelectors = [{ readWriteType, includeManagementEvents: true, dataResources: [], excludeManagementEventSources: [] }];
    return call('cloudtrail', 'PutEventSelectors', { trailName: name, eventSelectors }, { trailARN, eventSelectors });
  };
  const cover = (isMultiRegionTrail: boolean): Call =>
    call(
      'cloudtrail',
      'UpdateTrail',
      { name, isMultiRegionTrail },
      {
        name,
        s3BucketName: 'larkspur-data-trail',
        includeGlobalServiceEvents: true,
        isMultiRegionTrail,
        trailARN,
        logFileValidationEnabled: true,
        isOrganizationTrail: false,
      },
    );
  scribe.write({ time, region: HOME }, tom(time), select('WriteOnly'));
  scribe.write({ time: time + 2 * MINUTE, region: HOME }, tom(time), cover(false));
  const later = time + 95 * MINUTE;
  scribe.write({ time: later, region: HOME }, tom(later), cover(true));
  scribe.write({ time: later + MINUTE, region: HOME }, tom(later), select('All'));
}

/** Tom lets the organization's logs expire after a month; an hour later they are to be kept for ten years. */
export function logsToExpire(world: World, scribe: Scribe): void {
  const time = workMoment(world.end, 7, { hour: 10, minute: 36, offset: austin });
  const bucketName = 'larkspur-org-trail';
  const keep = (days: number): Call =>
    call('s3', 'PutBucketLifecycle', {
      lifecycle: '',
      bucketName,
      LifecycleConfiguration: {
        xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/',
        Rule: { Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: days }, ID: 'expire-logs' },
      },
      Host: `${bucketName}.s3.us-east-1.amazonaws.com`,
    });
  const tom = (at: number) => signedIn(world, STAFF.tom, { account: 'security', time: at, tool: 'cli' });
  scribe.write({ time, region: HOME }, tom(time), keep(30));
  scribe.write({ time: time + 55 * MINUTE, region: HOME }, tom(time + 55 * MINUTE), keep(3650));
}

/** Mara changes the policy of the queue that tells of new log files. */
export function monitorQueueChanged(world: World, scribe: Scribe): void {
  const time = workMoment(world.end, 9, { hour: 15, minute: 29, offset: berlin });
  const queueUrl = `https://sqs.${HOME}.amazonaws.com/${ACCOUNTS.security}/${MONITOR_QUEUE}`;
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: `arn:aws:sqs:${HOME}:${ACCOUNTS.security}:${MONITOR_QUEUE}`,
  };
  scribe.write(
    { time, region: HOME },
    signedIn(world, STAFF.mara, { account: 'security', time }),
    call('sqs', 'SetQueueAttributes', {
      queueUrl,
      attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) },
    }),
  );
}
