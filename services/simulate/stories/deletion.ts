import { HOUR, MINUTE } from '../../core/clock.ts';
import { kmsItself } from '../callers.ts';
import { createAlias, deleteAlias, updateAlias } from '../aliases.ts';
import { cancelKeyDeletion, disableKey, enableKey, putKeyPolicy, scheduleKeyDeletion, serviceEvent } from '../controls.ts';
import { read, refused, revokeGrant } from '../operations.ts';
import { rolePolicy } from '../policies.ts';
import type { Scribe } from '../scribe.ts';
import { signedIn, STAFF } from '../staff.ts';
import type { World } from '../world.ts';

/**
 * Priya ends the search proof of concept and takes the shortest waiting time, unaware that the nightly indexer still
 * reads with the key. It fails every night; she tries to mend that by a policy change, which cannot help. The key is
 * deleted after seven days, and what it encrypted is lost.
 */
export function searchKeyLost(world: World, scribe: Scribe): void {
  const key = world.key('stg-search-poc');
  const { region } = key;
  const { searchScheduled, searchPolicyChanged, searchDeleted } = world.plot;
  const priya = signedIn(world, STAFF.priya, { account: 'staging', time: searchScheduled });
  scribe.write({ time: searchScheduled - 2 * MINUTE, region }, priya, read('DescribeKey', key));
  scribe.write({ time: searchScheduled, region }, priya, scheduleKeyDeletion(key, { time: searchScheduled, windowDays: 7 }));
  const later = signedIn(world, STAFF.priya, { account: 'staging', time: searchPolicyChanged });
  scribe.write({ time: searchPolicyChanged - MINUTE, region }, later, read('GetKeyPolicy', key));
  scribe.write({ time: searchPolicyChanged, region }, later, putKeyPolicy(key, rolePolicy(key.account, 'stg-search-indexer')));
  scribe.write({ time: searchDeleted, region }, kmsItself(key.account), serviceEvent('DeleteKey', key, {}));
}

/** Elena schedules the deletion of the wrong key, notices over lunch, cancels, and switches it on again. */
export function churnKeySpared(world: World, scribe: Scribe): void {
  const key = world.key('data-churn-features');
  const { region } = key;
  const { churnScheduled, churnCancelled } = world.plot;
  const elena = signedIn(world, STAFF.elena, { account: 'data', time: churnScheduled });
  scribe.write({ time: churnScheduled, region }, elena, scheduleKeyDeletion(key, { time: churnScheduled, windowDays: 30 }));
  scribe.write({ time: churnCancelled, region }, elena, cancelKeyDeletion(key));
  scribe.write({ time: churnCancelled + MINUTE, region }, elena, enableKey(key));
}

/** The loyalty programme has ended. Tom schedules the primary key's deletion; its replica in the recovery Region stays. */
export function loyaltyKeyRetired(world: World, scribe: Scribe): void {
  const key = world.key('prod-loyalty');
  const time = world.plot.loyaltyScheduled;
  const tom = signedIn(world, STAFF.tom, { account: 'prod', time, tool: 'cli' });
  scribe.write({ time: time - 3 * MINUTE, region: key.region }, tom, revokeGrant(key, world.stableHex(64, 'loyalty-grant')));
  scribe.write({ time, region: key.region }, tom, scheduleKeyDeletion(key, { time, windowDays: 30, waitsForReplicas: true }));
}

/** The warehouse before the move has been empty for months; Elena retires its key with the longest waiting time. */
export function oldWarehouseRetired(world: World, scribe: Scribe): void {
  const key = world.key('data-old-warehouse');
  const time = world.plot.warehouseScheduled;
  const elena = signedIn(world, STAFF.elena, { account: 'data', time });
  scribe.write({ time: time - MINUTE, region: key.region }, elena, read('DescribeKey', key));
  scribe.write({ time, region: key.region }, elena, scheduleKeyDeletion(key, { time, windowDays: 30 }));
}

/** Jonas disables a key that he takes for unused; the night's report fails; he enables it in the morning. */
export function scratchKeyDisabled(world: World, scribe: Scribe): void {
  const key = world.key('stg-scratch');
  const { region } = key;
  const { scratchDisabled, scratchEnabled } = world.plot;
  scribe.write(
    { time: scratchDisabled, region },
    signedIn(world, STAFF.jonas, { account: 'staging', time: scratchDisabled }),
    disableKey(key),
  );
  scribe.write(
    { time: scratchEnabled, region },
    signedIn(world, STAFF.jonas, { account: 'staging', time: scratchEnabled }),
    enableKey(key),
  );
}

/** Elena points the export alias at an older key while testing; Mara moves it back three hours later. */
export function exportAliasAstray(world: World, scribe: Scribe): void {
  const [right, wrong] = [world.key('data-export'), world.key('data-lake')];
  const alias = right.alias ?? '';
  const { exportAliasMoved, exportAliasReturned } = world.plot;
  const { region } = right;
  scribe.write(
    { time: exportAliasMoved, region },
    signedIn(world, STAFF.elena, { account: 'data', time: exportAliasMoved, tool: 'cli' }),
    updateAlias(wrong, alias),
  );
  scribe.write(
    { time: exportAliasReturned, region },
    signedIn(world, STAFF.mara, { account: 'data', time: exportAliasReturned }),
    updateAlias(right, alias),
  );
}

/** Jonas tidies up and deletes the alias of a bucket's key that is in daily use; Mara restores it next morning. */
export function uploadsAliasLost(world: World, scribe: Scribe): void {
  const key = world.key('stg-uploads');
  const alias = key.alias ?? '';
  const { region } = key;
  const { uploadsAliasDeleted, uploadsAliasRestored } = world.plot;
  const jonas = signedIn(world, STAFF.jonas, { account: 'staging', time: uploadsAliasDeleted });
  scribe.write({ time: uploadsAliasDeleted, region }, jonas, deleteAlias(key, alias));
  const missing = refused(read('DescribeKey', key, 'alias'), {
    code: 'NotFoundException',
    message: `Alias arn:aws:kms:${region}:${key.account}:${alias} is not found.`,
  });
  scribe.write(
    { time: uploadsAliasRestored - HOUR, region },
    signedIn(world, STAFF.priya, { account: 'staging', time: uploadsAliasRestored - HOUR, tool: 'cli' }),
    { ...missing, resources: undefined },
  );
  scribe.write(
    { time: uploadsAliasRestored, region },
    signedIn(world, STAFF.mara, { account: 'staging', time: uploadsAliasRestored }),
    createAlias(key, alias),
  );
}
