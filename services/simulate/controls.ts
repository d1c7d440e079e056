import { DAY } from '../core/clock.ts';
import type { JsonObject } from '../core/json.ts';
import { kmsDate } from './instants.ts';
import type { Call } from './record.ts';
import { KEY_STORE } from './key-store.ts';
import { resourceOf } from './operations.ts';
import type { SimKey } from './world.ts';

/** A control call on one key: names it by id, answers with its ARN. */
function control(
  operation: string,
  key: SimKey,
  more: { request?: JsonObject; response?: JsonObject | null; named?: 'id' | 'arn' } = {},
): Call {
  return {
    operation,
    readOnly: false,
    request: { keyId: more.named === 'arn' ? key.arn : key.id, ...more.request },
    response: more.response === undefined ? { keyId: key.arn } : more.response,
    resources: [resourceOf(key.arn)],
  };
}

/** `keyMetadata` as CreateKey and ReplicateKey answer it. Source: https://docs.aws.amazon.com/kms/latest/developerguide/ct-createkey.html */
function metadataOf(key: SimKey, primaryArn: string | null): JsonObject {
  const { plan } = key;
  const spec = plan.spec ?? 'SYMMETRIC_DEFAULT';
  const usage = plan.usage ?? 'ENCRYPT_DECRYPT';
  const imported = plan.origin === 'EXTERNAL';
  return {
    aWSAccountId: key.account,
    keyId: key.id,
    arn: key.arn,
    creationDate: kmsDate(key.createdAt),
    enabled: !imported,
    description: plan.purpose,
    keyUsage: usage,
    keyState: imported ? 'PendingImport' : plan.multiRegion === 'REPLICA' ? 'Creating' : 'Enabled',
    origin: plan.origin ?? 'AWS_KMS',
    keyManager: 'CUSTOMER',
    customerMasterKeySpec: spec,
    keySpec: spec,
    ...(usage === 'ENCRYPT_DECRYPT' ? { encryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } : {}),
    ...(plan.origin === 'AWS_CLOUDHSM' ? { customKeyStoreId: KEY_STORE.customKeyStoreId, cloudHsmClusterId: KEY_STORE.clusterId } : {}),
    multiRegion: plan.multiRegion !== undefined,
    ...(plan.multiRegion
      ? {
          multiRegionConfiguration: {
            multiRegionKeyType: plan.multiRegion,
            primaryKey: { arn: primaryArn ?? key.arn, region: (primaryArn ?? key.arn).split(':')[3] ?? '' },
            replicaKeys: [],
          },
        }
      : {}),
  };
}

export function createKey(key: SimKey, policy: string | null): Call {
  const { plan } = key;
  return {
    operation: 'CreateKey',
    readOnly: false,
    request: {
      ...(policy === null ? {} : { policy }),
      description: plan.purpose,
      keyUsage: plan.usage ?? 'ENCRYPT_DECRYPT',
      customerMasterKeySpec: plan.spec ?? 'SYMMETRIC_DEFAULT',
      keySpec: plan.spec ?? 'SYMMETRIC_DEFAULT',
      origin: plan.origin ?? 'AWS_KMS',
      ...(plan.origin === 'AWS_CLOUDHSM' ? { customKeyStoreId: KEY_STORE.customKeyStoreId } : {}),
      bypassPolicyLockoutSafetyCheck: false,
      tags: [{ tagKey: 'owner', tagValue: plan.account === 'data' ? 'data-platform' : 'platform' }],
      multiRegion: plan.multiRegion !== undefined,
    },
    response: { keyMetadata: metadataOf(key, null) },
    resources: [resourceOf(key.arn)],
  };
}

/** Logged in the primary key's Region; KMS writes a CreateKey record of its own in the replica's. */
export function replicateKey(primary: SimKey, replica: SimKey, policy: string): Call {
  return control('ReplicateKey', primary, {
    request: { replicaRegion: replica.region, bypassPolicyLockoutSafetyCheck: false, description: replica.plan.purpose },
    response: { replicaKeyMetadata: metadataOf(replica, primary.arn), replicaPolicy: policy },
  });
}

/** KMS's own CreateKey record in the replica's Region. */
export function createReplica(replica: SimKey, primaryArn: string): Call {
  return { ...createKey(replica, null), response: { keyMetadata: metadataOf(replica, primaryArn) } };
}

export const enableKey = (key: SimKey): Call => control('EnableKey', key);
export const disableKey = (key: SimKey): Call => control('DisableKey', key);
export const disableKeyRotation = (key: SimKey): Call => control('DisableKeyRotation', key, { response: null, named: 'arn' });
export const rotateKeyOnDemand = (key: SimKey): Call => control('RotateKeyOnDemand', key);
export const cancelKeyDeletion = (key: SimKey): Call => control('CancelKeyDeletion', key);

export function enableKeyRotation(key: SimKey, days: number): Call {
  return control('EnableKeyRotation', key, { request: { rotationPeriodInDays: days } });
}

/** @param waitsForReplicas the key is a primary key with replicas left: KMS fixes no date yet */
export function scheduleKeyDeletion(key: SimKey, when: { time: number; windowDays: number; waitsForReplicas?: boolean }): Call {
  const { time, windowDays, waitsForReplicas = false } = when;
  return control('ScheduleKeyDeletion', key, {
    request: { pendingWindowInDays: windowDays },
    response: {
      keyId: key.arn,
      keyState: waitsForReplicas ? 'PendingReplicaDeletion' : 'PendingDeletion',
      ...(waitsForReplicas ? {} : { deletionDate: kmsDate(time + windowDays * DAY) }),
      pendingWindowInDays: windowDays,
    },
  });
}

export function tagResource(key: SimKey, tagKey: string, tagValue: string): Call {
  return control('TagResource', key, { request: { tags: [{ tagKey, tagValue }] } });
}

export function putKeyPolicy(key: SimKey, policy: string): Call {
  return control('PutKeyPolicy', key, {
    request: { policyName: 'default', policy, bypassPolicyLockoutSafetyCheck: false },
    response: null,
  });
}

export function importKeyMaterial(key: SimKey, terms: { validTo: number; materialId: string; first: boolean }): Call {
  return control('ImportKeyMaterial', key, {
    request: {
      validTo: kmsDate(terms.validTo),
      expirationModel: 'KEY_MATERIAL_EXPIRES',
      importType: terms.first ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL',
    },
    response: { keyId: key.arn, keyMaterialId: terms.materialId },
  });
}

export function deleteImportedKeyMaterial(key: SimKey, materialId: string): Call {
  return control('DeleteImportedKeyMaterial', key, { response: { keyId: key.arn, keyMaterialId: materialId } });
}

/** Something KMS does by itself: RotateKey, DeleteKey, DeleteExpiredKeyMaterial. */
export function serviceEvent(operation: string, key: SimKey, details: JsonObject): Call {
  return {
    operation,
    readOnly: false,
    request: null,
    response: null,
    resources: [resourceOf(key.arn)],
    eventType: 'AwsServiceEvent',
    serviceEventDetails: { ...details, keyId: key.id },
    version: '1.08',
  };
}

/** KMS carries a change of a primary key over to its replica. */
export function synchronizeMultiRegionKey(replica: SimKey): Call {
  return {
    operation: 'SynchronizeMultiRegionKey',
    readOnly: false,
    request: null,
    response: { keyId: replica.arn },
    resources: [resourceOf(replica.arn)],
    version: '1.08',
  };
}
