import type { EncryptionContext } from '../core/event.ts';
import { type Lost, lose, type Raw, readObject } from './fields.ts';
import { clean, IDENTIFIER_LIMIT, NAME_LIMIT, TEXT_LIMIT } from './text.ts';

/** KMS allows 8,192 bytes in all; nobody uses more than a few pairs. */
const PAIR_LIMIT = 64;
/** More than 8,192 bytes can hold: not made by KMS. */
const NAME_COUNT_LIMIT = 2048;

/**
 * The encryption context of a call; of ReEncrypt the source's. Null where it carried none.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export function encryptionContextOf(request: Raw | null, lost: Lost): EncryptionContext | null {
  const context = readObject(request?.encryptionContext ?? request?.sourceEncryptionContext, 'requestParameters.encryptionContext', lost);
  if (context === null) return null;
  const names = Object.keys(context);
  if (names.length === 0) return null;
  if (names.length > NAME_COUNT_LIMIT) {
    lose('requestParameters.encryptionContext', lost);
    return null;
  }
  return names.length === 1 ? single(context, names[0] as string, lost) : several(context, names, lost);
}

/** The usual case: one pair, made by an AWS service. */
function single(context: Raw, name: string, lost: Lost): EncryptionContext | null {
  const value = context[name];
  if (typeof value !== 'string' || name === '__proto__') return several(context, [name], lost);
  const key = clean(name, NAME_LIMIT);
  return { shape: key, values: { [key]: clean(value, TEXT_LIMIT) } };
}

function several(context: Raw, names: readonly string[], lost: Lost): EncryptionContext | null {
  // Without a prototype, so that a pair named `__proto__` is a pair like others.
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  const kept: string[] = [];
  for (const name of names.toSorted()) {
    const value = context[name];
    if (typeof value !== 'string' || kept.length === PAIR_LIMIT) {
      lose('requestParameters.encryptionContext[]', lost);
      continue;
    }
    const key = clean(name, NAME_LIMIT);
    if (!Object.hasOwn(values, key)) kept.push(key);
    values[key] = clean(value, TEXT_LIMIT);
  }
  return kept.length === 0 ? null : { shape: clean(kept.join(','), IDENTIFIER_LIMIT), values };
}
