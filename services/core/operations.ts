/**
 * What kind of thing an API operation is.
 *
 * - `use`: a cryptographic call; read-only in CloudTrail's words and more than 99 % of all volume
 *   (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html)
 * - `read`: describes, gets and lists
 * - `grant`: grants that AWS services make and retire all day long; kept apart so that they do not flood a key's timeline
 * - `control`: everything that changes a key, an alias, a key store or the logging itself; grants that somebody makes, retires
 *   or revokes without a service in between are among them
 */
export type OperationClass = 'use' | 'read' | 'grant' | 'control';

export const OPERATION_CLASSES = ['use', 'read', 'grant', 'control'] as const;

const USE = new Set([
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'Sign',
  'Verify',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
  'GenerateRandom',
]);
const GRANT = new Set(['CreateGrant', 'RetireGrant', 'RevokeGrant']);

/**
 * @param service event source without `.amazonaws.com`, e.g. `kms`
 * @param readOnly the record's own word; null where it says nothing
 */
export function operationClass(service: string, operation: string, readOnly: boolean | null): OperationClass {
  if (service === 'kms') {
    if (USE.has(operation)) return 'use';
    if (GRANT.has(operation)) return 'grant';
  }
  if (/^(Get|List|Describe|Lookup)/.test(operation)) return 'read';
  return readOnly === true ? 'read' : 'control';
}
