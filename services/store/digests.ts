/** Digests as CloudTrail signed them, kept when they are first seen. Their content is never changed; what is found of them is. */
import { hash } from 'node:crypto';
import type pg from 'pg';
import { plainArray, textArray } from './array.ts';

export interface KeptDigest {
  readonly bucket: string;
  readonly key: string;
  readonly account: string;
  readonly region: string;
  readonly trail: string;
  /** The delivery time that it covers, epoch milliseconds; the begin is null where the content is no digest's. */
  readonly start: number | null;
  readonly end: number;
  /** SHA-256 of the inflated content, lower-case hex. */
  readonly sha256: string;
  readonly previousKey: string | null;
  readonly previousSha256: string | null;
  readonly fingerprint: string | null;
  readonly signature: string | null;
  readonly algorithm: string | null;
  readonly backfillGenerated: string | null;
  /** Gzip, as it lay in the bucket. */
  readonly packed: Buffer;
  readonly etag: string | null;
}

/** Keeps digests; what is known already, with the same content and metadata, is not kept again. */
export async function keepDigests(client: pg.Pool | pg.ClientBase, digests: readonly KeptDigest[], at: number): Promise<void> {
  const byVersion = new Map(digests.map((digest) => [`${digest.bucket}/${digest.key} ${versionOf(digest)}`, digest]));
  if (byVersion.size === 0) return;
  const rows = [...byVersion].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, digest]) => digest);
  const text = (pick: (digest: KeptDigest) => string | null): string => textArray(rows.map(pick));
  await client.query(
    `INSERT INTO trail_digest AS t (bucket, object_key, version, account, region, trail, starts_at, ends_at, sha256, previous_key, previous_sha256,
       fingerprint, signature, algorithm, backfill_generated, etag, bytes, kept_at)
     SELECT b, k, decode(v, 'hex'), a, r, tr, to_timestamp(st / 1000.0), to_timestamp(en / 1000.0), decode(sh, 'hex'), pk, decode(ps, 'hex'), f, si, al, bg, et, by,
       to_timestamp($18 / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::float8[], $9::text[], $10::text[], $11::text[],
       $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::bytea[])
       AS i(b, k, v, a, r, tr, st, en, sh, pk, ps, f, si, al, bg, et, by)
     ON CONFLICT (bucket, object_key, version) DO UPDATE SET etag = excluded.etag WHERE t.etag IS DISTINCT FROM excluded.etag`,
    [
      text((digest) => digest.bucket),
      text((digest) => digest.key),
      text(versionOf),
      text((digest) => digest.account),
      text((digest) => digest.region),
      text((digest) => digest.trail),
      plainArray(rows.map((digest) => digest.start)),
      plainArray(rows.map((digest) => digest.end)),
      text((digest) => digest.sha256),
      text((digest) => digest.previousKey),
      text((digest) => digest.previousSha256),
      text((digest) => digest.fingerprint),
      text((digest) => digest.signature),
      text((digest) => digest.algorithm),
      text((digest) => digest.backfillGenerated),
      text((digest) => digest.etag),
      rows.map((digest) => digest.packed),
      at,
    ],
  );
}

/** The same for the same content with the same metadata, and for no other. */
function versionOf({ sha256, signature, algorithm, backfillGenerated }: KeptDigest): string {
  return hash('sha256', JSON.stringify([sha256, signature, algorithm, backfillGenerated]));
}

export interface DigestRow {
  readonly key: string;
  readonly etag: string | null;
  readonly packed: Buffer;
  readonly signature: string | null;
  readonly algorithm: string | null;
  readonly backfillGenerated: string | null;
}

/** Every kept version of the digests of an account and Region that end within a time, the oldest version first. */
export async function keptDigests(
  pool: pg.Pool,
  { bucket, account, region, from, to }: { bucket: string; account: string; region: string; from: number; to: number },
): Promise<DigestRow[]> {
  const { rows } = await pool.query<DigestRow>(
    `SELECT object_key AS key, etag, bytes AS packed, signature, algorithm, backfill_generated AS "backfillGenerated" FROM trail_digest
     WHERE bucket = $1 AND account = $2 AND region = $3 AND ends_at BETWEEN to_timestamp($4 / 1000.0) AND to_timestamp($5 / 1000.0) ORDER BY id`,
    [bucket, account, region, from, to],
  );
  return rows;
}

export interface DigestCheck {
  readonly key: string;
  readonly verdict: string;
  readonly reason: string | null;
}

/** Writes what was found of kept digests. @returns those of which something else was said before, with their verdict now */
export async function markDigests(
  client: pg.ClientBase,
  bucket: string,
  { checks, at }: { readonly checks: readonly DigestCheck[]; readonly at: number },
): Promise<string[]> {
  const { rows } = await client.query<{ verdict: string }>(
    `WITH told AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) AS i(key, verdict, reason)),
       before AS (SELECT DISTINCT ON (t.object_key) t.object_key, t.verdict FROM trail_digest t JOIN told ON told.key = t.object_key
         WHERE t.bucket = $1 ORDER BY t.object_key, t.checked_at DESC NULLS LAST),
       changed AS (UPDATE trail_digest t SET verdict = told.verdict, reason = told.reason, checked_at = to_timestamp($5 / 1000.0) FROM told
         WHERE t.bucket = $1 AND t.object_key = told.key)
     SELECT told.verdict FROM told LEFT JOIN before ON before.object_key = told.key WHERE before.verdict IS DISTINCT FROM told.verdict
       AND before.object_key IS NOT NULL`,
    [
      bucket,
      textArray(checks.map(({ key }) => key)),
      textArray(checks.map(({ verdict }) => verdict)),
      textArray(checks.map(({ reason }) => reason)),
      at,
    ],
  );
  return rows.map(({ verdict }) => verdict);
}
