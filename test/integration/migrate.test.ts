import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate, requireSchema, schemaStanding } from '../../services/platform/migrate.ts';
import { type Connection, connect } from '../../services/platform/postgres.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const OURS = fileURLToPath(new URL('../../migrations', import.meta.url));

let database: TestDatabase;
let connections: Connection<unknown>[] = [];
let folder: string;

beforeEach(async () => {
  database = await testDatabase({ migrated: false });
  // Plain JavaScript without imports: the folder lies outside the project.
  folder = mkdtempSync(join(tmpdir(), 'kmswatch-migrations-'));
  add('0001_first', `CREATE TABLE first (n int)`);
  add('0002_second', `INSERT INTO first SELECT 1 FROM pg_sleep(0.3)`);
});

afterEach(async () => {
  for (const connection of connections) await connection.close();
  connections = [];
  await database.drop();
  rmSync(folder, { recursive: true });
});

function add(name: string, statement: string): void {
  const code = `export async function up(db) { await db.executeQuery({ sql: ${JSON.stringify(statement)}, parameters: [], query: { kind: 'RawNode' }, queryId: {} }); }\n`;
  writeFileSync(join(folder, `${name}.mjs`), code);
}

async function open(): Promise<Connection<unknown>['db']> {
  const connection = await connect<unknown>({ url: database.url, max: 2, applicationName: 'migrate' });
  connections.push(connection);
  return connection.db;
}

describe('migrate', () => {
  test('applies what is missing, in order, and then has nothing to do', async () => {
    const db = await open();
    expect(await schemaStanding(db, folder)).toEqual({ standing: 'behind', missing: ['0001_first', '0002_second'] });
    await expect(requireSchema(db, folder)).rejects.toMatchObject({
      code: 'DATABASE_NOT_MIGRATED',
      hint: expect.stringContaining('kmswatch migrate'),
    });
    expect(await migrate(db, folder)).toEqual({ applied: ['0001_first', '0002_second'] });
    expect(await migrate(db, folder)).toEqual({ applied: [] });
    expect(await schemaStanding(db, folder)).toEqual({ standing: 'up-to-date' });
    await requireSchema(db, folder);
    add('0003_third', 'SELECT 1');
    expect(await migrate(db, folder)).toEqual({ applied: ['0003_third'] });
  });

  test('of several at the same moment one migrates and all end well', async () => {
    const dbs = await Promise.all([open(), open(), open()]);
    const results = await Promise.all(dbs.map((db) => migrate(db, folder)));
    expect(results.map(({ applied }) => applied.length).sort((a, b) => a - b)).toEqual([0, 0, 2]);
    const { rows } = await sql`SELECT n FROM first`.execute(await open());
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('one that fails leaves everything as it was and is named', async () => {
    const db = await open();
    add('0003_broken', 'CREATE TABLE broken (n nonsense)');
    await expect(migrate(db, folder)).rejects.toMatchObject({
      code: 'DATABASE_NOT_MIGRATED',
      message: expect.stringContaining('0003_broken'),
    });
    expect(await schemaStanding(db, folder)).toMatchObject({ standing: 'behind', missing: ['0001_first', '0002_second', '0003_broken'] });
  });

  test('a database that a newer release has migrated is left alone', async () => {
    const db = await open();
    add('0003_future', 'CREATE TABLE future (n int)');
    await migrate(db, folder);
    rmSync(join(folder, '0003_future.mjs'));
    expect(await schemaStanding(db, folder)).toEqual({ standing: 'newer', unknown: ['0003_future'] });
    for (const refused of [migrate(db, folder), requireSchema(db, folder)]) {
      await expect(refused).rejects.toMatchObject({ code: 'DATABASE_NEWER', message: expect.stringContaining('0003_future') });
    }
  });

  test("the project's own migrations run as an owner who is no superuser", async () => {
    const db = await open();
    const { applied } = await migrate(db, OURS);
    expect(applied).toEqual(
      readdirSync(OURS)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => name.replace(/\.ts$/, ''))
        .sort(),
    );
    const { rows } = await sql<{
      n: number;
    }>`SELECT count(*) AS n FROM pg_roles WHERE rolname IN ('kmswatch_writer', 'kmswatch_reader')`.execute(db);
    expect(rows).toEqual([{ n: 2 }]);
  });
});
