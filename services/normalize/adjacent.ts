/**
 * What calls to other services say that detectors of keys and logs need: of buckets, queues, rules, roles and snapshots. Names of
 * members differ in case between services and their ages, so they are compared without it.
 */
import { hash } from 'node:crypto';
import type { EventDetail } from '../core/event.ts';
import { isObject, type Lost, type Raw, readIdentifier, readName } from './fields.ts';
import { withoutUndefined } from './key-metadata.ts';
import type { Parts } from './parts.ts';
import { clean, IDENTIFIER_LIMIT, NAME_LIMIT } from './text.ts';

const LIST_LIMIT = 100;
/** A bucket policy has at most 20 KB, an IAM policy less. */
const POLICY_LIMIT = 65_536;

interface Call {
  readonly service: string;
  readonly operation: string;
}

export function adjacentFacts(parts: Parts, { service, operation }: Call): EventDetail {
  const { request } = parts;
  const facts = withoutUndefined<EventDetail>({ resource: resourceNamed(service, request) ?? undefined });
  if (request === null) return facts;
  switch (service) {
    case 's3':
      return { ...facts, ...bucketFacts(operation, request, parts.lost) };
    case 'sqs':
      return { ...facts, ...queueFacts(request) };
    case 'events':
      return { ...facts, ...ruleFacts(request, parts.lost) };
    case 'iam':
      return { ...facts, ...roleFacts(request, parts.lost) };
    case 'ec2':
      return { ...facts, ...volumeFacts(parts) };
    case 'rds':
      return { ...facts, ...databaseFacts(request, parts.lost) };
    default:
      return facts;
  }
}

const RESOURCE: Readonly<Record<string, readonly string[]>> = {
  s3: ['bucketname'],
  sqs: ['queueurl', 'queuename'],
  events: ['rule', 'name'],
  iam: ['rolename'],
  ec2: ['snapshotid'],
  rds: ['dbsnapshotidentifier', 'dbclustersnapshotidentifier', 'targetdbsnapshotidentifier', 'dbinstanceidentifier', 'dbclusteridentifier'],
};

/** What a call of another service is about, by its own name; null where the request does not say. */
export function resourceNamed(service: string, request: unknown): string | null {
  if (!isObject(request) || !Object.hasOwn(RESOURCE, service)) return null;
  for (const wanted of RESOURCE[service] ?? []) {
    const value = member(request, wanted);
    if (typeof value === 'string' && value !== '') return clean(value, IDENTIFIER_LIMIT);
  }
  return null;
}

function bucketFacts(operation: string, request: Raw, lost: Lost): EventDetail {
  return withoutUndefined<EventDetail>({
    part: readIdentifier(request.key, 'requestParameters.key', lost) ?? undefined,
    policyDigest: operation === 'PutBucketPolicy' ? digestOf(member(request, 'bucketpolicy') ?? request.policy) : undefined,
    setTo: bucketState(operation, request),
    expiryDays: operation.startsWith('PutBucketLifecycle') ? firstExpiry(member(request, 'lifecycleconfiguration')) : undefined,
    kmsKeyId: operation === 'PutBucketEncryption' ? bucketKey(request) : undefined,
  });
}

function bucketState(operation: string, request: Raw): string | undefined {
  if (operation === 'PutBucketVersioning') return textAt(request, 'versioningconfiguration', 'status');
  if (operation !== 'PutBucketReplication') return undefined;
  const rules = itemsOf(memberOf(member(request, 'replicationconfiguration'), 'rule'));
  if (rules.length === 0) return undefined;
  return rules.some((rule) => memberOf(rule, 'status') === 'Enabled') ? 'Enabled' : 'Disabled';
}

/** `Rule` is an object or a list of them. What has no number of days (a date, an abort of uploads) is no expiry after days. */
function firstExpiry(configuration: unknown): number | undefined {
  const days = itemsOf(memberOf(configuration, 'rule'))
    .filter((rule) => memberOf(rule, 'status') !== 'Disabled')
    .flatMap((rule) => [
      memberOf(memberOf(rule, 'expiration'), 'days'),
      memberOf(memberOf(rule, 'noncurrentversionexpiration'), 'noncurrentdays'),
    ])
    .map((value) => (typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value))
    .filter((value): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
  return days.length === 0 ? undefined : Math.min(...days);
}

function bucketKey(request: Raw): string | undefined {
  const [rule] = itemsOf(memberOf(member(request, 'serversideencryptionconfiguration'), 'rule'));
  return textAt(rule, 'applyserversideencryptionbydefault', 'kmsmasterkeyid');
}

function queueFacts(request: Raw): EventDetail {
  const attributes = member(request, 'attributes');
  if (!isObject(attributes)) return {};
  const names = Object.keys(attributes)
    .slice(0, LIST_LIMIT)
    .map((name) => clean(name, NAME_LIMIT));
  const policy = member(attributes, 'policy');
  return withoutUndefined<EventDetail>({
    attributes: names.toSorted(),
    policyDigest: policy === undefined ? undefined : digestOf(policy),
  });
}

function ruleFacts(request: Raw, lost: Lost): EventDetail {
  const state = readName(request.state, 'requestParameters.state', lost);
  return withoutUndefined<EventDetail>({ setTo: state === null ? undefined : state === 'DISABLED' ? 'Disabled' : 'Enabled' });
}

function roleFacts(request: Raw, lost: Lost): EventDetail {
  return withoutUndefined<EventDetail>({
    part:
      readIdentifier(request.policyArn, 'requestParameters.policyArn', lost) ??
      readIdentifier(request.policyName, 'requestParameters.policyName', lost) ??
      undefined,
    policyDigest: request.policyDocument === undefined ? undefined : digestOf(request.policyDocument),
  });
}

/** EC2 wraps the parameters of its younger calls once more: `{"ModifyEbsDefaultKmsKeyIdRequest": {"KmsKeyId": …}}`. */
function volumeFacts({ request, response }: Parts): EventDetail {
  const permission = member(request ?? {}, 'createvolumepermission');
  const added = memberOf(permission, 'add');
  const items = itemsOf(memberOf(added, 'items') ?? added);
  const shared = items.flatMap((item) => {
    const user = memberOf(item, 'userid');
    const group = memberOf(item, 'group');
    return typeof user === 'string' ? [user] : group === 'all' ? ['all'] : [];
  });
  return withoutUndefined<EventDetail>({
    sharedWith: shared.length === 0 ? undefined : accountsOf(shared),
    kmsKeyId: deepText(request, 'kmskeyid') ?? deepText(response, 'kmskeyid'),
  });
}

function databaseFacts(request: Raw, lost: Lost): EventDetail {
  const restore = member(request, 'attributename') === 'restore';
  const values = restore ? itemsOf(member(request, 'valuestoadd')).filter((value) => typeof value === 'string') : [];
  const key = member(request, 'kmskeyid');
  return withoutUndefined<EventDetail>({
    sharedWith: values.length === 0 ? undefined : accountsOf(values),
    kmsKeyId: key === undefined ? undefined : (readIdentifier(key, 'requestParameters.kmsKeyId', lost) ?? undefined),
  });
}

function accountsOf(values: readonly string[]): readonly string[] {
  return [...new Set(values.slice(0, LIST_LIMIT).map((value) => clean(value, 64)))].toSorted();
}

/** Of a policy, whether written as text or as an object; undefined for none, and for one too large to be one. */
function digestOf(policy: unknown): string | undefined {
  const text = typeof policy === 'string' ? normalized(policy) : isObject(policy) ? JSON.stringify(policy) : '';
  return text === '' || text.length > POLICY_LIMIT ? undefined : hash('sha256', text, 'hex').slice(0, 32);
}

/** Without the whitespace of consoles and tools. */
function normalized(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

function member(object: Raw, wanted: string): unknown {
  for (const name of Object.keys(object)) if (name.toLowerCase() === wanted) return object[name];
  return undefined;
}

function memberOf(value: unknown, wanted: string): unknown {
  return isObject(value) ? member(value, wanted) : undefined;
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>(memberOf, value);
  return typeof found === 'string' && found !== '' ? clean(found, IDENTIFIER_LIMIT) : undefined;
}

/** In the object itself, or one level down. */
function deepText(object: Raw | null, wanted: string): string | undefined {
  if (object === null) return undefined;
  const inner = Object.values(object).slice(0, LIST_LIMIT);
  return [object, ...inner].map((value) => textAt(value, wanted)).find((text) => text !== undefined);
}

function itemsOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).slice(0, LIST_LIMIT);
}
