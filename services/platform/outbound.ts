/**
 * Requests to addresses that somebody configured, which may be chosen to reach what only this machine can reach. https only, no
 * redirections, no private addresses, unless the request allows them; the name is resolved once, every address is checked, and the
 * connection goes to the checked addresses, so that a name cannot mean another machine a moment later. Time and the size of the answer
 * are bounded. Nothing that is returned or thrown contains the URL.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { addressKinds } from './outbound/address.ts';
import { type Answer, exchange } from './outbound/exchange.ts';

export { addressKinds, type AddressKind } from './outbound/address.ts';
export { ANSWER_LIMIT_BYTES } from './outbound/exchange.ts';
export { retryAfterMs, STATUS_REASONS, type StatusReason, type Verdict, verdictOf } from './outbound/verdict.ts';

export interface OutboundRequest {
  readonly url: string;
  readonly method?: 'POST' | 'PUT' | 'GET';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Lets the request go to private, loopback and link-local addresses; never to multicast, reserved and cloud metadata ones. */
  readonly allowPrivate?: boolean;
  /** Lets the request go without TLS. */
  readonly allowHttp?: boolean;
  /** From the resolving of the name to the end of the answer. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export const OUTBOUND_FAILURES = ['url-refused', 'address-refused', 'unreachable', 'timeout', 'aborted'] as const;

export type OutboundFailure = (typeof OUTBOUND_FAILURES)[number];

export type OutboundResult =
  | ({ readonly ok: true } & Answer)
  /** `code`: the system's word, as in `ECONNREFUSED`, or ours, as in `url-invalid`. */
  | { readonly ok: false; readonly failure: OutboundFailure; readonly code: string };

export interface Outbound {
  /** Whatever the other side answers is a result; nothing is thrown for it. */
  send(request: OutboundRequest): Promise<OutboundResult>;
}

export interface OutboundOptions {
  /** Of ourselves, for the user agent. */
  readonly version: string;
  /** All addresses of a host name. The system's own way by default. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
  /** Certificates of authorities that are trusted besides the usual ones, PEM. */
  readonly authorities?: readonly string[];
}

const TIMEOUT_MS = 15_000;
/** Also the words of TLS and of a name that is not known. */
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{1,60}$/;

export function createOutbound({ version, resolve = resolveBySystem, authorities = [] }: OutboundOptions): Outbound {
  const kindOf = addressKinds();
  const trusted = authorities.length > 0 ? [...getCACertificates(), ...authorities] : [];

  async function send(request: OutboundRequest): Promise<OutboundResult> {
    const { method = 'POST', headers = {}, body = '', allowPrivate = false, timeoutMs = TIMEOUT_MS } = request;
    const url = URL.parse(request.url);
    const refusal = refusalOf(url, request);
    if (!url || refusal !== null) return { ok: false, failure: 'url-refused', code: refusal ?? 'url-invalid' };
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = request.signal ? AbortSignal.any([request.signal, deadline]) : deadline;
    try {
      const addresses = await orAborted(addressesOf(url, resolve), signal);
      const kinds = addresses.map(kindOf);
      if (kinds.includes('forbidden') || (kinds.includes('private') && !allowPrivate)) {
        return { ok: false, failure: 'address-refused', code: 'address-refused' };
      }
      const allHeaders = { 'user-agent': `kmswatch/${version}`, ...headers };
      // The race is for what heeds no signal: a connection that is being set up.
      const answer = await orAborted(exchange({ url, method, headers: allHeaders, body, addresses, authorities: trusted, signal }), signal);
      return { ok: true, ...answer };
    } catch (error) {
      if (deadline.aborted && !request.signal?.aborted) return { ok: false, failure: 'timeout', code: 'timeout' };
      if (signal.aborted) return { ok: false, failure: 'aborted', code: 'aborted' };
      return { ok: false, failure: 'unreachable', code: codeOf(error) };
    }
  }

  return { send };
}

/** What is wrong with the URL itself, in a word; null when nothing is. */
function refusalOf(url: URL | null, { allowHttp = false }: OutboundRequest): string | null {
  if (url === null) return 'url-invalid';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowHttp)) return 'url-not-https';
  return url.username === '' && url.password === '' ? null : 'url-with-credentials';
}

async function addressesOf(url: URL, resolve: (hostname: string) => Promise<readonly string[]>): Promise<readonly string[]> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
  if (addresses.length === 0) throw Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' });
  return addresses;
}

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Of an error only its code is told: messages name hosts and addresses. */
function codeOf(error: unknown): string {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: unknown };
  return typeof code === 'string' && SYSTEM_CODE.test(code) ? code : 'connection-failed';
}
