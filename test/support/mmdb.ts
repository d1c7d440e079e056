/**
 * Real MMDB files for tests: a binary search tree over the bits of addresses, a data section and metadata.
 * Source: https://maxmind.github.io/MaxMind-DB/ (version 2.0)
 */
import { isIPv6 } from 'node:net';

export type Data = string | number | boolean | { readonly [name: string]: Data };

export interface MmdbOptions {
  /** 6 holds both kinds of addresses, 4 only IPv4. */
  readonly ipVersion?: 4 | 6;
  readonly recordSize?: 24 | 28 | 32;
  readonly databaseType?: string;
}

/** Either two children, or where the data begins, or nothing is known. */
type Tree = { left: Tree; right: Tree } | number | null;

/** @param networks `198.51.100.0/24` or `2001:db8::/32` and what is known of it; a later network stands before an earlier one that holds it */
export function mmdb(
  networks: Readonly<Record<string, Data>>,
  { ipVersion = 6, recordSize = 28, databaseType = 'Test' }: MmdbOptions = {},
): Buffer {
  const data: Buffer[] = [];
  let size = 0;
  let tree: Tree = null;
  for (const [network, value] of Object.entries(networks)) {
    tree = insert(tree, bitsOf(network, ipVersion), size);
    data.push(encode(value));
    size += data.at(-1)?.length ?? 0;
  }
  const nodes = nodesOf(tree);
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const record = (child: Tree): number => {
    if (child === null) return nodes.length;
    return typeof child === 'number' ? nodes.length + 16 + child : (numbers.get(child) ?? 0);
  };
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    database_type: databaseType,
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: recordSize,
  };
  return Buffer.concat([
    ...nodes.map(({ left, right }) => nodeBytes(record(left), record(right), recordSize)),
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    encode(metadata),
  ]);
}

function insert(tree: Tree, [bit, ...rest]: readonly number[], data: number): Tree {
  if (bit === undefined) return data;
  // What holds the network keeps its other half.
  const { left, right } = tree === null || typeof tree === 'number' ? { left: tree, right: tree } : tree;
  return bit === 0 ? { left: insert(left, rest, data), right } : { left, right: insert(right, rest, data) };
}

/** Root first. */
function nodesOf(tree: Tree): { left: Tree; right: Tree }[] {
  const nodes = [tree === null || typeof tree === 'number' ? { left: tree, right: tree } : tree];
  for (const node of nodes) for (const child of [node.left, node.right]) if (child !== null && typeof child === 'object') nodes.push(child);
  return nodes;
}

/** IPv4 lies at the begin of a tree of IPv6, `::/96`. */
function bitsOf(network: string, ipVersion: 4 | 6): number[] {
  const [address = '', length = ''] = network.split('/');
  const wide = isIPv6(address);
  const bytes = wide ? bytesOfV6(address) : address.split('.').map(Number);
  const bits = bytes.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((at) => (byte >> at) & 1)).slice(0, Number(length));
  return ipVersion === 6 && !wide ? [...Array<number>(96).fill(0), ...bits] : bits;
}

function bytesOfV6(address: string): number[] {
  const [head = [], tail = []] = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail].map((group) => Number.parseInt(group, 16));
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function nodeBytes(left: number, right: number, recordSize: 24 | 28 | 32): Buffer {
  const bytes = Buffer.alloc(recordSize / 4);
  if (recordSize === 32) {
    bytes.writeUInt32BE(left, 0);
    bytes.writeUInt32BE(right, 4);
    return bytes;
  }
  bytes.writeUIntBE(left & 0xff_ffff, 0, 3);
  bytes.writeUIntBE(right & 0xff_ffff, bytes.length - 3, 3);
  // The middle byte has the highest four bits of both.
  if (recordSize === 28) bytes[3] = ((left >> 24) << 4) | (right >> 24);
  return bytes;
}

function encode(value: Data): Buffer {
  if (typeof value === 'string') return sized(2, Buffer.from(value));
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0, 14 - 7]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return sized(6, bytes);
  }
  const entries = Object.entries(value);
  return Buffer.concat([Buffer.from([(7 << 5) | entries.length]), ...entries.flatMap(([name, each]) => [encode(name), encode(each)])]);
}

/** Control byte with the type and a size below 285, then the bytes. */
function sized(type: number, bytes: Buffer): Buffer {
  const control = bytes.length < 29 ? [(type << 5) | bytes.length] : [(type << 5) | 29, bytes.length - 29];
  return Buffer.concat([Buffer.from(control), bytes]);
}
