import type { Network } from '../core/event.ts';
import { TextCache } from './cache.ts';
import { AWS_INTERNAL, serviceName } from './service-name.ts';

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const MAPPED = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;
const IPV6 = /^[0-9a-f:]{2,39}$/i;

export const NO_NETWORK: Network = Object.freeze({ kind: 'none', address: null, prefix: null });

/** Where a call came from, out of `sourceIPAddress`; null when the text is none of the forms that AWS writes. */
export function parseNetwork(text: string): Network | null {
  const known = NETWORKS.get(text);
  if (known !== undefined) return known;
  const network = parse(text);
  return NETWORKS.keep(text, network === null ? null : Object.freeze(network));
}

const NETWORKS = new TextCache<Network | null>(4096);

function parse(text: string): Network | null {
  if (text.length > 128) return null;
  const service = serviceName(text);
  if (service === AWS_INTERNAL) return { kind: 'aws-internal', address: text, prefix: AWS_INTERNAL };
  if (service !== null) return { kind: 'service', address: text, prefix: service };
  const prefix = prefixOfV4(MAPPED.exec(text)?.[1] ?? text) ?? prefixOfV6(text);
  return prefix === null ? null : { kind: 'ip', address: text, prefix };
}

/** /16, decimal octets (leading zeros occur in anonymised records and mean nothing). */
function prefixOfV4(text: string): string | null {
  const match = IPV4.exec(text);
  if (!match) return null;
  const octets = [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])] as const;
  if (octets.some((octet) => octet > 255)) return null;
  const [first, second] = octets;
  return isPrivateV4(first, second) ? 'private' : `${first}.${second}.0.0/16`;
}

/** RFC 1918, loopback, link-local, and the shared space of RFC 6598: none of them tells one network from another. */
function isPrivateV4(first: number, second: number): boolean {
  if (first === 10 || first === 127) return true;
  if (first === 172) return second >= 16 && second <= 31;
  if (first === 192) return second === 168;
  if (first === 169) return second === 254;
  return first === 100 && second >= 64 && second <= 127;
}

/** /32 of IPv6, in canonical spelling. */
function prefixOfV6(text: string): string | null {
  if (!IPV6.test(text)) return null;
  const groups = expandV6(text.toLowerCase());
  if (groups === null) return null;
  const [first = 0, second = 0] = groups;
  const loopback = groups.every((group, index) => group === (index === 7 ? 1 : 0));
  const local = (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
  return loopback || local ? 'private' : `${first.toString(16)}:${second.toString(16)}::/32`;
}

function expandV6(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) ? groups.map((group) => Number.parseInt(group, 16)) : null;
}
