/**
 * Which operations of a key a policy statement reaches, as far as they work for callers of another account. Everything else
 * that a key policy gives to foreigners has no effect, so it can make a key neither public nor external.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
 */
export const OUTSIDE_OPERATIONS: readonly string[] = [
  'CreateGrant',
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'DescribeKey',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetKeyRotationStatus',
  'GetPublicKey',
  'ListGrants',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RetireGrant',
  'RevokeGrant',
  'Sign',
  'Verify',
  'VerifyMac',
];

/** Calls that only principals of the key's own account can make: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html */
const OWN_OPERATIONS: readonly string[] = [
  'CancelKeyDeletion',
  'CreateAlias',
  'DeleteAlias',
  'DeleteImportedKeyMaterial',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'EnableKeyRotation',
  'GetKeyLastUsage',
  'GetKeyPolicy',
  'GetParametersForImport',
  'ImportKeyMaterial',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
  'PutKeyPolicy',
  'ReplicateKey',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
  'SynchronizeMultiRegionKey',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateKeyDescription',
  'UpdatePrimaryRegion',
];

/** All operations that a key policy can give, sorted. */
export const KEY_OPERATIONS: readonly string[] = [...OUTSIDE_OPERATIONS, ...OWN_OPERATIONS].sort();

/** The operations out of `KEY_OPERATIONS` that a statement names, sorted. */
export function namedOperations(patterns: readonly string[], negated: boolean): readonly string[] {
  return KEY_OPERATIONS.filter((operation) => namesOperation(patterns, operation) !== negated);
}

/**
 * The operations out of `OUTSIDE_OPERATIONS` that a statement names.
 *
 * @param patterns values of `Action` or `NotAction`; names are compared without case, `*` and `?` are wildcards
 * @param negated the values stand in `NotAction`
 */
export function operationsOf(patterns: readonly string[], negated: boolean): ReadonlySet<string> {
  return new Set(OUTSIDE_OPERATIONS.filter((operation) => namesOperation(patterns, operation) !== negated));
}

function namesOperation(patterns: readonly string[], operation: string): boolean {
  return patterns.some((pattern) => matchesWildcards(pattern.toLowerCase(), `kms:${operation.toLowerCase()}`));
}

/** IAM's `*` and `?`, without a regular expression: time is at most pattern × text, whatever the pattern. */
export function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let position = 0;
  while (position < text.length) {
    // The star comes first: a literal `*` cannot stand in an operation's name, so it is never a plain character here.
    if (pattern[at] === '*') {
      star = at++;
      resume = position;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
