/** Aliases as KMS lists them, beside what events say of them: `key_alias` holds what follows from both. */
import type pg from 'pg';
import { plainArray } from './array.ts';

export interface AliasListed {
  readonly aliasId: number;
  readonly name: string;
  /** Null = it was not listed any more. */
  readonly targetKeyId: number | null;
  readonly targetArn: string | null;
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly origin: string;
}

const COLUMNS = `l.alias_id AS "aliasId", a.name, l.target_key_id AS "targetKeyId", t.arn AS "targetArn", l.as_of AS "asOf", l.origin`;
const TABLES = 'inventory_alias l JOIN kms_key a ON a.id = l.alias_id LEFT JOIN kms_key t ON t.id = l.target_key_id';

/** As they were listed last, by alias id. */
export async function aliasesListed(client: pg.ClientBase, aliasIds: readonly number[]): Promise<Map<number, AliasListed>> {
  const { rows } = await client.query<AliasListed>({
    name: 'aliases-listed',
    text: `SELECT ${COLUMNS} FROM ${TABLES} WHERE l.alias_id = ANY($1::int[])`,
    values: [aliasIds],
  });
  return new Map(rows.map((row) => [row.aliasId, row]));
}

/** Ids of the aliases that point to the keys as listed. */
export async function aliasesListedFor(client: pg.ClientBase, keyIds: readonly number[]): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>({
    name: 'aliases-listed-for',
    text: 'SELECT alias_id AS id FROM inventory_alias WHERE target_key_id = ANY($1::int[])',
    values: [keyIds],
  });
  return rows.map((row) => row.id);
}

export interface AliasListing {
  readonly account: string;
  readonly region: string;
  readonly asOf: number;
  /** `inventory:RUN` */
  readonly origin: string;
  /** All of the place that point to a key. */
  readonly aliases: readonly { readonly aliasId: number; readonly targetKeyId: number }[];
}

/**
 * Makes the listing the latest; aliases of the place that are not in it point to nothing.
 * @returns ids of the aliases of which `key_alias` says something else
 */
export async function saveAliasListing(client: pg.ClientBase, { account, region, asOf, origin, aliases }: AliasListing): Promise<number[]> {
  await client.query(
    `INSERT INTO inventory_alias (alias_id, target_key_id, as_of, origin)
     SELECT a, t, $3, $4 FROM unnest($1::int[], $2::int[]) AS i(a, t) ORDER BY a
     ON CONFLICT (alias_id) DO UPDATE SET target_key_id = excluded.target_key_id, as_of = excluded.as_of, origin = excluded.origin`,
    [plainArray(aliases.map((each) => each.aliasId)), plainArray(aliases.map((each) => each.targetKeyId)), new Date(asOf), origin],
  );
  // Also of those that were never listed: events may say that they are there.
  await client.query(
    `INSERT INTO inventory_alias (alias_id, target_key_id, as_of, origin)
     SELECT id, NULL, $3, $4 FROM kms_key WHERE kind = 'alias' AND account = $1 AND region = $2 AND id <> ALL($5::int[])
       AND (EXISTS (SELECT FROM key_alias k WHERE k.alias_id = kms_key.id) OR EXISTS (SELECT FROM inventory_alias i WHERE i.alias_id = kms_key.id))
     ON CONFLICT (alias_id) DO UPDATE SET target_key_id = NULL, as_of = excluded.as_of, origin = excluded.origin`,
    [account, region, new Date(asOf), origin, plainArray(aliases.map((each) => each.aliasId))],
  );
  const { rows } = await client.query<{ id: number }>(
    `SELECT l.alias_id AS id FROM inventory_alias l JOIN kms_key a ON a.id = l.alias_id LEFT JOIN key_alias k ON k.alias_id = l.alias_id
     WHERE a.account = $1 AND a.region = $2 AND k.target_key_id IS DISTINCT FROM l.target_key_id ORDER BY 1`,
    [account, region],
  );
  return rows.map((row) => row.id);
}
