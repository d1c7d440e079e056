import { createPublicKey, type KeyObject } from 'node:crypto';
import { KmswatchError } from '../../core/errors.ts';

const BASE64 = /^[A-Za-z0-9+/]{4,12000}={0,2}$/;

/** Where public keys come from. */
export interface KeySource {
  /**
   * The keys of a Region with this fingerprint; none when CloudTrail has no such key.
   * @param at when something was signed, epoch milliseconds
   * @throws whatever keeps it from knowing
   */
  find(region: string, fingerprint: string, at: number): readonly KeyObject[] | Promise<readonly KeyObject[]>;
}

/**
 * CloudTrail's public keys, found by fingerprint. Every Region has its own; the output of `list-public-keys` does not say which Region it
 * is of, so whoever knows says so, and the keys then vouch for that Region alone.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
 */
export class PublicKeys implements KeySource {
  readonly #keys = new Map<string, { readonly region: string | null; readonly key: KeyObject }[]>();

  get size(): number {
    return this.#keys.size;
  }

  /** @throws KmswatchError INPUT_INVALID unless it is what `aws cloudtrail list-public-keys` prints */
  add(document: unknown, options: { readonly name: string; readonly region: string | null }): void {
    const list = listOf(document);
    if (!list) throw invalid(options.name, 'it has no PublicKeyList');
    for (const entry of list) {
      const fingerprint = field(entry, 'Fingerprint');
      const value = field(entry, 'Value');
      if (fingerprint === null || value === null) throw invalid(options.name, 'a key has no Fingerprint or no Value');
      const key = readKey(value);
      if (!key) throw invalid(options.name, `the Value of the key ${fingerprint.slice(0, 64)} is no RSA public key in DER, base64`);
      const known = this.#keys.get(fingerprint.toLowerCase()) ?? [];
      known.push({ region: options.region, key });
      this.#keys.set(fingerprint.toLowerCase(), known);
    }
  }

  find(region: string, fingerprint: string): KeyObject[] {
    const known = this.#keys.get(fingerprint.toLowerCase()) ?? [];
    return known.filter((each) => each.region === null || each.region === region).map(({ key }) => key);
  }
}

/**
 * An RSA public key in DER, base64; null when it is none. PKCS #1 is what AWS promises, but keys wrapped as SPKI have been seen, the documentation's own example among them.
 */
export function readKey(value: string): KeyObject | null {
  if (!BASE64.test(value)) return null;
  const der = Buffer.from(value, 'base64');
  for (const type of ['pkcs1', 'spki'] as const) {
    try {
      const key = createPublicKey({ key: der, format: 'der', type });
      if (key.asymmetricKeyType === 'rsa') return key;
    } catch {
      // Not in this wrapping.
    }
  }
  return null;
}

function listOf(document: unknown): readonly unknown[] | null {
  const list = typeof document === 'object' && document !== null && 'PublicKeyList' in document ? document.PublicKeyList : document;
  return Array.isArray(list) ? (list as unknown[]) : null;
}

function field(entry: unknown, name: 'Fingerprint' | 'Value'): string | null {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, name)) return null;
  const value = (entry as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}

function invalid(name: string, why: string): KmswatchError {
  return new KmswatchError('INPUT_INVALID', `${name} cannot be used as list of public keys: ${why}.`, {
    hint: 'Save the output of `aws cloudtrail list-public-keys --start-time … --end-time … --region …`, one file a Region.',
  });
}
