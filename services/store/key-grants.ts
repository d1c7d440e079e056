/** Grants of keys, as KMS lists them. A grant that ended stays, with the time at which that was known. */
import type pg from 'pg';
import type { ListedGrant } from '../core/inventory.ts';
import { jsonArray, plainArray, textArray } from './array.ts';

export interface GrantListing {
  readonly keyId: number;
  /** When they were listed, epoch milliseconds. */
  readonly at: number;
  /** `inventory:RUN` */
  readonly origin: string;
  /** All that the key has. */
  readonly grants: readonly ListedGrant[];
}

/** Makes the grants of these keys those that are listed. What was told later than the listing stands. */
export async function saveGrants(client: pg.ClientBase, listings: readonly GrantListing[]): Promise<void> {
  if (listings.length === 0) return;
  const rows = listings.flatMap(({ keyId, at, origin, grants }) => distinct(grants).map((grant) => ({ keyId, at, origin, grant })));
  await client.query(
    `INSERT INTO key_grant (key_id, grant_id, name, grantee, retiring_principal, operations, constraints, issuing_account, created_at, as_of, origin)
     SELECT k, g, n, e, r, o, c, i, to_timestamp(made / 1000.0), to_timestamp(at / 1000.0), origin
     FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::text[], $9::float8[], $10::float8[], $11::text[])
       AS l(k, g, n, e, r, o, c, i, made, at, origin) ORDER BY k, g
     ON CONFLICT (key_id, grant_id) DO UPDATE SET name = excluded.name, grantee = excluded.grantee, retiring_principal = excluded.retiring_principal,
       operations = excluded.operations, constraints = excluded.constraints, issuing_account = excluded.issuing_account,
       created_at = excluded.created_at, as_of = excluded.as_of, origin = excluded.origin, retired_at = NULL, ended_reason = NULL
     WHERE key_grant.as_of <= excluded.as_of AND (key_grant.retired_at IS NULL OR key_grant.retired_at <= excluded.as_of)`,
    [
      plainArray(rows.map((row) => row.keyId)),
      textArray(rows.map(({ grant }) => grant.grantId)),
      textArray(rows.map(({ grant }) => grant.name)),
      textArray(rows.map(({ grant }) => grant.grantee)),
      textArray(rows.map(({ grant }) => grant.retiringPrincipal)),
      jsonArray(rows.map(({ grant }) => grant.operations)),
      jsonArray(rows.map(({ grant }) => grant.constraints)),
      textArray(rows.map(({ grant }) => grant.issuingAccount)),
      plainArray(rows.map(({ grant }) => grant.created)),
      plainArray(rows.map((row) => row.at)),
      textArray(rows.map((row) => row.origin)),
    ],
  );
  // What was listed has the listing's own time by now; whatever is older is not among it.
  await client.query(
    `UPDATE key_grant g SET retired_at = to_timestamp(l.at / 1000.0), ended_reason = 'not-listed'
     FROM unnest($1::int[], $2::float8[]) AS l(key_id, at)
     WHERE g.key_id = l.key_id AND g.retired_at IS NULL AND g.as_of < to_timestamp(l.at / 1000.0)`,
    [plainArray(listings.map(({ keyId }) => keyId)), plainArray(listings.map(({ at }) => at))],
  );
}

function distinct(grants: readonly ListedGrant[]): ListedGrant[] {
  return [...new Map(grants.map((grant) => [grant.grantId, grant])).values()];
}

/** Grants of a key as KMS listed them, those that ended included. Times are epoch milliseconds. */
export async function readListedGrants(
  client: pg.ClientBase,
  keyId: number,
): Promise<(ListedGrant & { readonly asOf: number; readonly endedAt: number | null })[]> {
  const { rows } = await client.query<ListedGrant & { asOf: number; endedAt: number | null }>(
    `SELECT grant_id AS "grantId", name, grantee, retiring_principal AS "retiringPrincipal", operations, constraints,
       issuing_account AS "issuingAccount", created_at AS created, as_of AS "asOf", retired_at AS "endedAt"
     FROM key_grant WHERE key_id = $1 ORDER BY created_at, grant_id`,
    [keyId],
  );
  return rows;
}
