import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { KmswatchError } from '../../core/errors.ts';
import type { Buckets } from './buckets.ts';
import type { TrailObject } from './locator.ts';
import { persist } from './read-object.ts';

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string | null;
}

/** Prefixes that a listing may name at one level: accounts of an organization, Regions of an account. */
const MOST_PREFIXES = 100_000;

/** Objects below a prefix in the order of their keys, from the first key after `startAfter` on; a page of a thousand is one request. */
export async function* listObjects(buckets: Buckets, at: TrailObject, startAfter: string | null): AsyncGenerator<ListedObject> {
  for await (const page of listPages(buckets, at, startAfter)) yield* page;
}

/** The same, page by page. */
export async function* listPages(buckets: Buckets, at: TrailObject, startAfter: string | null = null): AsyncGenerator<ListedObject[]> {
  const begin = startAfter === null ? {} : { StartAfter: startAfter };
  for await (const { Contents: contents = [], EncodingType } of pages(buckets, at, begin)) {
    yield contents.flatMap(({ Key: key, Size: size = 0, ETag }) =>
      key === undefined ? [] : [{ key: decoded(key, EncodingType), size, etag: ETag?.replaceAll('"', '') ?? null }],
    );
  }
}

/** Names of the "folders" right below a prefix, without their slash. */
export async function listFolders(buckets: Buckets, at: TrailObject): Promise<string[]> {
  const names: string[] = [];
  for await (const { CommonPrefixes: prefixes = [], EncodingType } of pages(buckets, at, { Delimiter: '/' })) {
    for (const { Prefix } of prefixes)
      if (Prefix !== undefined) names.push(decoded(Prefix, EncodingType).slice(at.key.length).replace(/\/$/, ''));
    if (names.length > MOST_PREFIXES) break;
  }
  return names;
}

async function* pages(
  buckets: Buckets,
  at: TrailObject,
  options: { readonly StartAfter?: string; readonly Delimiter?: string },
): AsyncGenerator<ListObjectsV2CommandOutput> {
  for (let token: string | undefined; ; ) {
    const page = await ask(buckets, at, { ...options, ...(token !== undefined && { ContinuationToken: token }) });
    yield page;
    token = page.NextContinuationToken;
    if (token === undefined || page.IsTruncated !== true) return;
  }
}

async function ask(buckets: Buckets, at: TrailObject, options: object): Promise<ListObjectsV2CommandOutput> {
  const { bucket: Bucket, key: Prefix } = at;
  let answer: Awaited<ReturnType<typeof persist<ListObjectsV2CommandOutput>>>;
  try {
    // Keys may hold characters that no XML document can: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    answer = await persist(buckets, at, (client) =>
      client.send(new ListObjectsV2Command({ Bucket, Prefix, EncodingType: 'url', ...options })),
    );
  } catch (cause) {
    if (!(cause instanceof KmswatchError)) throw cause;
    throw new KmswatchError('SOURCE_UNREADABLE', cause.message.replace(' could not be read:', ' could not be listed:'), {
      hint: 'The role needs s3:ListBucket on the bucket and s3:GetObject on what is in it.',
      cause: cause.cause,
    });
  }
  if (!('gone' in answer)) return answer;
  throw new KmswatchError('SOURCE_UNREADABLE', `s3://${at.bucket}/${at.key} could not be listed: ${answer.gone}`);
}

function decoded(text: string, encoding: string | undefined): string {
  if (encoding !== 'url') return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
