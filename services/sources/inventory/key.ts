import type { Answer, KeyAnswers, KeyDescription } from '../../core/inventory.ts';
import { AwsFailure } from '../../platform/aws.ts';
import type { Asked, Caller } from './caller.ts';
import { describeKey, keyPolicy, lastRotation, lastUsage, listGrants, listTags, rotationStatus } from './calls.ts';
import { NO_SUCH_OPERATION, refusalOf } from './refusal.ts';

/**
 * Asks all there is to ask about one key. Refusals are answers too. A key that cannot be described is not asked about any further:
 * every refusal is a record in somebody's trail.
 * @throws AwsFailure when it is not this key's fault, and the signal's reason
 */
export async function readKey(caller: Caller, arn: string): Promise<KeyAnswers> {
  const describe = await answer(describeKey, caller, arn);
  if (describe.kind !== 'answered')
    return { arn, describe, rotation: null, lastRotation: null, policy: null, grants: null, tags: null, lastUsage: null };
  const { rotates, remembers } = kindOf(describe.value);
  const parts = [
    rotates ? optional(rotationStatus, caller, arn) : NOT_ASKED,
    remembers ? optional(lastRotation, caller, arn) : NOT_ASKED,
    optional(keyPolicy, caller, arn),
    optional(listGrants, caller, arn),
    optional(listTags, caller, arn),
    optional(lastUsage, caller, arn),
  ] as const;
  // Those that are under way come to their end, whatever becomes of the others.
  await Promise.allSettled(parts);
  const [rotation, rotations, policy, grants, tags, usage] = await Promise.all(parts);
  return { arn, describe, rotation, lastRotation: rotations, policy, grants, tags, lastUsage: usage };
}

const NOT_ASKED = Promise.resolve(null);

/**
 * Which rotation calls KMS answers for such a key; for others it has UnsupportedOperationException. Of a key that is pending deletion
 * it always says that rotation is off. https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
 */
function kindOf({ keySpec, origin, state }: KeyDescription): { readonly rotates: boolean; readonly remembers: boolean } {
  const isSymmetric = keySpec === 'SYMMETRIC_DEFAULT';
  const isPending = state === 'PendingDeletion' || state === 'PendingReplicaDeletion';
  return {
    rotates: isSymmetric && origin === 'AWS_KMS' && !isPending,
    remembers: isSymmetric && (origin === 'AWS_KMS' || origin === 'EXTERNAL'),
  };
}

type Ask<T> = (caller: Caller, keyId: string) => Promise<Asked<T>>;

async function answer<T>(ask: Ask<T>, caller: Caller, arn: string): Promise<Answer<T>> {
  const at = caller.now();
  try {
    const { at: askedAt, value } = await ask(caller, arn);
    return { kind: 'answered', at: askedAt, value };
  } catch (error) {
    if (!(error instanceof AwsFailure)) throw error;
    if (error.reason === 'not-found') return { kind: 'gone', at };
    const reason = refusalOf(error);
    if (reason === null) throw error;
    return { kind: 'unread', at, reason, message: error.message };
  }
}

/** Null where KMS has no such operation for the key, or not yet in the Region. */
async function optional<T>(ask: Ask<T>, caller: Caller, arn: string): Promise<Answer<T> | null> {
  try {
    return await answer(ask, caller, arn);
  } catch (error) {
    if (error instanceof AwsFailure && NO_SUCH_OPERATION.has(error.code)) return null;
    throw error;
  }
}
