/**
 * What a successful KMS control call says about its key, by operation. Only what the record states, and, marked as inferred,
 * what AWS would have refused otherwise. Sources: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * (states and transitions) and https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html (defaults).
 */
import { DAY } from '../core/clock.ts';
import { becomeReplica, createKey, policy, replicateKey, updatePrimaryRegion } from './creation.ts';
import type { Statements } from './statements.ts';

/** ScheduleKeyDeletion without PendingWindowInDays: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
const DEFAULT_WINDOW_DAYS = 30;
/** EnableKeyRotation without RotationPeriodInDays, also where another period was set before. */
const DEFAULT_ROTATION_DAYS = 365;
/** What a `Date` can hold; a deletion or expiry "date" beyond it is no date. */
const LATEST_DATE = 8.64e15;

export const SUBJECT_OPERATIONS: ReadonlyMap<string, (statements: Statements) => void> = new Map([
  ['CreateKey', createKey],
  ['EnableKey', (s: Statements) => s.says('enabled', true)],
  ['DisableKey', (s: Statements) => s.says('enabled', false)],
  ['ScheduleKeyDeletion', scheduleKeyDeletion],
  ['CancelKeyDeletion', cancelKeyDeletion],
  ['DeleteKey', (s: Statements) => s.says('deleted', true)],
  ['EnableKeyRotation', enableKeyRotation],
  ['DisableKeyRotation', disableKeyRotation],
  ['RotateKeyOnDemand', rotateKeyOnDemand],
  ['RotateKey', rotateKey],
  ['ImportKeyMaterial', importKeyMaterial],
  ['DeleteImportedKeyMaterial', loseKeyMaterial],
  ['DeleteExpiredKeyMaterial', loseKeyMaterial],
  ['PutKeyPolicy', putKeyPolicy],
  ['ReplicateKey', replicateKey],
  ['UpdatePrimaryRegion', updatePrimaryRegion],
  ['TagResource', (s: Statements) => s.saysTags(Object.entries(s.detail.tags ?? {}))],
  ['UntagResource', (s: Statements) => s.saysTags((s.detail.tagKeys ?? []).map((name) => [name, null] as const))],
  ['UpdateKeyDescription', (s: Statements) => s.says('description', s.detail.description)],
  ['CreateAlias', nameKey],
  ['UpdateAlias', nameKey],
]);

/** What the call says about its second key. */
export const OTHER_OPERATIONS: ReadonlyMap<string, (statements: Statements) => void> = new Map([
  ['ReplicateKey', becomeReplica],
  ['UpdatePrimaryRegion', updatePrimaryRegion],
]);

function scheduleKeyDeletion(s: Statements): void {
  const { pendingWindowInDays, deletionDate, keyState } = s.detail;
  const windowDays = isCount(pendingWindowInDays) ? pendingWindowInDays : DEFAULT_WINDOW_DAYS;
  const waitsForReplicas = keyState === 'PendingReplicaDeletion';
  const date = isDate(deletionDate) ? deletionDate : s.event.eventTime + windowDays * DAY;
  s.says('deletion', { date: waitsForReplicas ? null : date, windowDays, waitsForReplicas });
}

/** A key whose deletion was cancelled is Disabled: https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html */
function cancelKeyDeletion(s: Statements): void {
  s.says('deletion', null);
  s.says('enabled', false);
}

function enableKeyRotation(s: Statements): void {
  const period = s.detail.rotationPeriodInDays ?? DEFAULT_ROTATION_DAYS;
  s.says('rotationEnabled', true);
  s.says('rotationPeriodDays', isCount(period) ? period : undefined);
  provesAutomaticRotation(s);
}

function disableKeyRotation(s: Statements): void {
  s.says('rotationEnabled', false);
  provesAutomaticRotation(s);
}

/** Every other kind of key gets UnsupportedOperationException, a disabled one DisabledException, a replica is refused too. */
function provesAutomaticRotation(s: Statements): void {
  provesSymmetric(s);
  s.implies('origin', 'AWS_KMS');
  s.implies('manager', 'CUSTOMER');
  s.implies('enabled', true);
  if (s.isMultiRegionId) s.implies('multiRegionKeyType', 'PRIMARY');
}

function provesSymmetric(s: Statements): void {
  s.implies('keySpec', 'SYMMETRIC_DEFAULT');
  s.implies('keyUsage', 'ENCRYPT_DECRYPT');
  if (s.isMultiRegionId) s.implies('multiRegion', true);
}

/** The order only; the RotateKey event tells that it was done. */
function rotateKeyOnDemand(s: Statements): void {
  provesSymmetric(s);
  s.implies('manager', 'CUSTOMER');
  s.implies('enabled', true);
}

/** Service event: automatic and on-demand rotations are done. Records that name no type are older than rotation of imported material. */
function rotateKey(s: Statements): void {
  const { rotationType, keyMaterialId, metadata } = s.detail;
  s.says('lastRotated', s.event.eventTime);
  s.says('keyMaterialId', keyMaterialId);
  s.says('origin', metadata?.origin);
  provesSymmetric(s);
  if (rotationType === 'ON_DEMAND') s.implies('manager', 'CUSTOMER');
  if (rotationType === 'AUTOMATIC') s.implies('rotationEnabled', true);
  if (rotationType === 'AUTOMATIC' || (rotationType === undefined && keyMaterialId === undefined)) s.implies('origin', 'AWS_KMS');
}

function importKeyMaterial(s: Statements): void {
  const { expirationModel, validTo, keyMaterialId, importType } = s.detail;
  const expires = expirationModel !== 'KEY_MATERIAL_DOES_NOT_EXPIRE' && isDate(validTo);
  s.says('material', { validTo: expires ? validTo : null, materialId: keyMaterialId ?? null });
  s.implies('origin', 'EXTERNAL');
  s.implies('manager', 'CUSTOMER');
  if (importType === 'NEW_KEY_MATERIAL') s.says('lastRotated', s.event.eventTime);
  if (importType !== undefined) return;
  // Without a type the first import brings new material, each later one the same again.
  // https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html#KMS-ImportKeyMaterial-request-ImportType
  s.implies('lastRotated', s.event.eventTime);
  if (keyMaterialId !== undefined) s.implies('keyMaterialId', keyMaterialId);
}

/** Leads to PendingImport from Enabled and from Disabled alike, and from there an import leads to Enabled. */
function loseKeyMaterial(s: Statements): void {
  s.says('material', null);
  s.says('enabled', true);
  s.implies('origin', 'EXTERNAL');
  s.implies('manager', 'CUSTOMER');
}

function putKeyPolicy(s: Statements): void {
  policy(s, 'omitted');
}

/** `alias/aws/…` is reserved for AWS managed keys: https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html */
function nameKey(s: Statements): void {
  if (s.event.otherKey?.id.startsWith('alias/aws/')) s.implies('manager', 'AWS');
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0 && value <= 1_000_000;
}

function isDate(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && Math.abs(value) <= LATEST_DATE;
}
