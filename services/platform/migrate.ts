import { promises as fs } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Kysely, sql } from 'kysely';
import { FileMigrationProvider, type MigrationInfo, Migrator } from 'kysely/migration';
import { KmswatchError } from '../core/errors.ts';

/** How the database's schema stands to this release's migrations. */
export type SchemaStanding =
  | { readonly standing: 'up-to-date' }
  | { readonly standing: 'behind'; readonly missing: readonly string[] }
  /** It holds migrations that this release does not know: a newer one has been here. */
  | { readonly standing: 'newer'; readonly unknown: readonly string[] };

export interface Migrated {
  /** Names of the migrations that this call has applied; empty when there was nothing to do or another process did it. */
  readonly applied: readonly string[];
}

/**
 * Brings the schema up to date, all in one transaction. Of several processes one migrates and the others wait for it.
 *
 * @param folder absolute path of the folder with the migrations
 * @throws KmswatchError DATABASE_NEWER, or DATABASE_NOT_MIGRATED when a migration fails; the schema is then as before
 */
export async function migrate<T>(db: Kysely<T>, folder: string): Promise<Migrated> {
  const before = await schemaStanding(db, folder);
  if (before.standing === 'newer') throw databaseNewer(before.unknown);
  if (before.standing === 'up-to-date') return { applied: [] };
  const { error, results = [] } = await migratorOf(db, folder).migrateToLatest();
  if (error === undefined) return { applied: results.map(({ migrationName }) => migrationName) };
  const failed = results.find(({ status }) => status === 'Error')?.migrationName;
  const reason = error instanceof Error ? error.message : 'unknown reason';
  throw new KmswatchError(
    'DATABASE_NOT_MIGRATED',
    `${failed ? `Migration ${failed}` : 'Migrating'} failed, nothing was changed: ${reason}`,
    {
      hint: 'The database user must own the schema (CREATE on database and schema). Mend what is named and run `kmswatch migrate` again.',
      cause: error,
    },
  );
}

/** Compares without changing anything; a database without any migration is behind by all. */
export async function schemaStanding<T>(db: Kysely<T>, folder: string): Promise<SchemaStanding> {
  const known = (await migratorOf(db, folder).getMigrations()) satisfies readonly MigrationInfo[];
  const unknown = await unknownMigrations(db, new Set(known.map(({ name }) => name)));
  if (unknown.length > 0) return { standing: 'newer', unknown };
  const missing = known.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
  return missing.length === 0 ? { standing: 'up-to-date' } : { standing: 'behind', missing };
}

/**
 * For processes that do not migrate: refuses to start on a schema that is not this release's.
 *
 * @throws KmswatchError DATABASE_NEWER, DATABASE_NOT_MIGRATED
 */
export async function requireSchema<T>(db: Kysely<T>, folder: string): Promise<void> {
  const found = await schemaStanding(db, folder);
  if (found.standing === 'newer') throw databaseNewer(found.unknown);
  if (found.standing === 'up-to-date') return;
  throw new KmswatchError(
    'DATABASE_NOT_MIGRATED',
    `The database lacks ${found.missing.length} of this release's migrations, from ${found.missing[0]} on.`,
    {
      hint: 'Run `kmswatch migrate`.',
    },
  );
}

function migratorOf<T>(db: Kysely<T>, folder: string): Migrator {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(file).href);
  return new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder: folder, import: load }) });
}

/** Kysely's list holds only what is in the folder, so the names come from its table. */
async function unknownMigrations<T>(db: Kysely<T>, known: ReadonlySet<string>): Promise<string[]> {
  const { rows: tables } = await sql<{ present: boolean }>`SELECT to_regclass('kysely_migration') IS NOT NULL AS present`.execute(db);
  if (!tables[0]?.present) return [];
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(db);
  return rows.map(({ name }) => name).filter((name) => !known.has(name));
}

function databaseNewer(unknown: readonly string[]): KmswatchError {
  return new KmswatchError('DATABASE_NEWER', `The database was migrated by a newer kmswatch: it has ${unknown.join(', ')}.`, {
    hint: 'Start the newer release, or point this one to another database. Migrations go forward only.',
  });
}
