import type pg from 'pg';

export interface ObjectVersion {
  readonly key: string;
  readonly size: number;
  readonly etag: string | null;
}

/**
 * Keys of those objects of a bucket that are stored, as they are now. Not those of which only a part was stored, or nothing but that
 * they could not be read.
 */
export async function storedObjects(pool: pg.Pool, bucket: string, objects: readonly ObjectVersion[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ key: string; etag: string | null; size: string | null }>({
    name: 'stored-objects',
    text: `SELECT locator ->> 'key' AS key, locator ->> 'etag' AS etag, locator ->> 'size' AS size FROM ingest_batch
      WHERE source = 's3-trail' AND locator ->> 'key' = ANY($1::text[]) AND locator ->> 'bucket' = $2 AND state = 'stored'
        AND NOT locator ? 'chunk' AND (records > quarantined OR records = 0)`,
    values: [objects.map(({ key }) => key), bucket],
  });
  const now = new Map(objects.map((object) => [object.key, object]));
  const known = new Set<string>();
  for (const { key, etag, size } of rows) {
    const object = now.get(key);
    if (!object) continue;
    const isSame = etag !== null && object.etag !== null ? etag === object.etag : Number(size) === object.size;
    if (isSame) known.add(key);
  }
  return known;
}
