import type { JsonObject } from '../core/json.ts';
import type { Call, Caller } from './record.ts';
import type { SimKey } from './world.ts';

/** How a cryptographic call names its key: `arn`, bare `id`, `alias`, or not at all (Decrypt finds it in the ciphertext). */
export type Naming = 'arn' | 'id' | 'alias' | 'none';

export interface Use {
  readonly context?: Readonly<Record<string, string>>;
  readonly naming?: Naming;
  /** Epoch milliseconds; decides which key material is current. */
  readonly time: number;
}

/** What a call or a grant writes in `resources`. */
export function resourceOf(arn: string): JsonObject {
  return { accountId: arn.split(':')[4] ?? '', type: 'AWS::KMS::Key', ARN: arn };
}

export function named(key: SimKey, naming: Naming): JsonObject {
  if (naming === 'none') return {};
  if (naming === 'alias') return { keyId: key.alias ?? key.id };
  return { keyId: naming === 'arn' ? key.arn : key.id };
}

export function materialAt(key: SimKey, time: number): string | null {
  if (key.plan.origin === 'AWS_CLOUDHSM') return null;
  return key.materials.findLast((material) => material.at <= time)?.id ?? key.materials[0]?.id ?? null;
}

function use(operation: string, key: SimKey, { request, time }: { request: JsonObject; time: number }): Call {
  const symmetric = key.plan.spec === undefined;
  const material = symmetric ? materialAt(key, time) : null;
  return {
    operation,
    readOnly: true,
    request,
    resources: [resourceOf(key.arn)],
    ...(material === null ? {} : { extra: { keyMaterialId: material } }),
  };
}

function contextOf(use: Use): JsonObject {
  return use.context ? { encryptionContext: use.context } : {};
}

export function decrypt(key: SimKey, how: Use): Call {
  const request = { ...contextOf(how), ...named(key, how.naming ?? 'none'), encryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  return use('Decrypt', key, { request, time: how.time });
}

export function encrypt(key: SimKey, how: Use): Call {
  const request = { ...contextOf(how), ...named(key, how.naming ?? 'arn'), encryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  return use('Encrypt', key, { request, time: how.time });
}

export function generateDataKey(key: SimKey, how: Use): Call {
  const request = { ...contextOf(how), ...named(key, how.naming ?? 'arn'), keySpec: 'AES_256' };
  return use('GenerateDataKey', key, { request, time: how.time });
}

export function generateDataKeyWithoutPlaintext(key: SimKey, how: Use): Call {
  const request = { ...contextOf(how), ...named(key, how.naming ?? 'arn'), numberOfBytes: 64 };
  return use('GenerateDataKeyWithoutPlaintext', key, { request, time: how.time });
}

export function reEncrypt(from: SimKey, to: SimKey, how: Use): Call {
  return {
    operation: 'ReEncrypt',
    readOnly: true,
    request: {
      ...(how.context ? { sourceEncryptionContext: how.context, destinationEncryptionContext: how.context } : {}),
      sourceKeyId: from.arn,
      destinationKeyId: to.arn,
      sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      destinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    },
    extra: { sourceKeyMaterialId: materialAt(from, from.createdAt) ?? '', destinationKeyMaterialId: materialAt(to, how.time) ?? '' },
    resources: [resourceOf(from.arn), resourceOf(to.arn)],
  };
}

export function sign(key: SimKey, how: Use): Call {
  return use('Sign', key, {
    request: { ...named(key, how.naming ?? 'arn'), messageType: 'DIGEST', signingAlgorithm: 'RSASSA_PSS_SHA_256' },
    time: how.time,
  });
}

export function verify(key: SimKey, how: Use): Call {
  return use('Verify', key, {
    request: { ...named(key, how.naming ?? 'arn'), messageType: 'DIGEST', signingAlgorithm: 'RSASSA_PSS_SHA_256' },
    time: how.time,
  });
}

export function generateMac(key: SimKey, how: Use): Call {
  return use('GenerateMac', key, { request: { ...named(key, how.naming ?? 'alias'), macAlgorithm: 'HMAC_SHA_256' }, time: how.time });
}

export function verifyMac(key: SimKey, how: Use): Call {
  return use('VerifyMac', key, { request: { ...named(key, how.naming ?? 'alias'), macAlgorithm: 'HMAC_SHA_256' }, time: how.time });
}

export function generateRandom(): Call {
  return { operation: 'GenerateRandom', readOnly: true, request: { numberOfBytes: 32 }, resources: [] };
}

/** DescribeKey, GetKeyPolicy, GetKeyRotationStatus, ListGrants, ListResourceTags, GetPublicKey, …: reads about one key. */
export function read(operation: string, key: SimKey, naming: Naming = 'id'): Call {
  const more: JsonObject = operation === 'GetKeyPolicy' ? { policyName: 'default' } : operation === 'ListGrants' ? { limit: 50 } : {};
  return { operation, readOnly: true, request: { ...named(key, naming), ...more }, resources: [resourceOf(key.arn)] };
}

/** ListKeys, ListAliases, DescribeCustomKeyStores: reads about no key in particular. */
export function list(operation: string, request: JsonObject | null = { limit: 100 }): Call {
  return { operation, readOnly: true, request };
}

export interface GrantTerms {
  readonly grantId: string;
  readonly grantee: string;
  readonly retiring?: string;
  readonly operations: readonly string[];
  readonly context: Readonly<Record<string, string>>;
}

export function createGrant(key: SimKey, terms: GrantTerms): Call {
  return {
    operation: 'CreateGrant',
    readOnly: false,
    request: {
      keyId: key.arn,
      granteePrincipal: terms.grantee,
      ...(terms.retiring === undefined ? {} : { retiringPrincipal: terms.retiring }),
      operations: terms.operations,
      constraints: { encryptionContextSubset: terms.context },
    },
    response: { grantId: terms.grantId, keyId: key.arn },
    resources: [resourceOf(key.arn)],
    shared: true,
  };
}

export function retireGrant(key: SimKey, grantId: string): Call {
  return { operation: 'RetireGrant', readOnly: false, request: null, extra: { grantId }, resources: [resourceOf(key.arn)] };
}

export function revokeGrant(key: SimKey, grantId: string): Call {
  return { operation: 'RevokeGrant', readOnly: false, request: { keyId: key.arn, grantId }, resources: [resourceOf(key.arn)] };
}

/** The call, refused because of the key's state: request and key stay, results go. */
export function refused(call: Call, error: { code: string; message: string }): Call {
  const { response: _response, extra: _extra, ...rest } = call;
  return { ...rest, error };
}

/** The call, refused for want of permission: CloudTrail then shows neither parameters nor resources, only the message. */
export function denied(call: Call, caller: Caller, resource: string): Call {
  const { arn } = caller.identity;
  const principal = typeof arn === 'string' ? arn : 'unknown';
  const service = call.service ?? 'kms';
  const action = `${service}:${call.operation}`;
  return {
    service,
    operation: call.operation,
    readOnly: call.readOnly,
    request: null,
    error: {
      code: 'AccessDenied',
      message: `User: ${principal} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    },
  };
}
