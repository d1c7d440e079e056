/** One request over a connection to addresses that were checked. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

/** More of an answer than this is not read. */
export const ANSWER_LIMIT_BYTES = 65_536;

export interface Exchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Connected to instead of what the name resolves to by now. */
  readonly addresses: readonly string[];
  /** Certificates of further authorities, PEM. */
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** `Retry-After` as it came. */
  readonly retryAfter: string | null;
  /** At most 64 KiB of it; text that is not UTF-8 has U+FFFD in it. */
  readonly body: string;
}

/** Redirections are answers like others. @throws the system's errors, and the signal's reason */
export function exchange({ url, method, headers, body, addresses, authorities, signal }: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const isSecure = url.protocol === 'https:';
  const bytes = Buffer.from(body);
  const request = (isSecure ? httpsRequest : httpRequest)({
    method,
    // An agent would keep connections, and with them addresses that were checked for an earlier request.
    agent: false,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, 'content-length': String(bytes.length) },
    lookup: pinned(addresses),
    maxHeaderSize: 16_384,
    signal,
    ...(isSecure && authorities.length > 0 && { ca: [...authorities] }),
  });
  request.on('error', reject);
  // An answer of 101 never ends in a response.
  request.on('upgrade', (response, socket) => {
    socket.destroy();
    resolve({ status: response.statusCode ?? 0, retryAfter: null, body: '' });
  });
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      const { 'retry-after': retryAfter = null } = response.headers;
      resolve({ status: response.statusCode ?? 0, retryAfter, body: Buffer.concat(chunks).subarray(0, ANSWER_LIMIT_BYTES).toString() });
      request.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ANSWER_LIMIT_BYTES) done();
    });
    response.on('end', done);
    response.on('error', reject);
  });
  request.end(bytes);
  return promise;
}

/** Never asks anybody: the connection goes where the check looked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = entries;
    if (options.all || !first) callback(null, entries);
    else callback(null, first.address, first.family);
  };
}
