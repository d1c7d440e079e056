/** Every detector that ships, by family. One file, one line; a contract test notices when they part. */
import deniedBurst from './access/denied-burst.ts';
import newActorForKey from './access/new-actor-for-key.ts';
import rootUsedKey from './access/root-used-key.ts';
import eventConflict from './blinding/event-conflict.ts';
import kmsEventsExcluded from './blinding/kms-events-excluded.ts';
import trailDeleted from './blinding/trail-deleted.ts';
import trailStopped from './blinding/trail-stopped.ts';
import type { Detector } from './contract.ts';
import aliasDeleted from './deletion/alias-deleted.ts';
import aliasRepointed from './deletion/alias-repointed.ts';
import disabledKeyUsed from './deletion/disabled-key-used.ts';
import importedMaterialDeleted from './deletion/imported-material-deleted.ts';
import importedMaterialExpired from './deletion/imported-material-expired.ts';
import importedMaterialExpiring from './deletion/imported-material-expiring.ts';
import keyDeleted from './deletion/key-deleted.ts';
import keyDeletionScheduled from './deletion/key-deletion-scheduled.ts';
import keyDeletionShortWindow from './deletion/key-deletion-short-window.ts';
import keyDisabled from './deletion/key-disabled.ts';
import keyStoreChanged from './deletion/key-store-changed.ts';
import logKeyEndangered from './deletion/log-key-endangered.ts';
import multiRegionPrimaryDeletion from './deletion/multi-region-primary-deletion.ts';
import pendingDeletionKeyUsed from './deletion/pending-deletion-key-used.ts';
import policyChangedWhilePendingDeletion from './deletion/policy-changed-while-pending-deletion.ts';
import keyPolicyPublic from './exposure/key-policy-public.ts';
import rotationDisabled from './rotation/rotation-disabled.ts';
import rotationMissed from './rotation/rotation-missed.ts';
import rotationNotEnabled from './rotation/rotation-not-enabled.ts';
import rotationOverdue from './rotation/rotation-overdue.ts';
import rotationPeriodWeakened from './rotation/rotation-period-weakened.ts';

export const DETECTORS: readonly Detector[] = [
  rotationDisabled,
  rotationPeriodWeakened,
  rotationNotEnabled,
  rotationOverdue,
  rotationMissed,
  keyDeletionScheduled,
  keyDeletionShortWindow,
  pendingDeletionKeyUsed,
  keyDisabled,
  disabledKeyUsed,
  keyDeleted,
  importedMaterialDeleted,
  importedMaterialExpiring,
  importedMaterialExpired,
  multiRegionPrimaryDeletion,
  aliasRepointed,
  aliasDeleted,
  policyChangedWhilePendingDeletion,
  logKeyEndangered,
  keyStoreChanged,
  keyPolicyPublic,
  newActorForKey,
  deniedBurst,
  rootUsedKey,
  kmsEventsExcluded,
  trailStopped,
  trailDeleted,
  eventConflict,
];
