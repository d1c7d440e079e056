import { MINUTE } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import { putKeyPolicy } from '../controls.ts';
import { keyStoreCall } from '../key-store.ts';
import { ACCOUNTS } from '../keyring.ts';
import { list } from '../operations.ts';
import { trailPolicy } from '../policies.ts';
import type { Call, Entry } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { signedIn, STAFF } from '../staff.ts';
import type { World } from '../world.ts';

const HOME = 'us-east-1';

function trailCall(operation: string, request: JsonObject, response: JsonObject | null = null): Call {
  return { service: 'cloudtrail', operation, readOnly: false, request, response };
}

function selectors(trail: string, account: string, excluded: readonly string[]): Call {
  const eventSelectors = [
    { readWriteType: 'All', includeManagementEvents: true, dataResources: [], excludeManagementEventSources: excluded },
  ];
  return trailCall(
    'PutEventSelectors',
    { trailName: trail, eventSelectors },
    { trailARN: `arn:aws:cloudtrail:${HOME}:${account}:trail/${trail}`, eventSelectors },
  );
}

/** The trail of the organization, with the key that encrypts its files; set up long ago. */
export function createTrail(world: World): Call {
  const key = world.key('sec-cloudtrail');
  const settings = {
    s3BucketName: 'larkspur-org-trail',
    includeGlobalServiceEvents: true,
    isMultiRegionTrail: true,
    kmsKeyId: key.arn,
    isOrganizationTrail: true,
  };
  return trailCall(
    'CreateTrail',
    { name: 'larkspur-org', enableLogFileValidation: true, ...settings },
    {
      name: 'larkspur-org',
      logFileValidationEnabled: true,
      trailARN: `arn:aws:cloudtrail:${HOME}:${key.account}:trail/larkspur-org`,
      ...settings,
    },
  );
}

/** To save money Tom leaves KMS out of staging's trail; Ines objects, and within the hour he takes it back. */
export function kmsLeftOut(world: World, scribe: Scribe): void {
  const { kmsExcluded, kmsIncluded } = world.plot;
  const tom = (time: number) => signedIn(world, STAFF.tom, { account: 'staging', time, tool: 'cli' });
  scribe.write({ time: kmsExcluded, region: HOME }, tom(kmsExcluded), selectors('staging-trail', ACCOUNTS.staging, ['kms.amazonaws.com']));
  scribe.write({ time: kmsIncluded, region: HOME }, tom(kmsIncluded), selectors('staging-trail', ACCOUNTS.staging, []));
}

/** While staging's trail leaves KMS out, nothing of KMS is delivered from there. */
export function unseen(world: World, entry: Entry): boolean {
  const { kmsExcluded, kmsIncluded } = world.plot;
  return (
    entry.account === ACCOUNTS.staging &&
    entry.time > kmsExcluded &&
    entry.time < kmsIncluded &&
    entry.record['eventSource'] === 'kms.amazonaws.com'
  );
}

/** Tom stops the data account's second trail to move its bucket, and starts it again; a trail of old he deletes. */
export function trailsMoved(world: World, scribe: Scribe): void {
  const { lakeTrailStopped, lakeTrailStarted, oldTrailDeleted } = world.plot;
  const name = `arn:aws:cloudtrail:${HOME}:${ACCOUNTS.data}:trail/data-lake-trail`;
  const tom = (account: 'data' | 'staging', time: number) => signedIn(world, STAFF.tom, { account, time, tool: 'cli' });
  scribe.write({ time: lakeTrailStopped, region: HOME }, tom('data', lakeTrailStopped), trailCall('StopLogging', { name }));
  scribe.write({ time: lakeTrailStarted, region: HOME }, tom('data', lakeTrailStarted), trailCall('StartLogging', { name }));
  scribe.write(
    { time: oldTrailDeleted, region: HOME },
    tom('staging', oldTrailDeleted),
    trailCall('DeleteTrail', { name: 'legacy-audit-2021' }),
  );
}

/** Maintenance of the hardware behind the certificate authority: its key store is cut off for three quarters of an hour. */
export function keyStoreServiced(world: World, scribe: Scribe): void {
  const { storeDisconnected, storeConnected } = world.plot;
  const mara = signedIn(world, STAFF.mara, { account: 'security', time: storeDisconnected });
  scribe.write({ time: storeDisconnected - MINUTE, region: HOME }, mara, list('DescribeCustomKeyStores', { limit: 100 }));
  scribe.write({ time: storeDisconnected, region: HOME }, mara, keyStoreCall('DisconnectCustomKeyStore'));
  scribe.write({ time: storeConnected, region: HOME }, mara, keyStoreCall('ConnectCustomKeyStore'));
}

/** Mara lets a second reader into the policy of the key that encrypts all log files. */
export function logKeyPolicyChanged(world: World, scribe: Scribe): void {
  const key = world.key('sec-cloudtrail');
  const time = world.plot.logKeyPolicyChanged;
  const readers = ['siem-forwarder', 'siem-forwarder-next'].map((role) => `arn:aws:iam::${key.account}:role/${role}`);
  scribe.write(
    { time, region: key.region },
    signedIn(world, STAFF.mara, { account: 'security', time }),
    putKeyPolicy(key, trailPolicy(key.account, Object.values(ACCOUNTS), readers)),
  );
}
