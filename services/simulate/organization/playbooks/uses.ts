import { decrypt, encrypt, generateMac, sign } from '../../operations.ts';
import type { Call } from '../../record.ts';
import type { OrgKey } from '../contract.ts';
import type { Telling } from './telling.ts';

/** What somebody does with a key who has found what it protects: decrypts it, or signs with it. */
export function useOf(telling: Telling, { key, purpose, context }: OrgKey, time: number): Call {
  if (purpose === 'signing') return key.plan.usage === 'GENERATE_VERIFY_MAC' ? generateMac(key, { time }) : sign(key, { time });
  return decrypt(key, { context: context(telling.random), time });
}

/** Encrypts something of one's own: who has no ciphertext tries a key in this way. */
export function trialOf(telling: Telling, orgKey: OrgKey, time: number): Call {
  return orgKey.purpose === 'signing' ? useOf(telling, orgKey, time) : encrypt(orgKey.key, { time });
}

/** A call with `DryRun`: KMS answers whether it would have succeeded, by an error. */
export function dryRun(call: Call): Call {
  const { extra: _extra, ...rest } = call;
  return {
    ...rest,
    request: { ...call.request, dryRun: true },
    error: { code: 'DryRunOperationException', message: 'The request would have succeeded, but the DryRun option is set.' },
  };
}
