import { DAY, HOUR, MINUTE } from '../core/clock.ts';
import { kmsItself, via } from './callers.ts';
import { createAlias } from './aliases.ts';
import {
  createKey,
  createReplica,
  enableKeyRotation,
  importKeyMaterial,
  replicateKey,
  serviceEvent,
  synchronizeMultiRegionKey,
  tagResource,
} from './controls.ts';
import { ACCOUNTS, PARTNER_ACCOUNT } from './keyring.ts';
import { materialAt } from './operations.ts';
import { accountPolicy, partnerPolicy, trailPolicy } from './policies.ts';
import { Random } from './random.ts';
import type { Caller, Entry } from './record.ts';
import { Scribe } from './scribe.ts';
import { pipeline, signedIn, STAFF } from './staff.ts';
import { createTrail } from './stories/blinding.ts';
import { parametersForImport } from './stories/imported.ts';
import type { Stream } from './stream.ts';
import type { SimKey, World } from './world.ts';

/**
 * How each key came to be and was rotated since: mostly long before the month, which makes it history that the company
 * imports with it; a few of the keys are born within the month.
 */
export function tellBiographies(world: World): Entry[] {
  return world.keys.flatMap((key) => {
    if (key.plan.managed) return [];
    const scribe = new Scribe(new Random(`${world.seed}/biography/${key.name}`));
    tellBirth(world, scribe, key);
    tellImport(world, scribe, key);
    for (const [at, material] of key.materials.entries()) {
      if (material.cause === 'created') continue;
      const previousKeyMaterialId = key.materials[at - 1]?.id ?? '';
      const rotation = serviceEvent('RotateKey', key, {
        rotationType: material.cause === 'automatic' ? 'AUTOMATIC' : 'ON_DEMAND',
        keyOrigin: 'AWS_KMS',
        previousKeyMaterialId,
        currentKeyMaterialId: material.id,
      });
      // KMS rotates the primary key and carries the material over to its replicas.
      const call = key.plan.multiRegion === 'REPLICA' ? synchronizeMultiRegionKey(key) : rotation;
      scribe.write({ time: material.at, region: key.region }, kmsItself(key.account), call);
    }
    if (key.name === 'sec-cloudtrail') {
      scribe.write(
        { time: key.createdAt + HOUR, region: key.region },
        pipeline(world, 'security', key.createdAt + HOUR),
        createTrail(world),
      );
    }
    return scribe.entries;
  });
}

/**
 * Those who use a key began to when it was made: each stream's first occurrence, some hours after the key's creation.
 * Without it the month would look like everybody's first day.
 */
export function tellFirstUses(world: World, streams: readonly Stream[]): Entry[] {
  return streams.flatMap(({ name, key, write }) => {
    if (!key || key.plan.managed || key.createdAt >= world.start) return [];
    const scribe = new Scribe(new Random(`${world.seed}/first-use/${name}`));
    write(key.createdAt + scribe.random.int(4 * 60, 4 * 24 * 60) * MINUTE, scribe);
    return scribe.entries;
  });
}

function tellBirth(world: World, scribe: Scribe, key: SimKey): void {
  // The successor of the session key is made by its own story, alias and all.
  if (key.name === 'prod-session-hmac-2') return;
  const { plan, region, createdAt: time } = key;
  const creator =
    key.name === 'prod-returns' ? signedIn(world, STAFF.priya, { account: 'prod', time }) : pipeline(world, plan.account, time);
  if (plan.primary !== undefined) replicate(world, scribe, { key, creator });
  else scribe.write({ time, region }, creator, createKey(key, policyOf(key)));
  if (key.alias !== null) scribe.write({ time: time + 2_000, region }, creator, createAlias(key, key.alias));
  if (key.name === 'prod-returns') scribe.write({ time: time + 60_000, region }, creator, tagResource(key, 'service', 'returns'));
  const canRotate = plan.spec === undefined && plan.origin === undefined && plan.multiRegion !== 'REPLICA';
  if (canRotate && plan.rotationDays !== null)
    scribe.write({ time: time + 5_000, region }, creator, enableKeyRotation(key, plan.rotationDays ?? 365));
}

function replicate(world: World, scribe: Scribe, what: { key: SimKey; creator: Caller }): void {
  const { key, creator } = what;
  const primary = world.key(key.plan.primary ?? '');
  scribe.write({ time: key.createdAt - 1_000, region: primary.region }, creator, replicateKey(primary, key, accountPolicy(key.account)));
  scribe.write({ time: key.createdAt, region: key.region }, via(creator, 'kms.amazonaws.com'), createReplica(key, primary.arn));
}

/** Keys for material of one's own wait for it; it comes minutes after the key. */
function tellImport(world: World, scribe: Scribe, key: SimKey): void {
  if (key.plan.origin !== 'EXTERNAL') return;
  const time = key.createdAt + 20 * MINUTE;
  const tom = signedIn(world, STAFF.tom, { account: key.plan.account, time, tool: 'cli' });
  const validTo =
    { 'prod-carrier-import': world.end + 19 * DAY, 'stg-partner-import': world.plot.partnerExpired }[key.name] ?? world.end + 500 * DAY;
  scribe.write({ time: time - 2 * MINUTE, region: key.region }, tom, parametersForImport(key));
  scribe.write(
    { time, region: key.region },
    tom,
    importKeyMaterial(key, { validTo, materialId: materialAt(key, time) ?? '', first: true }),
  );
}

function policyOf(key: SimKey): string {
  if (key.name === 'data-export') return partnerPolicy(key.account, PARTNER_ACCOUNT);
  if (key.name === 'sec-cloudtrail')
    return trailPolicy(key.account, Object.values(ACCOUNTS), [`arn:aws:iam::${key.account}:role/siem-forwarder`]);
  return accountPolicy(key.account);
}
