import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Process id of the embedded server that runs on a data directory; 0 while there is none. */
export function serverOf(dataDir: string): number {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n', 1)[0]) : 0;
}

/** URL of the embedded server of a data directory, as its owner. */
export function urlOf(dataDir: string): string {
  const { port, password } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as { port: number; password: string };
  return `postgres://kmswatch:${password}@127.0.0.1:${port}/kmswatch`;
}
