import { MINUTE } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import { via } from '../callers.ts';
import { createReplica, putKeyPolicy, replicateKey } from '../controls.ts';
import { laterMoment, workMoment } from '../instants.ts';
import { createGrant, revokeGrant } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import { accountPolicy, partnerPolicy, rolePolicy } from '../policies.ts';
import type { Call } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { signedIn, STAFF } from '../staff.ts';
import type { SimKey, World } from '../world.ts';

/** A vendor of a volume scanner that staging tries out; nobody has told the security team. */
const VENDOR = '999900001111';
const { berlin, lisbon, austin } = OFFSETS;

function adjacent(service: string, operation: string, request: JsonObject, response: JsonObject | null = null): Call {
  return { service, operation, readOnly: false, request, response };
}

/** Jonas lets the vendor into staging's volume key, and shares a snapshot with it; Mara takes both back next morning. */
export function scannerTriedOut(world: World, scribe: Scribe): void {
  const key = world.key('stg-ebs');
  const { region } = key;
  const opened = workMoment(world.end, 18, { hour: 15, minute: 4, offset: berlin });
  const closed = laterMoment(opened, 1, { hour: 9, minute: 51, offset: berlin });
  const snapshotId = `snap-${world.stableHex(17, 'scanner-snapshot')}`;
  const share = (change: 'add' | 'remove') =>
    adjacent(
      'ec2',
      'ModifySnapshotAttribute',
      { snapshotId, attributeType: 'CREATE_VOLUME_PERMISSION', createVolumePermission: { [change]: { items: [{ userId: VENDOR }] } } },
      { _return: true },
    );
  const jonas = signedIn(world, STAFF.jonas, { account: 'staging', time: opened });
  scribe.write({ time: opened, region }, jonas, putKeyPolicy(key, partnerPolicy(key.account, VENDOR)));
  scribe.write({ time: opened + 6 * MINUTE, region }, jonas, share('add'));
  const mara = signedIn(world, STAFF.mara, { account: 'staging', time: closed });
  scribe.write({ time: closed, region }, mara, share('remove'));
  scribe.write({ time: closed + 2 * MINUTE, region }, mara, putKeyPolicy(key, accountPolicy(key.account)));
}

/** Elena's tool sets a policy with the lockout check off. */
export function lockoutBypassed(world: World, scribe: Scribe): void {
  const key = world.key('data-churn-model');
  const time = workMoment(world.end, 16, { hour: 14, minute: 27, offset: lisbon });
  const call = putKeyPolicy(key, rolePolicy(key.account, 'churn-trainer'));
  scribe.write({ time, region: key.region }, signedIn(world, STAFF.elena, { account: 'data', time, tool: 'cli' }), {
    ...call,
    request: { ...call.request, bypassPolicyLockoutSafetyCheck: true },
  });
}

/** Elena gives a grant to the vendor of a labelling service, and one without limits to a notebook; the first is taken back two days later. */
export function grantsGiven(world: World, scribe: Scribe): void {
  const key = world.key('data-eu-lake');
  const { region } = key;
  const given = workMoment(world.end, 15, { hour: 11, minute: 40, offset: lisbon });
  const taken = laterMoment(given, 2, { hour: 10, minute: 15, offset: lisbon });
  const grantId = world.stableHex(64, 'labelling-grant');
  const elena = (time: number) => signedIn(world, STAFF.elena, { account: 'data', time, tool: 'cli' });
  scribe.write(
    { time: given, region },
    elena(given),
    createGrant(key, { grantId, grantee: `arn:aws:iam::${VENDOR}:role/label-import`, operations: ['Decrypt', 'DescribeKey'], context: {} }),
  );
  scribe.write(
    { time: given + 9 * MINUTE, region },
    elena(given),
    createGrant(key, {
      grantId: world.stableHex(64, 'notebook-grant'),
      grantee: `arn:aws:iam::${key.account}:role/notebook-shared`,
      operations: ['Decrypt', 'GenerateDataKey', 'CreateGrant'],
      context: {},
    }),
  );
  scribe.write({ time: taken, region }, elena(taken), revokeGrant(key, grantId));
}

/** Tom clears out grants of staging that he takes for left-overs. */
export function grantsClearedOut(world: World, scribe: Scribe): void {
  const key = world.key('stg-secrets');
  const time = workMoment(world.end, 8, { hour: 15, minute: 12, offset: austin });
  const tom = signedIn(world, STAFF.tom, { account: 'staging', time, tool: 'cli' });
  for (let n = 0; n < 7; n += 1) {
    scribe.write({ time: time + n * 20_000, region: key.region }, tom, revokeGrant(key, world.stableHex(64, `left-over-grant-${n}`)));
  }
}

/** For a shop in Singapore that is never opened, Tom replicates the customer key to a Region that the company does not use. */
export function replicaGoesAbroad(world: World, scribe: Scribe): void {
  const primary = world.key('prod-customer-pii');
  const time = workMoment(world.end, 17, { hour: 13, minute: 33, offset: austin });
  const tom = signedIn(world, STAFF.tom, { account: 'prod', time, tool: 'cli' });
  const region = 'ap-southeast-1';
  const replica: SimKey = {
    ...primary,
    plan: { ...primary.plan, region, multiRegion: 'REPLICA', primary: primary.name, purpose: 'customer records, Singapore' },
    region,
    arn: primary.arn.replace(`:${primary.region}:`, `:${region}:`),
    createdAt: time + 1_000,
  };
  scribe.write({ time, region: primary.region }, tom, replicateKey(primary, replica, accountPolicy(primary.account)));
  scribe.write({ time: time + 1_000, region }, via(tom, 'kms.amazonaws.com'), createReplica(replica, primary.arn));
}

/** Jonas switches encryption by default off to get an old image to start, and on again. */
export function defaultEncryptionPaused(world: World, scribe: Scribe): void {
  const time = workMoment(world.end, 6, { hour: 11, minute: 2, offset: berlin });
  const jonas = (at: number) => signedIn(world, STAFF.jonas, { account: 'staging', time: at });
  const off = adjacent('ec2', 'DisableEbsEncryptionByDefault', { DisableEbsEncryptionByDefaultRequest: '' });
  const on = adjacent('ec2', 'EnableEbsEncryptionByDefault', { EnableEbsEncryptionByDefaultRequest: '' });
  scribe.write({ time, region: 'us-east-1' }, jonas(time), off);
  scribe.write({ time: time + 26 * MINUTE, region: 'us-east-1' }, jonas(time + 26 * MINUTE), on);
}
