import type { EventDetail, TrailSettings } from '../core/event.ts';
import type { JsonObject } from '../core/json.ts';
import type { OperationClass } from '../core/operations.ts';
import { adjacentFacts } from './adjacent.ts';
import { isObject, type Lost, lose, readArray, readBoolean, readIdentifier, readInteger, readName, readText } from './fields.ts';
import { copyObject, copyObjects } from './json-copy.ts';
import { keyMetadataOf, readMoment, withoutUndefined } from './key-metadata.ts';
import type { Parts } from './parts.ts';
import { policyOf } from './policy-document.ts';
import { clean, NAME_LIMIT, TEXT_LIMIT } from './text.ts';

/** AWS allows 50 tags a key and 17 grant operations. */
const LIST_LIMIT = 200;

export interface DetailOf {
  readonly service: string;
  readonly operation: string;
  readonly operationClass: OperationClass;
  readonly failed: boolean;
}

/**
 * What a control or grant operation asked for and was answered, by CloudTrail's names; null when that is nothing. Fields are
 * read wherever a record carries them, not by a list of operations, so that operations that AWS adds are read too.
 */
export function detailOf(parts: Parts, call: DetailOf): EventDetail | null {
  if (call.operationClass !== 'control' && call.operationClass !== 'grant') return null;
  const facts = factsBy(parts, call);
  const detail = withoutUndefined<EventDetail>({
    ...facts,
    errorMessage: readText(parts.record.errorMessage, 'errorMessage', parts.lost) ?? undefined,
  });
  return Object.keys(detail).length === 0 ? null : detail;
}

function factsBy(parts: Parts, call: DetailOf): EventDetail {
  if (call.service === 'kms') return kmsFacts(parts, call);
  return call.service === 'cloudtrail' ? trailFacts(parts, call) : adjacentFacts(parts, call);
}

function kmsFacts(parts: Parts, call: DetailOf): EventDetail {
  return { ...keyFacts(parts, call), ...materialFacts(parts), ...grantFacts(parts), ...storeFacts(parts), ...policyOf(parts, call) };
}

function keyFacts({ request, response, lost }: Parts, call: DetailOf): EventDetail {
  const metadata = keyMetadataOf(response?.keyMetadata ?? response?.replicaKeyMetadata, lost);
  const labelled = call.operation === 'CreateKey' || call.operation === 'ReplicateKey' || call.operation === 'TagResource';
  return {
    bypassPolicyLockoutSafetyCheck: flag(request?.bypassPolicyLockoutSafetyCheck, 'requestParameters.bypassPolicyLockoutSafetyCheck', lost),
    pendingWindowInDays:
      integer(response?.pendingWindowInDays, 'responseElements.pendingWindowInDays', lost) ??
      integer(request?.pendingWindowInDays, 'requestParameters.pendingWindowInDays', lost),
    deletionDate: readMoment(response?.deletionDate, 'responseElements.deletionDate', lost) ?? undefined,
    keyState: name(response?.keyState, 'responseElements.keyState', lost),
    rotationPeriodInDays: integer(request?.rotationPeriodInDays, 'requestParameters.rotationPeriodInDays', lost),
    metadata: metadata ?? undefined,
    replicaRegion: name(request?.replicaRegion, 'requestParameters.replicaRegion', lost),
    primaryRegion: name(request?.primaryRegion, 'requestParameters.primaryRegion', lost),
    primaryKeyArn: metadata?.primaryKeyArn,
    // An empty description is a fact: it was taken away.
    description: request?.description === '' ? '' : (readText(request?.description, 'requestParameters.description', lost) ?? undefined),
    tags: labelled ? tagsOf(request?.tags, lost) : undefined,
    tagKeys: namesOf(request?.tagKeys, 'requestParameters.tagKeys', lost),
  };
}

/** Imported and rotated key material. A RotateKey service event names the new material `currentKeyMaterialId`. */
function materialFacts({ request, response, service, lost }: Parts): EventDetail {
  return {
    rotationType: name(service?.rotationType, 'serviceEventDetails.rotationType', lost),
    keyMaterialId:
      name(service?.currentKeyMaterialId, 'serviceEventDetails.currentKeyMaterialId', lost) ??
      name(service?.keyMaterialId, 'serviceEventDetails.keyMaterialId', lost) ??
      name(response?.keyMaterialId, 'responseElements.keyMaterialId', lost) ??
      name(request?.keyMaterialId, 'requestParameters.keyMaterialId', lost),
    previousKeyMaterialId: name(service?.previousKeyMaterialId, 'serviceEventDetails.previousKeyMaterialId', lost),
    expirationModel: name(request?.expirationModel, 'requestParameters.expirationModel', lost),
    importType: name(request?.importType, 'requestParameters.importType', lost),
    validTo: readMoment(request?.validTo, 'requestParameters.validTo', lost) ?? undefined,
  };
}

function grantFacts({ request, response, additional, lost }: Parts): EventDetail {
  return {
    grantId:
      name(response?.grantId, 'responseElements.grantId', lost) ??
      name(request?.grantId, 'requestParameters.grantId', lost) ??
      name(additional?.grantId, 'additionalEventData.grantId', lost),
    granteePrincipal: identifier(request?.granteePrincipal ?? request?.granteeServicePrincipal, 'requestParameters.granteePrincipal', lost),
    retiringPrincipal: identifier(
      request?.retiringPrincipal ?? request?.retiringServicePrincipal,
      'requestParameters.retiringPrincipal',
      lost,
    ),
    operations: namesOf(request?.operations, 'requestParameters.operations', lost),
    grantConstraints: copyObject(request?.constraints, 'requestParameters.constraints', lost) ?? undefined,
  };
}

function storeFacts({ request, response, additional, lost }: Parts): EventDetail {
  return {
    customKeyStoreId:
      name(request?.customKeyStoreId, 'requestParameters.customKeyStoreId', lost) ??
      name(response?.customKeyStoreId, 'responseElements.customKeyStoreId', lost) ??
      name(additional?.customKeyStoreId, 'additionalEventData.customKeyStoreId', lost),
    customKeyStoreName:
      name(request?.newCustomKeyStoreName, 'requestParameters.newCustomKeyStoreName', lost) ??
      name(request?.customKeyStoreName, 'requestParameters.customKeyStoreName', lost) ??
      name(additional?.customKeyStoreName, 'additionalEventData.customKeyStoreName', lost),
    xksProxyUriEndpoint: name(request?.xksProxyUriEndpoint, 'requestParameters.xksProxyUriEndpoint', lost),
  };
}

/** Trail operations call the trail `name`, selector operations `trailName`, Lake operations `eventDataStore`. */
function trailFacts(parts: Parts, { operation, failed }: DetailOf): EventDetail {
  const { request, response, lost } = parts;
  const selectors = (field: 'eventSelectors' | 'advancedEventSelectors'): readonly JsonObject[] | undefined =>
    copyObjects(request?.[field] ?? response?.[field], `requestParameters.${field}`, lost) ?? undefined;
  return {
    trailName:
      identifier(request?.trailName, 'requestParameters.trailName', lost) ??
      identifier(request?.name, 'requestParameters.name', lost) ??
      identifier(request?.eventDataStore, 'requestParameters.eventDataStore', lost) ??
      identifier(response?.trailARN, 'responseElements.trailARN', lost),
    eventSelectors: selectors('eventSelectors'),
    advancedEventSelectors: selectors('advancedEventSelectors'),
    trail: !failed && (operation === 'CreateTrail' || operation === 'UpdateTrail') ? trailSettings(parts) : undefined,
  };
}

/** The answer tells the whole trail, but leaves out the key of one that has none: then the request must have taken it away. */
function trailSettings({ request, response, lost }: Parts): TrailSettings | undefined {
  const settings = withoutUndefined<TrailSettings>({
    bucket: name(response?.s3BucketName ?? request?.s3BucketName, 'requestParameters.s3BucketName', lost),
    multiRegion: flag(response?.isMultiRegionTrail ?? request?.isMultiRegionTrail, 'requestParameters.isMultiRegionTrail', lost),
    globalEvents: flag(
      response?.includeGlobalServiceEvents ?? request?.includeGlobalServiceEvents,
      'requestParameters.includeGlobalServiceEvents',
      lost,
    ),
    validation: flag(
      response?.logFileValidationEnabled ?? request?.enableLogFileValidation,
      'requestParameters.enableLogFileValidation',
      lost,
    ),
    kmsKeyId:
      identifier(response?.kmsKeyId ?? request?.kmsKeyId, 'requestParameters.kmsKeyId', lost) ??
      (request?.kmsKeyId === '' || response !== null ? '' : undefined),
  });
  return Object.keys(settings).length === 0 ? undefined : settings;
}

function tagsOf(value: unknown, lost: Lost): Readonly<Record<string, string>> | undefined {
  const tags: Record<string, string> = Object.create(null) as Record<string, string>;
  let count = 0;
  for (const tag of readArray(value, 'requestParameters.tags', lost).slice(0, LIST_LIMIT)) {
    if (!isObject(tag) || typeof tag.tagKey !== 'string' || typeof (tag.tagValue ?? '') !== 'string') {
      lose('requestParameters.tags[]', lost);
      continue;
    }
    tags[clean(tag.tagKey, NAME_LIMIT)] = clean((tag.tagValue ?? '') as string, TEXT_LIMIT);
    count++;
  }
  return count === 0 ? undefined : tags;
}

function namesOf(value: unknown, path: string, lost: Lost): readonly string[] | undefined {
  const names: string[] = [];
  for (const item of readArray(value, path, lost).slice(0, LIST_LIMIT)) {
    if (typeof item === 'string') names.push(clean(item, NAME_LIMIT));
    else lose(`${path}[]`, lost);
  }
  return names.length === 0 ? undefined : names;
}

function name(value: unknown, path: string, lost: Lost): string | undefined {
  return readName(value, path, lost) ?? undefined;
}

function identifier(value: unknown, path: string, lost: Lost): string | undefined {
  return readIdentifier(value, path, lost) ?? undefined;
}

function flag(value: unknown, path: string, lost: Lost): boolean | undefined {
  return readBoolean(value, path, lost) ?? undefined;
}

function integer(value: unknown, path: string, lost: Lost): number | undefined {
  return readInteger(value, path, lost) ?? undefined;
}
