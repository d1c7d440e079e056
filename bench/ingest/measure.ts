/** What the ways share: the files and the figures they print. */
import { opendirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type pg from 'pg';

const inflate = promisify(gunzip);

export const DATABASE_URL: string = process.env['BENCH_DATABASE_URL'] ?? '';
export const FOLDER: string = process.argv[2] ?? '';

/** Starts to watch this process's resident memory. @returns the peak so far, MB */
export function watchMemory(): () => number {
  let peak = 0;
  const look = (): void => void (peak = Math.max(peak, process.memoryUsage.rss()));
  setInterval(look, 50).unref();
  return () => {
    look();
    return Math.round(peak / 1_048_576);
  };
}

export function filesBelow(folder: string): string[] {
  const files: string[] = [];
  const directory = opendirSync(folder);
  for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesBelow(path));
    else files.push(path);
  }
  directory.closeSync();
  return files.toSorted();
}

/** Hands every file's records to `store`, that many files at a time. @returns how many there were */
export async function eachFile(lanes: number, store: (records: Record<string, unknown>[], text: Buffer) => Promise<void>): Promise<number> {
  const files = filesBelow(FOLDER);
  let count = 0;
  const work = async (): Promise<void> => {
    for (let file = files.shift(); file; file = files.shift()) {
      const text = await inflate(await readFile(file));
      const { Records } = JSON.parse(text.toString()) as { Records: Record<string, unknown>[] };
      await store(Records, text);
      count += Records.length;
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return count;
}

export async function databaseSize(pool: pg.Pool): Promise<number> {
  await pool.query('CHECKPOINT').catch(() => undefined);
  const { rows } = await pool.query<{ size: number }>('SELECT pg_database_size(current_database())::float8 AS size');
  return Number(rows[0]?.size ?? 0);
}

export interface Outcome {
  readonly events: number;
  readonly ms: number;
  readonly rss_mb: number;
  readonly bytes: number;
  /** What part of the time each detector judged, the largest first. */
  readonly detectors?: readonly { readonly detector: string; readonly share: number }[];
}

export function print(outcome: Outcome): void {
  process.stdout.write(JSON.stringify(outcome));
}
