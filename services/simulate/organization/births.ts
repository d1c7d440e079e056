import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { createAlias } from '../aliases.ts';
import { kmsItself } from '../callers.ts';
import { createKey, enableKeyRotation, importKeyMaterial, serviceEvent } from '../controls.ts';
import { materialAt } from '../operations.ts';
import { Random } from '../random.ts';
import type { Caller, Entry } from '../record.ts';
import { Scribe } from '../scribe.ts';
import { createTrail } from '../stories/blinding.ts';
import { parametersForImport } from '../stories/imported.ts';
import type { LivingKey } from './keys.ts';
import type { Estate } from './organization.ts';

/** How each key came to be and was rotated since, and the trail's creation; mostly long before the period. */
export function tellLives(estate: Estate): Entry[] {
  const { security, world } = estate;
  const lives = estate.accounts.flatMap((household) =>
    household.keys.flatMap((living) => tellLife(estate, living, household.pipeline(living.key.createdAt))),
  );
  const logKey = world.key('sec-cloudtrail');
  const scribe = new Scribe(new Random(`${estate.seed}/trail`));
  const time = logKey.createdAt + HOUR;
  scribe.write({ time, region: logKey.region }, security.pipeline(time), createTrail(world));
  return [...lives, ...scribe.entries];
}

/** Creation, alias, rotation or import, and the rotations since. */
export function tellLife(
  estate: Pick<Estate, 'seed'>,
  living: LivingKey,
  creator: Caller,
  alias: string | null = living.key.alias,
): Entry[] {
  const { key, policy, rotationDays } = living;
  const { region, createdAt: time } = key;
  const scribe = new Scribe(new Random(`${estate.seed}/life/${key.name}`));
  scribe.write({ time, region }, creator, createKey(key, policy));
  if (alias !== null) scribe.write({ time: time + 2_000, region }, creator, createAlias(key, alias));
  if (rotationDays !== null) scribe.write({ time: time + 5_000, region }, creator, enableKeyRotation(key, rotationDays));
  if (key.plan.origin === 'EXTERNAL') {
    const terms = { validTo: time + 4 * 365 * DAY, materialId: materialAt(key, time) ?? '', first: true };
    scribe.write({ time: time + 18 * MINUTE, region }, creator, parametersForImport(key));
    scribe.write({ time: time + 20 * MINUTE, region }, creator, importKeyMaterial(key, terms));
  }
  for (const [at, material] of key.materials.entries()) {
    if (material.cause === 'created') continue;
    const rotation = serviceEvent('RotateKey', key, {
      rotationType: 'AUTOMATIC',
      keyOrigin: 'AWS_KMS',
      previousKeyMaterialId: key.materials[at - 1]?.id ?? '',
      currentKeyMaterialId: material.id,
    });
    scribe.write({ time: material.at, region }, kmsItself(key.account), rotation);
  }
  return scribe.entries;
}
