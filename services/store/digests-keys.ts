/** Public keys of CloudTrail, kept because AWS does not list old ones for ever. */
import type pg from 'pg';
import { plainArray, textArray } from './array.ts';

export interface PublicKeyRow {
  readonly fingerprint: string;
  readonly der: Buffer;
}

export interface PublicKeyToKeep extends PublicKeyRow {
  /** Epoch milliseconds. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
}

export async function publicKeysOf(pool: pg.Pool, region: string): Promise<PublicKeyRow[]> {
  const { rows } = await pool.query<PublicKeyRow>('SELECT fingerprint, der FROM digest_public_key WHERE region = $1', [region]);
  return rows;
}

export async function keepPublicKeys(
  pool: pg.Pool,
  region: string,
  { keys, at }: { keys: readonly PublicKeyToKeep[]; at: number },
): Promise<void> {
  if (keys.length === 0) return;
  await pool.query(
    `INSERT INTO digest_public_key (region, fingerprint, der, valid_from, valid_to, kept_at)
     SELECT $1, f, d, to_timestamp(vf / 1000.0), to_timestamp(vt / 1000.0), to_timestamp($6 / 1000.0)
     FROM unnest($2::text[], $3::bytea[], $4::float8[], $5::float8[]) AS i(f, d, vf, vt) ON CONFLICT DO NOTHING`,
    [
      region,
      textArray(keys.map(({ fingerprint }) => fingerprint)),
      keys.map(({ der }) => der),
      plainArray(keys.map(({ validFrom }) => validFrom)),
      plainArray(keys.map(({ validTo }) => validTo)),
      at,
    ],
  );
}
