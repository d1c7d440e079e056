/** Reads the keys of one account in one Region from KMS: the listings first, then key after key. Reads only. */
import type { KeyAnswers } from '../../core/inventory.ts';
import { AwsFailure, type Aws } from '../../platform/aws.ts';
import { type Asked, type Caller, type CallerOptions, createCaller } from './caller.ts';
import { listAliases, type ListedAlias, listKeys } from './calls.ts';
import { readKey } from './key.ts';
import type { InventoryPlace } from './place.ts';

export interface Listing {
  /** ARNs. */
  readonly keys: readonly string[];
  /** Null = they may not be listed. */
  readonly aliases: Asked<readonly ListedAlias[]> | null;
}

/** So many keys after each other for which KMS itself fails are KMS's trouble, not theirs. */
const FAILED_AT_MOST = 5;

export interface InventoryReader {
  /** @throws AwsFailure when keys may not be listed, or what may pass does not pass */
  list(): Promise<Listing>;
  /** Answers about each of the keys, in the order given. @throws AwsFailure, and the signal's reason */
  read(arns: readonly string[]): AsyncGenerator<KeyAnswers, void, undefined>;
  close(): void;
}

/** @param place without a role it is the process's own account that is read: it must be the one meant */
export function openInventory(place: InventoryPlace, options: CallerOptions): InventoryReader {
  const caller = createCaller(place, options);
  return {
    async list() {
      if (place.role === null) await checkAccount(options.aws, place);
      const { value: keys } = await listKeys(caller);
      return { keys, aliases: await aliasesIfAllowed(caller) };
    },
    async *read(arns) {
      let failed = 0;
      for (const arn of arns) {
        const answers = await readKey(caller, arn);
        const { describe } = answers;
        failed = describe.kind === 'unread' && describe.reason === 'service-error' ? failed + 1 : 0;
        if (describe.kind === 'unread' && failed >= FAILED_AT_MOST)
          throw new AwsFailure('service-error', { message: describe.message, code: 'KmsUnavailable' });
        yield answers;
      }
    },
    close: () => caller.close(),
  };
}

async function aliasesIfAllowed(caller: Caller): Promise<Listing['aliases']> {
  try {
    return await listAliases(caller);
  } catch (error) {
    if (error instanceof AwsFailure && error.reason === 'access-denied') return null;
    throw error;
  }
}

async function checkAccount(aws: Aws, place: InventoryPlace): Promise<void> {
  const account = await aws.accountOf(place);
  if (account === place.account) return;
  const message = `the credentials are those of account ${account}; account ${place.account} needs a role_arn or role_name`;
  throw new AwsFailure('access-denied', { message, code: 'WrongAccount' });
}
