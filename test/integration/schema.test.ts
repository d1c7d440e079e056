import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTROL } from '../../services/store/events.ts';
import { asOwner } from '../support/pipeline.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const SCHEMA_TYPES = readFileSync(fileURLToPath(new URL('../../services/store/schema.ts', import.meta.url)), 'utf8');

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database.drop();
});

interface Column {
  readonly type: string;
  readonly nullable: boolean;
  /** An insert may leave it out, for another reason than that it is null. */
  readonly optional: boolean;
}

type Tables = Record<string, Record<string, Column>>;

/** Which types of `schema.ts` stand for which of Postgres. */
const TYPES: Readonly<Record<string, string>> = {
  integer: 'number',
  smallint: 'number',
  bigint: 'number',
  'double precision': 'number',
  text: 'string',
  uuid: 'string',
  bit: 'string',
  boolean: 'boolean',
  bytea: 'Buffer',
  jsonb: 'Json',
  'timestamp with time zone': 'Timestamp',
  'integer[]': 'NullableNumbers',
};

/** The tables as `schema.ts` says them. */
function said(): Tables {
  const interfaces = new Map<string, Record<string, Column>>();
  for (const [, name = '', base, body = ''] of SCHEMA_TYPES.matchAll(/interface (\w+)(?: extends (\w+))? \{\n(.*?)\n\}/gs)) {
    const columns = [...body.matchAll(/^ {2}(\w+): (.+);$/gm)].map(([, column = '', type = '']) => [column, columnOf(type)] as const);
    interfaces.set(name, { ...interfaces.get(base ?? ''), ...Object.fromEntries(columns) });
  }
  const [, tables = ''] = /interface Database \{\n(.*?)\n\}/s.exec(SCHEMA_TYPES) ?? [];
  return Object.fromEntries(
    [...tables.matchAll(/^ {2}(\w+): (\w+);$/gm)].map(([, table = '', type = '']) => [table, interfaces.get(type) ?? {}]),
  );
}

function columnOf(type: string): Column {
  const nullable = /\| null|^Nullable/.test(type) && !type.startsWith('ColumnType');
  const base = /Buffer|Timestamp|Json|boolean|number|string/.exec(type)?.[0] ?? type;
  return { type: base, nullable, optional: /^Generated|\| undefined/.test(type) };
}

/** The tables as they are in the migrated database; `…_call` are views that put two of them together. */
async function found(): Promise<Tables> {
  const rows = await asOwner<{ table: string; column: string; type: string; nullable: boolean; optional: boolean }>(
    database.url,
    `SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable,
       a.attidentity <> '' OR a.atthasdef AS optional
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND c.relname !~ '^(kysely|bullmq)|_call$'
     ORDER BY 1, a.attnum`,
  );
  const tables: Tables = {};
  for (const { table, column, type, nullable, optional } of rows) {
    // Postgres does not know of a view's columns that they are never null.
    // All 64 bits of an essence count, so that no number holds it.
    const told = column === 'essence' ? 'string' : (TYPES[type] ?? type);
    (tables[table] ??= {})[column] = { type: told, nullable: nullable && table !== 'key_use', optional };
  }
  return tables;
}

describe('the schema', () => {
  test('is the same in services/store/schema.ts and in the migrated database, in both directions: tables, columns, types, nulls, defaults', async () => {
    const [types, tables] = [said(), await found()];
    expect(Object.keys(types).length).toBeGreaterThan(20);
    expect(types).toEqual(tables);
  });

  test('has partial indexes in the words in which control events are asked for', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query("SELECT ensure_event_partition('2026-02-01')");
      await client.query('SET enable_seqscan = off');
      await client.query('SET enable_bitmapscan = off');
      const planOf = async (condition: string): Promise<string> => {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN SELECT FROM event WHERE ${CONTROL} AND ${condition}`);
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      };
      const later = "event_time > '2026-02-03'";
      expect(await planOf(`key_id = 1 AND ${later}`)).toContain('event_202602_key_id_event_time_idx');
      expect(await planOf(`other_key_id = 1 AND ${later}`)).toContain('event_202602_other_key_id_event_time_idx');
      expect(await planOf(`profile_id = 1 AND key_id IS NULL AND ${later}`)).toContain('event_202602_profile_id_event_time_idx');
    } finally {
      await client.end();
    }
  });

  test('is the one that was looked at last: `vitest -u` writes test/fixtures/schema.txt anew after a migration', async () => {
    await expect(await describeSchema()).toMatchFileSnapshot('../fixtures/schema.txt');
  });
});

const TABLES = `c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND c.relname !~ '^(kysely|bullmq)'`;

/** Sections of the snapshot, one line a row. */
const SECTIONS: Readonly<Record<string, string>> = {
  columns: `SELECT format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END,
      CASE WHEN a.attidentity <> '' THEN ' identity' ELSE ' default ' || pg_get_expr(d.adbin, d.adrelid) END) AS line
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE ${TABLES} AND c.relkind IN ('r', 'p', 'v')`,
  constraints: `SELECT format('%s: %s', c.relname, pg_get_constraintdef(k.oid)) AS line FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE ${TABLES} AND k.contype <> 'n'`,
  indexes: `SELECT replace(pg_get_indexdef(i.indexrelid), 'public.', '') AS line FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE ${TABLES}`,
  functions: `SELECT format('%s(%s) security definer: %s', proname, pg_get_function_arguments(oid), prosecdef) AS line FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname !~ '^bullmq'`,
  rights: `SELECT format('%s: %s %s', grantee, table_name, string_agg(privilege_type, ', ' ORDER BY privilege_type)) AS line
    FROM information_schema.role_table_grants JOIN pg_class c ON c.relname = table_name WHERE ${TABLES} AND grantee ~ '^kmswatch_(writer|reader)$'
    GROUP BY grantee, table_name`,
};

async function describeSchema(): Promise<string> {
  const parts: string[] = [];
  for (const [name, query] of Object.entries(SECTIONS)) {
    const rows = await asOwner<{ line: string }>(database.url, query);
    const lines = rows.map(({ line }) => line).sort();
    if (lines.length === 0) throw new Error(`no ${name} found`);
    parts.push(`# ${name}\n\n${lines.join('\n')}\n`);
  }
  return parts.join('\n');
}
