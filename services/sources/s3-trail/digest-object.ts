import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { DigestObject } from '../digest.ts';
import type { Buckets } from './buckets.ts';
import type { TrailObject } from './locator.ts';
import { type Gone, persist } from './read-object.ts';

/** Digests have some kilobytes; what has more than this many bytes is none. */
export const MAX_PACKED_DIGEST = 4 * 1024 * 1024;

export type DigestObjectRead = DigestObject | Gone | { readonly tooLarge: number };

/** @throws KmswatchError SOURCE_UNREADABLE when it cannot be read now */
export async function readDigestObject(buckets: Buckets, object: TrailObject): Promise<DigestObjectRead> {
  return await persist<DigestObjectRead>(buckets, object, async (client) => {
    const { bucket: Bucket, key: Key } = object;
    const { Body: body, ContentLength: size = 0, ETag, Metadata = {} } = await client.send(new GetObjectCommand({ Bucket, Key }));
    if (size > MAX_PACKED_DIGEST) {
      (body as unknown as { destroy?: () => void } | undefined)?.destroy?.();
      return { tooLarge: size };
    }
    const named = new Map(Object.entries(Metadata).map(([name, value]) => [name.toLowerCase(), value]));
    return {
      packed: Buffer.from((await body?.transformToByteArray()) ?? []),
      etag: ETag?.replaceAll('"', '') ?? null,
      metadata: {
        signature: named.get('signature') ?? null,
        algorithm: named.get('signature-algorithm') ?? null,
        backfillGenerated: named.get('backfill-generation-timestamp') ?? null,
      },
    };
  });
}
