/** Every detector that ships, by family. One file, one line; a contract test notices when they part. */
import deniedBurst from './access/denied-burst.ts';
import newActorForKey from './access/new-actor-for-key.ts';
import rootUsedKey from './access/root-used-key.ts';
import crossAccountFirstUse from './access/cross-account-first-use.ts';
import dormantKeyUsed from './access/dormant-key-used.ts';
import encryptionContextUnexpected from './access/encryption-context-unexpected.ts';
import endpointBypassed from './access/endpoint-bypassed.ts';
import foreignKeyEncryption from './access/foreign-key-encryption.ts';
import impossibleSessions from './access/impossible-sessions.ts';
import keyProbing from './access/key-probing.ts';
import keySweep from './access/key-sweep.ts';
import newContextForActor from './access/new-context-for-actor.ts';
import offHoursUse from './access/off-hours-use.ts';
import personUsedServiceKey from './access/person-used-service-key.ts';
import ransomSequence from './access/ransom-sequence.ts';
import sessionWithoutMfa from './access/session-without-mfa.ts';
import signingKeyNewActor from './access/signing-key-new-actor.ts';
import throttling from './access/throttling.ts';
import volumeSpike from './access/volume-spike.ts';
import eventConflict from './blinding/event-conflict.ts';
import kmsEventsExcluded from './blinding/kms-events-excluded.ts';
import logStorageTampered from './blinding/log-storage-tampered.ts';
import managementEventsNarrowed from './blinding/management-events-narrowed.ts';
import monitorTampered from './blinding/monitor-tampered.ts';
import logIntegrityBroken from './blinding/log-integrity-broken.ts';
import sourceSilent from './blinding/source-silent.ts';
import trailChanged from './blinding/trail-changed.ts';
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
import massKeyTampering from './deletion/mass-key-tampering.ts';
import multiRegionPrimaryDeletion from './deletion/multi-region-primary-deletion.ts';
import pendingDeletionKeyUsed from './deletion/pending-deletion-key-used.ts';
import policyChangedWhilePendingDeletion from './deletion/policy-changed-while-pending-deletion.ts';
import encryptionDefaultChanged from './exposure/encryption-default-changed.ts';
import grantOverbroad from './exposure/grant-overbroad.ts';
import grantToExternalAccount from './exposure/grant-to-external-account.ts';
import grantsRevokedBurst from './exposure/grants-revoked-burst.ts';
import keyPolicyChanged from './exposure/key-policy-changed.ts';
import keyPolicyExternalAccount from './exposure/key-policy-external-account.ts';
import keyPolicyLockoutBypassed from './exposure/key-policy-lockout-bypassed.ts';
import keyPolicyPublic from './exposure/key-policy-public.ts';
import replicaOutsideRegions from './exposure/replica-outside-regions.ts';
import snapshotSharedWithKey from './exposure/snapshot-shared-with-key.ts';
import retiredMaterialInUse from './rotation/retired-material-in-use.ts';
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
  retiredMaterialInUse,
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
  massKeyTampering,
  keyPolicyPublic,
  keyPolicyExternalAccount,
  keyPolicyChanged,
  keyPolicyLockoutBypassed,
  grantToExternalAccount,
  grantOverbroad,
  grantsRevokedBurst,
  replicaOutsideRegions,
  snapshotSharedWithKey,
  encryptionDefaultChanged,
  newActorForKey,
  deniedBurst,
  rootUsedKey,
  newContextForActor,
  volumeSpike,
  keySweep,
  keyProbing,
  crossAccountFirstUse,
  foreignKeyEncryption,
  ransomSequence,
  personUsedServiceKey,
  sessionWithoutMfa,
  offHoursUse,
  dormantKeyUsed,
  endpointBypassed,
  encryptionContextUnexpected,
  signingKeyNewActor,
  impossibleSessions,
  throttling,
  kmsEventsExcluded,
  managementEventsNarrowed,
  trailStopped,
  trailDeleted,
  trailChanged,
  logStorageTampered,
  monitorTampered,
  eventConflict,
  sourceSilent,
  logIntegrityBroken,
];
