import { open } from 'node:fs/promises';
import { KmswatchError } from '../../core/errors.ts';
import { encodeFrames } from '../../core/frames.ts';
import { cutIntoChunks } from '../chunks.ts';
import type { Delivery, Source } from '../contract.ts';
import type { ReadLimits } from '../limits.ts';
import { unreadable } from '../read.ts';
import { isReadWhole } from './sniff.ts';
import { checkPaths, type Found, walk } from './walk.ts';

/** Counts since the start of the run. */
export interface ReplayProgress {
  /** Files begun, standard input included. */
  readonly files: number;
  /** Bytes of them that are in deliveries, as they lie (compressed). */
  readonly bytes: number;
  readonly deliveries: number;
  readonly acknowledged: number;
  readonly failed: number;
}

export interface ReplayOptions {
  /** Files, folders and named pipes; `-` = standard input. */
  readonly paths: readonly string[];
  readonly stdin: AsyncIterable<Uint8Array> | null;
  readonly limits: ReadLimits;
  readonly onProgress?: (progress: ReplayProgress) => void;
}

const READ_BYTES = 1_048_576;

/**
 * Reads what lies in files. A file of usual size is a delivery by locator `{path, size, mtimeMs}`, opened by the worker; a large one, a
 * pipe and standard input are streamed here and delivered in chunks (`{path, chunk, firstOrdinal, firstOffset}`) that hold their records
 * as frames. A run throws KmswatchError SOURCE_UNREADABLE before its first delivery when a path is not there.
 */
export function createReplaySource({ paths, stdin, limits, onProgress }: ReplayOptions): Source {
  return {
    name: 'replay',
    async *run(signal) {
      if (paths.includes('-') && !stdin) throw new KmswatchError('SOURCE_UNREADABLE', 'there is no standard input to read');
      await checkPaths(paths.filter((path) => path !== '-'));
      const run = new Run(limits, onProgress);
      for (const path of paths) {
        const deliveries = path === '-' && stdin ? run.stream('-', stdin, signal) : run.walk(path, signal);
        for await (const delivery of deliveries) {
          if (signal.aborted) return;
          yield delivery;
        }
      }
    },
  };
}

type Contents = Pick<Delivery, 'locator' | 'payload'> & Partial<Pick<Delivery, 'quarantined'>>;

class Run {
  readonly #limits: ReadLimits;
  readonly #onProgress: (progress: ReplayProgress) => void;
  #progress: ReplayProgress = { files: 0, bytes: 0, deliveries: 0, acknowledged: 0, failed: 0 };

  constructor(limits: ReadLimits, onProgress: (progress: ReplayProgress) => void = () => {}) {
    this.#limits = limits;
    this.#onProgress = onProgress;
  }

  async *walk(path: string, signal: AbortSignal): AsyncGenerator<Delivery> {
    for await (const found of walk(path)) {
      if (signal.aborted) return;
      yield* this.#deliver(found, signal);
    }
  }

  /** Records of an input of any size; `path` is what the locator calls it. */
  async *stream(path: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Delivery> {
    this.#add({ files: 1 });
    const counted = this.#count(untilAborted(bytes, signal));
    for await (const chunk of cutIntoChunks({ path }, counted, this.#limits)) {
      // What an abort cuts off must not be taken for the input's end.
      if (signal.aborted) return;
      yield this.#delivery(chunk);
    }
  }

  async *#deliver(found: Found, signal: AbortSignal): AsyncGenerator<Delivery> {
    if (found.kind === 'unreadable') yield this.#unreadable(found.path, found.message);
    else if (found.kind === 'pipe') yield* this.stream(found.path, fileBytes(found.path), signal);
    else {
      const whole = await this.#isWhole(found.path, found.size);
      if (typeof whole === 'string') yield this.#unreadable(found.path, whole);
      else if (!whole) yield* this.stream(found.path, fileBytes(found.path), signal);
      else {
        const { path, size, mtimeMs } = found;
        this.#add({ files: 1, bytes: size });
        yield this.#delivery({ locator: { path, size, mtimeMs }, payload: null });
      }
    }
  }

  async #isWhole(path: string, size: number): Promise<boolean | string> {
    try {
      return await isReadWhole(path, size, this.#limits);
    } catch (error) {
      return unreadable(error).message;
    }
  }

  #unreadable(path: string, message: string): Delivery {
    this.#add({ files: 1 });
    const input = { reason: 'unreadable', message, ordinal: null, offset: null, length: null, bytes: new Uint8Array(0) } as const;
    return this.#delivery({ locator: { path }, payload: encodeFrames([]), quarantined: [input] });
  }

  #delivery({ locator, payload, quarantined = [] }: Contents): Delivery {
    this.#add({ deliveries: 1 });
    return {
      source: 'replay',
      locator,
      payload,
      quarantined,
      checkpoint: null,
      ack: async () => this.#add({ acknowledged: 1 }),
      nack: async () => this.#add({ failed: 1 }),
    };
  }

  async *#count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#add({ bytes: chunk.length });
      yield chunk;
    }
  }

  #add(more: Partial<ReplayProgress>): void {
    const { files, bytes, deliveries, acknowledged, failed } = this.#progress;
    this.#progress = {
      files: files + (more.files ?? 0),
      bytes: bytes + (more.bytes ?? 0),
      deliveries: deliveries + (more.deliveries ?? 0),
      acknowledged: acknowledged + (more.acknowledged ?? 0),
      failed: failed + (more.failed ?? 0),
    };
    this.#onProgress(this.#progress);
  }
}

/** Every piece is a buffer of its own, for records are views into it. */
async function* fileBytes(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path);
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Ends when the signal aborts, even while the input (a terminal, a pipe) says nothing. */
async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  // One promise a piece: a race against a promise that lives as long as the run would keep every piece in memory.
  let giveUp = (): void => {};
  const onAbort = (): void => giveUp();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const next = await new Promise<IteratorResult<Uint8Array> | null>((resolve, reject) => {
        giveUp = () => resolve(null);
        iterator.next().then(resolve, reject);
      });
      if (next === null || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    const closing = iterator.return?.();
    // A read that waits for a terminal cannot be called off.
    if (signal.aborted) closing?.catch(() => {});
    else await closing;
  }
}
