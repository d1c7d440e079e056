/** What the calls say that make a key, or make it another Region's primary or replica. */
import type { KeyMetadata } from '../core/event.ts';
import type { Statements } from './statements.ts';

export function createKey(s: Statements): void {
  const metadata = s.detail.metadata ?? {};
  describeKey(s, metadata);
  // Only AWS services make AWS managed keys, and not by this call.
  s.implies('manager', 'CUSTOMER');
  if (metadata.origin !== undefined) s.implies('enabled', true);
  // keySpec came to responses together with asymmetric keys: a response without it is of a symmetric key.
  if (s.detail.metadata && metadata.keyUsage === 'ENCRYPT_DECRYPT' && metadata.keySpec === undefined)
    s.implies('keySpec', 'SYMMETRIC_DEFAULT');
  const replica = metadata.multiRegionKeyType === 'REPLICA';
  if (metadata.origin === 'AWS_KMS' && !replica) {
    s.says('lastRotated', metadata.creationDate ?? s.event.eventTime);
    // Off until it is enabled: https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable-disable.html
    s.implies('rotationEnabled', false);
  }
  policy(s, replica ? 'unsaid' : 'default');
  s.saysTags(Object.entries(s.detail.tags ?? {}));
  s.says('description', metadata.description ?? s.detail.description);
}

/** Facts in `keyMetadata` and `replicaKeyMetadata`. */
function describeKey(s: Statements, metadata: KeyMetadata): void {
  s.says('created', metadata.creationDate ?? s.event.eventTime);
  s.says('manager', metadata.keyManager);
  s.says('origin', metadata.origin);
  s.says('keySpec', metadata.keySpec);
  s.says('keyUsage', metadata.keyUsage);
  s.says('multiRegion', metadata.multiRegion);
  if (s.isMultiRegionId) s.implies('multiRegion', true);
  s.says('multiRegionKeyType', metadata.multiRegionKeyType);
  s.says('primaryKeyArn', metadata.primaryKeyArn);
  s.says('customKeyStoreId', metadata.customKeyStoreId ?? s.detail.customKeyStoreId);
  s.says('enabled', enabledAtBirth(metadata));
  if (metadata.origin === 'EXTERNAL') s.says('material', null);
}

/** A key that waits for material, or is still being created, is not switched off: it becomes Enabled by itself. */
function enabledAtBirth({ keyState, enabled, origin }: KeyMetadata): boolean | undefined {
  if (keyState !== undefined) return keyState !== 'Disabled';
  return origin === 'EXTERNAL' ? true : enabled;
}

/** Only a primary key can be replicated: https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html */
export function replicateKey(s: Statements): void {
  s.says('multiRegion', true);
  s.says('multiRegionKeyType', 'PRIMARY');
  s.says('primaryKeyArn', s.keyArn);
  s.implies('enabled', true);
}

/** The second key of a ReplicateKey call. */
export function becomeReplica(s: Statements): void {
  const metadata = s.detail.metadata ?? {};
  describeKey(s, metadata);
  s.says('multiRegion', true);
  s.says('multiRegionKeyType', 'REPLICA');
  s.says('primaryKeyArn', s.event.key?.kind === 'key' ? s.event.key.arn : metadata.primaryKeyArn);
  s.implies('enabled', true);
  s.implies('manager', 'CUSTOMER');
  policy(s, 'unsaid');
  s.says('description', metadata.description ?? s.detail.description);
}

/** One record in each of the two Regions; both say the same of whichever of the two keys it is. */
export function updatePrimaryRegion(s: Statements): void {
  const { primaryRegion } = s.detail;
  const parts = s.keyArn.split(':');
  if (primaryRegion === undefined || parts.length < 6) return;
  const primary = parts[3] === primaryRegion;
  s.says('multiRegion', true);
  s.says('multiRegionKeyType', primary ? 'PRIMARY' : 'REPLICA');
  s.says('primaryKeyArn', parts.with(3, primaryRegion).join(':'));
}

/** @param otherwise what it means that the record has no policy */
export function policy(s: Statements, otherwise: 'default' | 'omitted' | 'unsaid'): void {
  if (s.detail.policy !== undefined) {
    s.says('policy', s.detail.policy);
    s.says('policyOmitted', false);
    return;
  }
  if (s.detail.policyOmitted === true || otherwise === 'omitted') return s.says('policyOmitted', true);
  if (otherwise === 'unsaid' || s.event.detail === null) return;
  s.says('policy', null);
  s.says('policyOmitted', false);
}
