import { MINUTE } from '../../core/clock.ts';
import { updateAlias } from '../aliases.ts';
import { createKey, disableKeyRotation, enableKeyRotation, rotateKeyOnDemand } from '../controls.ts';
import { read } from '../operations.ts';
import { accountPolicy } from '../policies.ts';
import type { Scribe } from '../scribe.ts';
import { pipeline, signedIn, STAFF } from '../staff.ts';
import type { World } from '../world.ts';

/** Mara rotates the secrets key out of turn after an engineer left; KMS completes it a minute and a half later by itself. */
export function secretsRotated(world: World, scribe: Scribe): void {
  const key = world.key('prod-secrets');
  const time = world.plot.secretsRotated;
  const mara = signedIn(world, STAFF.mara, { account: 'prod', time, tool: 'cli' });
  scribe.write({ time: time - MINUTE, region: key.region }, mara, read('ListKeyRotations', key));
  scribe.write({ time, region: key.region }, mara, rotateKeyOnDemand(key));
}

/** Tom switches rotation off while chasing a caching bug and forgets it; Mara switches it on again three days later. */
export function paramsRotationPaused(world: World, scribe: Scribe): void {
  const key = world.key('prod-params');
  const { paramsRotationStopped: stopped, paramsRotationResumed: resumed } = world.plot;
  scribe.write(
    { time: stopped, region: key.region },
    signedIn(world, STAFF.tom, { account: 'prod', time: stopped }),
    disableKeyRotation(key),
  );
  scribe.write(
    { time: resumed, region: key.region },
    signedIn(world, STAFF.mara, { account: 'prod', time: resumed }),
    enableKeyRotation(key, 365),
  );
}

/** Elena lengthens the warehouse key's rotation period to the longest that KMS allows. */
export function warehousePeriodRaised(world: World, scribe: Scribe): void {
  const key = world.key('data-warehouse');
  const time = world.plot.warehousePeriodRaised;
  scribe.write({ time, region: key.region }, signedIn(world, STAFF.elena, { account: 'data', time }), enableKeyRotation(key, 2560));
}

/** HMAC keys cannot rotate by themselves: the pipeline makes a successor and moves the alias, as it does every other year. */
export function sessionKeyReplaced(world: World, scribe: Scribe): void {
  const successor = world.key('prod-session-hmac-2');
  const time = world.plot.sessionKeyReplaced;
  const ci = pipeline(world, 'prod', time);
  scribe.write({ time, region: successor.region }, ci, createKey(successor, accountPolicy(successor.account)));
  scribe.write({ time: time + 40_000, region: successor.region }, ci, updateAlias(successor, 'alias/prod-session-hmac'));
}
