import { DAY } from '../core/clock.ts';
import type { KeyFacts, RotationEligibility } from '../core/key.ts';
import { stateOf } from './state.ts';

export interface RotationPolicy {
  /** Days that key material may be the newest. */
  readonly maxAgeDays: number;
  readonly graceDays: number;
}

export type RotationStanding = 'compliant' | 'disabled' | 'overdue' | 'not-applicable' | 'unknown';

/**
 * Whether automatic rotation can exist for a key as it stands: symmetric, with material that KMS made, managed by the customer,
 * not a replica, enabled. One fact that rules it out is enough for a no; a yes needs them all.
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
 *
 * @param aliases names of the key's aliases, `alias/…`: `alias/aws/…` shows an AWS managed key
 */
export function rotationOf(facts: KeyFacts, aliases: readonly string[] = []): RotationEligibility {
  const ruledOut = byState(facts) ?? byKind(facts, aliases);
  if (ruledOut !== null) return { eligible: false, reason: ruledOut };
  const missing = missingFact(facts);
  if (missing !== null) return { eligible: null, reason: `${missing} is not known` };
  return { eligible: true, reason: 'symmetric customer managed key with key material made by AWS KMS' };
}

function byState(facts: KeyFacts): string | null {
  switch (stateOf(facts)) {
    case 'Deleted':
      return 'the key is deleted';
    case 'PendingDeletion':
    case 'PendingReplicaDeletion':
      return 'the key is pending deletion: it does not rotate';
    case 'Disabled':
      return 'the key is disabled: it does not rotate until it is enabled';
    case 'Enabled':
    case 'PendingImport':
    case null:
      return null;
  }
}

function byKind(facts: KeyFacts, aliases: readonly string[]): string | null {
  if (facts.manager?.value === 'AWS' || aliases.some((alias) => alias.startsWith('alias/aws/'))) {
    return 'AWS managed key: AWS rotates it every year, which cannot be configured';
  }
  const [spec, usage, origin] = [facts.keySpec?.value, facts.keyUsage?.value, facts.origin?.value];
  if (spec?.startsWith('HMAC_') || usage === 'GENERATE_VERIFY_MAC') return 'HMAC key: it can be replaced by hand only';
  if ((spec !== undefined && spec !== 'SYMMETRIC_DEFAULT') || (usage !== undefined && usage !== 'ENCRYPT_DECRYPT')) {
    return 'asymmetric key: it can be replaced by hand only';
  }
  if (origin === 'EXTERNAL') return 'imported key material: it rotates on demand only';
  if (origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE' || facts.customKeyStoreId !== undefined) {
    return 'key in a custom key store: it can be replaced by hand only';
  }
  if (facts.multiRegionKeyType?.value === 'REPLICA') return 'multi-Region replica: rotation is a property of its primary key';
  return null;
}

/**
 * A state that is not known stands in nobody's way: these facts come from creation or from calls that only an enabled key
 * can get, and whatever ends that (disable, schedule, delete) is a fact of its own.
 */
function missingFact(facts: KeyFacts): string | null {
  if (facts.manager?.value !== 'CUSTOMER') return 'who manages the key';
  if (facts.keySpec === undefined) return 'the key spec';
  if (facts.origin?.value !== 'AWS_KMS') return 'the origin of the key material';
  if (facts.multiRegion?.value === true && facts.multiRegionKeyType?.value !== 'PRIMARY')
    return 'whether the multi-Region key is the primary';
  return null;
}

/**
 * Where a key stands against a rotation policy as of a moment. Too old is worse than switched off; without the age of the
 * material nothing passes.
 */
export function rotationStanding(facts: KeyFacts, asOf: number, policy: RotationPolicy): RotationStanding {
  const { eligible } = rotationOf(facts);
  if (eligible === null) return 'unknown';
  if (!eligible) return 'not-applicable';
  const newest = facts.lastRotated?.value;
  if (newest !== undefined && asOf - newest > (policy.maxAgeDays + policy.graceDays) * DAY) return 'overdue';
  if (facts.rotationEnabled?.value === false) return 'disabled';
  return facts.rotationEnabled === undefined || newest === undefined ? 'unknown' : 'compliant';
}
