import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { KmswatchError } from '../../core/errors.ts';
import { sleep, within } from '../../platform/clock.ts';
import type { Buckets } from './buckets.ts';
import type { TrailObject } from './locator.ts';
import { deniedObject, type ObjectFailure, objectFailure, unreadableObject } from './object-failure.ts';

/** Requests in a row that may fail before an object is given up for now. */
const ATTEMPTS = 5;
const PAUSE_MS = 200;
/** A broken connection is no reason to begin a large object anew, but a server that sends a byte each time must not keep us for ever. */
const RESUMES = 100;
const STALL_MS = 60_000;

export interface ReadOptions {
  /** A larger object is given up. */
  readonly maxBytes?: number;
  /** Told the ETag of what is read, without quotes: a message may have named another one. */
  readonly onEtag?: (etag: string | null) => void;
}

export type Gone = { readonly gone: string };

/** Size in bytes and ETag. @throws KmswatchError SOURCE_UNREADABLE, SOURCE_DENIED when it cannot be told now */
export async function headObject(buckets: Buckets, object: TrailObject): Promise<{ size: number; etag: string | null } | Gone> {
  const answer = await persist(buckets, object, (client) => client.send(new HeadObjectCommand(named(object))));
  if ('gone' in answer) return answer;
  return { size: answer.ContentLength ?? 0, etag: answer.ETag?.replaceAll('"', '') ?? null };
}

/** The last bytes of an object. @throws KmswatchError SOURCE_UNREADABLE, SOURCE_DENIED when they cannot be read now */
export async function readTail(buckets: Buckets, object: TrailObject, bytes: number): Promise<Buffer | Gone> {
  const answer = await persist(buckets, object, async (client) => {
    const { Body: body } = await client.send(new GetObjectCommand({ ...named(object), Range: `bytes=-${bytes}` }));
    return { bytes: Buffer.from((await body?.transformToByteArray()) ?? []) };
  });
  return 'gone' in answer ? answer : answer.bytes;
}

/**
 * An object's bytes as they lie, in pieces. A connection that breaks is resumed at the byte where it broke, as long as the object is the
 * same, so that no input seems to end before its end.
 *
 * @throws ObjectGone when there is nothing to be read, KmswatchError SOURCE_UNREADABLE when it cannot be read (further) now, SOURCE_DENIED when it must not
 */
export async function* readObject(
  buckets: Buckets,
  object: TrailObject,
  { maxBytes = Infinity, onEtag }: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let etag: string | undefined;
  let total = Infinity;
  for (let resumes = 1, tries = 1; ; resumes += 1, tries += 1) {
    let failure: ObjectFailure | null = null;
    try {
      const range = at === 0 ? {} : { Range: `bytes=${at}-`, IfMatch: etag };
      const client = clientFor(buckets, object);
      const { Body: body, ContentLength: length = 0, ETag } = await client.send(new GetObjectCommand({ ...named(object), ...range }));
      if (at === 0) {
        [total, etag] = [length, ETag];
        onEtag?.(ETag?.replaceAll('"', '') ?? null);
      }
      if (total > maxBytes) throw unreadableObject(object, `it has ${total} bytes, more than were told of`);
      for await (const piece of pieces(body as AsyncIterable<Uint8Array>)) {
        at += piece.length;
        tries = 1;
        yield piece;
      }
    } catch (error) {
      failure = refusedUnlessPassing(object, error);
      if (failure.credentialsExpired) buckets.forget(object);
    }
    if (at >= total) return;
    if (resumes > RESUMES || tries >= ATTEMPTS) {
      throw unreadableObject(
        object,
        `it broke off ${resumes} times, last at byte ${at}: ${failure?.message ?? 'the connection was closed'}`,
      );
    }
    await sleep(PAUSE_MS * 2 ** (tries - 1));
  }
}

/** A body that does not come to a halt without saying so. */
async function* pieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(STALL_MS, iterator.next(), () =>
        Object.assign(new Error('no byte came for a minute'), { code: 'ETIMEDOUT' }),
      );
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Ends the request when it is not read to its end; one that hangs is not waited for.
    iterator.return?.()?.catch(() => undefined);
  }
}

/** There is nothing to be read, and there will not be. */
export class ObjectGone extends Error {
  override readonly name = 'ObjectGone';
}

export async function persist<T extends object>(
  buckets: Buckets,
  object: TrailObject,
  call: (client: Pick<S3Client, 'send'>) => Promise<T>,
): Promise<T | Gone> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call(clientFor(buckets, object));
    } catch (error) {
      if (error instanceof KmswatchError) throw error;
      const failure = objectFailure(error);
      if (failure.kind === 'gone') return { gone: failure.message };
      if (failure.kind === 'denied') throw deniedObject(object, failure.message, error);
      if (tries >= ATTEMPTS) throw unreadableObject(object, failure.message, error);
      if (failure.credentialsExpired) buckets.forget(object);
    }
    await sleep(PAUSE_MS * 2 ** (tries - 1));
  }
}

/** Throws unless it makes sense to go on. */
function refusedUnlessPassing(object: TrailObject, error: unknown): ObjectFailure {
  if (error instanceof KmswatchError) throw error;
  const failure = objectFailure(error);
  if (failure.kind === 'gone') throw new ObjectGone(failure.message);
  if (failure.kind === 'denied') throw deniedObject(object, failure.message, error);
  if (failure.kind === 'changed') throw unreadableObject(object, failure.message, error);
  return failure;
}

function clientFor(buckets: Buckets, object: TrailObject): Pick<S3Client, 'send'> {
  const client = buckets.clientFor(object);
  if (client) return client;
  throw unreadableObject(object, `the queue ${object.queue ?? ''} that told of it is not configured any more`);
}

function named({ bucket, key, versionId }: TrailObject): { Bucket: string; Key: string; VersionId?: string } {
  return { Bucket: bucket, Key: key, ...(versionId !== null && { VersionId: versionId }) };
}
