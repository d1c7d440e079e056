import type { KeyRef } from '../core/arn.ts';
import { isObject, type Raw } from './fields.ts';
import { type Place, referenceOfArn, referencesInText, referenceTo } from './key-reference.ts';
import type { Parts } from './parts.ts';

export interface NamedKeys {
  readonly key: KeyRef | null;
  readonly otherKey: KeyRef | null;
}

/** The call of which the keys are asked. */
export interface Call extends Place {
  readonly service: string;
  readonly operation: string;
  readonly failed: boolean;
}

const NONE: NamedKeys = Object.freeze({ key: null, otherKey: null });
const NAME_A_KEY_FOR_LOGS = new Set(['CreateTrail', 'UpdateTrail']);

/**
 * The key that an event is about and the second one that ReEncrypt (destination), alias operations (the alias) and ReplicateKey
 * (the replica) name. Where several places name a key, the first of these counts: `resources[]`, the response, the service event's
 * details, the request, the error message. Derived from the samples in
 * https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html
 */
export function keysOf(parts: Parts, call: Call): NamedKeys {
  if (call.service === 'cloudtrail') return keysOfTrail(parts, call);
  if (call.service !== 'kms') return NONE;
  switch (call.operation) {
    case 'ReEncrypt':
      return keysOfReEncrypt(parts, call);
    case 'CreateAlias':
    case 'UpdateAlias':
    case 'DeleteAlias':
      return keysOfAlias(parts, call);
    case 'ReplicateKey':
      return keysOfReplica(parts, call);
    default:
      return { key: mainKey(parts, call), otherKey: null };
  }
}

function mainKey(parts: Parts, call: Call): KeyRef | null {
  for (const arn of parts.resourceArns) {
    const reference = referenceOfArn(arn);
    if (reference?.kind === 'key') return reference;
  }
  const { request, response, service } = parts;
  return (
    keyOnly(referenceTo(response?.keyId, call)) ??
    keyOfMetadata(response?.keyMetadata, call) ??
    keyOnly(referenceTo(service?.keyId, call)) ??
    referenceTo(request?.keyId, call) ??
    inResources(parts, 'alias') ??
    inMessage(parts, null)
  );
}

function keysOfReEncrypt(parts: Parts, call: Call): NamedKeys {
  const keys = parts.resourceArns.map(referenceOfArn).filter((reference) => reference?.kind === 'key');
  const named = referenceTo(parts.request?.destinationKeyId, call);
  const namedSource = referenceTo(parts.request?.sourceKeyId, call);
  // Source, then destination; with one of them foreign, a record may list only the other.
  const listed = named?.kind === 'key' ? keys.find((key) => key?.id === named.id) : keys[1];
  const destination = listed ?? named ?? keys[1] ?? null;
  const source = keys.find((key) => key?.id === namedSource?.id) ?? keys.find((key) => key?.arn !== destination?.arn) ?? keys[0];
  return { key: source ?? namedSource ?? inMessage(parts, null) ?? destination, otherKey: destination };
}

function keysOfAlias(parts: Parts, call: Call): NamedKeys {
  const { request, response } = parts;
  const target = keyOnly(referenceTo(request?.targetKeyId, call));
  const alias = inResources(parts, 'alias') ?? aliasOnly(referenceTo(request?.aliasName, call)) ?? inMessage(parts, 'alias');
  const key = listedLike(parts, target) ?? keyOnly(referenceTo(response?.keyId, call)) ?? target ?? inMessage(parts, 'key');
  return { key, otherKey: alias };
}

function keysOfReplica(parts: Parts, call: Call): NamedKeys {
  const named = referenceTo(parts.request?.keyId, call);
  const replica = keyOfMetadata(parts.response?.replicaKeyMetadata, call);
  const listed = parts.resourceArns.map(referenceOfArn).find((key) => key?.kind === 'key' && key.arn !== replica?.arn);
  const key = listed ?? named ?? inMessage(parts, null);
  return { key, otherKey: replica ?? (call.failed ? null : replicaOf(key, parts.request?.replicaRegion)) };
}

/** A replica has its primary's key id, in another Region. https://docs.aws.amazon.com/kms/latest/developerguide/mrk-concepts.html */
function replicaOf(primary: KeyRef | null, region: unknown): KeyRef | null {
  if (primary?.kind !== 'key' || typeof region !== 'string' || !/^[a-z0-9-]{1,64}$/.test(region)) return null;
  return referenceTo(primary.id, { account: primary.account, region });
}

/** The key with which a trail encrypts its log files. */
function keysOfTrail({ request, response }: Parts, call: Call): NamedKeys {
  if (!NAME_A_KEY_FOR_LOGS.has(call.operation)) return NONE;
  const key = referenceTo(response?.kmsKeyId, call) ?? referenceTo(request?.kmsKeyId, call);
  return key === null ? NONE : { key, otherKey: null };
}

function keyOfMetadata(metadata: unknown, place: Place): KeyRef | null {
  if (!isObject(metadata)) return null;
  const { arn, keyId }: Raw = metadata;
  return keyOnly(referenceTo(arn, place)) ?? keyOnly(referenceTo(keyId, place));
}

/** The listed key that the request names, else the first listed one. */
function listedLike(parts: Parts, named: KeyRef | null): KeyRef | null {
  const keys = parts.resourceArns.map(referenceOfArn).filter((reference) => reference?.kind === 'key');
  return keys.find((key) => key?.id === named?.id) ?? keys[0] ?? null;
}

function inResources(parts: Parts, kind: KeyRef['kind']): KeyRef | null {
  for (const arn of parts.resourceArns) {
    const reference = referenceOfArn(arn);
    if (reference?.kind === kind) return reference;
  }
  return null;
}

function inMessage({ record }: Parts, kind: KeyRef['kind'] | null): KeyRef | null {
  if (typeof record.errorMessage !== 'string') return null;
  return referencesInText(record.errorMessage).find((reference) => kind === null || reference.kind === kind) ?? null;
}

function keyOnly(reference: KeyRef | null): KeyRef | null {
  return reference?.kind === 'key' ? reference : null;
}

function aliasOnly(reference: KeyRef | null): KeyRef | null {
  return reference?.kind === 'alias' ? reference : null;
}
