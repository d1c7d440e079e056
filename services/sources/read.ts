import { hash } from 'node:crypto';
import type { QuarantinedInput } from '../core/quarantine.ts';
import type { OpenedDelivery, RawRecord } from './contract.ts';
import { inflate, isGzip } from './inflate.ts';
import { gunzipWhole } from './inflate/whole.ts';
import type { ReadLimits } from './limits.ts';
import { type InputProblem, type Split, Splitter } from './split.ts';

/** Bytes pushed at once: bounds how many records of a hostile input (`{}{}{}…`) exist at a time. */
const PUSH_BYTES = 262_144;

/**
 * Splits an input that arrives in pieces, gzip or not, of any size. Never throws for what is in the input or for an input that
 * breaks off with a system error: both are quarantined, after the records that came before.
 *
 * @param maxBytes inflated bytes at which to stop; `Infinity` = only the ratio counts
 */
export async function* splitStream(chunks: AsyncIterable<Uint8Array>, limits: ReadLimits, maxBytes: number): AsyncGenerator<Split> {
  const splitter = new Splitter(limits);
  let problem: InputProblem | null = null;
  try {
    const { head, all } = await peek(chunks);
    const plain = isGzip(head) ? inflate(all, { ...limits, maxBytes }, (found) => (problem = found)) : all;
    for await (const chunk of plain) yield* splitPieces(splitter, chunk);
  } catch (error) {
    problem = unreadable(error);
  }
  yield splitter.end(problem);
}

/** Reads a whole file or object that lies in memory: the hot path. */
export async function openBytes(bytes: Buffer, limits: ReadLimits): Promise<OpenedDelivery> {
  const plain = isGzip(bytes) ? await gunzipWhole(bytes, limits.wholeInflatedBytes) : bytes;
  const splits = plain === null ? splitStream(once(bytes), limits, limits.wholeInflatedBytes) : splitBuffer(plain, limits);
  const records: RawRecord[] = [];
  const quarantined: QuarantinedInput[] = [];
  for await (const split of splits) {
    for (const record of split.records) records.push(record);
    for (const input of split.quarantined) quarantined.push(input);
    if (records.length + quarantined.length > limits.wholeRecords) {
      const message = `the file holds more than ${limits.wholeRecords} records, which is no CloudTrail log; the rest of it was not read`;
      quarantined.push({ reason: 'too-large', message, ordinal: null, offset: null, length: null, bytes: new Uint8Array(0) });
      break;
    }
  }
  return { records, quarantined, sha256: hash('sha256', bytes) };
}

/** @throws the error itself when it does not come from the system: then it is a bug */
export function unreadable(error: unknown): InputProblem {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) throw error;
  return { reason: 'unreadable', message: `it could not be read: ${String(error.code)}`, bytes: new Uint8Array(0) };
}

function* splitBuffer(bytes: Buffer, limits: ReadLimits): Generator<Split> {
  const splitter = new Splitter(limits);
  yield* splitPieces(splitter, bytes);
  yield splitter.end();
}

function* splitPieces(splitter: Splitter, bytes: Uint8Array): Generator<Split> {
  for (let at = 0; at < bytes.length; at += PUSH_BYTES) yield splitter.push(bytes.subarray(at, at + PUSH_BYTES));
}

/** The first bytes (two, unless there are fewer), and everything including them. */
async function peek(chunks: AsyncIterable<Uint8Array>): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < 2) {
    const { value, done } = await iterator.next();
    if (done === true) return { head, all: once(head) };
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  return { head, all: chain(head, iterator) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
