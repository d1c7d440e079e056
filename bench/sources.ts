/**
 * `npm run bench -- sources [--json] [--records N]`: what live ingestion from S3 through SQS costs, against an S3 and SQS of this machine
 * (in a process of their own, on the same cores) and the embedded Postgres at its durable defaults:
 *
 * - events a second from a full queue to committed event and detection, beside a replay of the same files in the same run; each runs in
 *   a process and a database of its own, by turns, the better of two rounds counts
 * - milliseconds from a message sent to its events committed, at 500 events a second in objects of 50; the first five seconds, of a process that has just begun, are not counted
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { openPostgres } from '../services/platform/embedded.ts';
import { createLogger } from '../services/platform/logger.ts';
import { connect } from '../services/platform/postgres.ts';
import { simulateBulk } from '../services/simulate/bulk.ts';
import type { Collected } from './sources/live.ts';
import type { Ask, Sent } from './sources/upstream.ts';
import { nextMessage } from './support/message.ts';

interface Outcome {
  readonly events: number;
  readonly ms: number;
}

const ROUNDS = 2;
const LARGE = 2_000;
const SMALL = 50;
const EVERY_MS = 100;
const WARM_UP = 50;
const END = Date.UTC(2026, 9, 31);

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    records: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '30' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'kmswatch-bench-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const server = await openPostgres({ dataDir: join(folder, 'data'), logger: createLogger('error') });
const upstream = fork(fileURLToPath(new URL('./sources/upstream.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

try {
  const environment = (await nextMessage(upstream)) as Record<string, string>;
  const records = Number(values.records);
  say(`making ${records} records …`);
  const large = makeFiles(join(folder, 'large'), { records, each: LARGE, seed: 'large' });
  const rounds = { replay: [] as Outcome[], s3: [] as Outcome[] };
  for (let round = 1; round <= ROUNDS; round++) {
    rounds.replay.push(await withDatabase((url) => replay(join(folder, 'large'), url)));
    rounds.s3.push(await withDatabase((url) => s3(large, { ...environment, BENCH_DATABASE_URL: url })));
    say(`round ${round}: s3-trail ${rate(rounds.s3.at(-1))} events/s, replay ${rate(rounds.replay.at(-1))} events/s`);
  }
  const count = WARM_UP + (Number(values.seconds) * 1000) / EVERY_MS;
  const small = makeFiles(join(folder, 'small'), { records: count * SMALL, each: SMALL, seed: 'small' });
  const latencies = await withDatabase((url) => paced(small, { ...environment, BENCH_DATABASE_URL: url }));
  const [s3Rate, replayRate] = [rounds.s3, rounds.replay].map((all) => Math.max(...all.map(rate))) as [number, number];
  const result = {
    records,
    s3_events_per_second: s3Rate,
    replay_events_per_second: replayRate,
    ratio: Math.round((s3Rate / replayRate) * 100) / 100,
    p50_ms: quantile(latencies, 0.5),
    p99_ms: quantile(latencies, 0.99),
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
} finally {
  upstream.kill();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** @returns paths of files in the order of their time, within `target` */
function makeFiles(target: string, { records, each, seed }: { records: number; each: number; seed: string }): Ask['files'] {
  const files: { path: string; key: string }[] = [];
  for (const file of simulateBulk({ seed, end: END, records, recordsPerFile: each })) {
    const path = join(target, file.key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzipSync(JSON.stringify({ Records: file.records })));
    files.push({ path, key: file.key });
  }
  return files;
}

async function withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const admin = await connect<unknown>({ url: server.url, max: 1, applicationName: 'bench', statementTimeoutMs: 0 });
  const name = `bench_${process.hrtime.bigint()}`;
  try {
    await admin.pool.query(`CREATE DATABASE ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return await work(url.href);
  } finally {
    await admin.pool.query(`DROP DATABASE IF EXISTS ${name}`);
    await admin.close();
  }
}

/** The same as the first way of the bench `ingest`. */
async function replay(files: string, url: string): Promise<Outcome> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./ingest/pipeline.ts', import.meta.url)), files], {
    env: { ...process.env, BENCH_DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await ended(child);
  return JSON.parse(output) as Outcome;
}

async function s3(files: Ask['files'], environment: Record<string, string>): Promise<Outcome> {
  const { queue } = await ask({ files, everyMs: 0 });
  const live = collector(queue, files.length, environment);
  await nextMessage(live);
  return (await nextMessage(live)) as Collected;
}

/** Milliseconds from sent to committed, ascending. */
async function paced(files: Ask['files'], environment: Record<string, string>): Promise<number[]> {
  const { queue } = await ask({ files: [], everyMs: 0 });
  const live = collector(queue, files.length, environment);
  await nextMessage(live);
  const { sent } = await ask({ files, everyMs: EVERY_MS, queue });
  const { committed } = (await nextMessage(live)) as Collected;
  const committedAt = new Map(committed);
  return sent
    .slice(WARM_UP)
    .map(([key, at]) => (committedAt.get(key) ?? Infinity) - at)
    .sort((a, b) => a - b);
}

function collector(queue: string, objects: number, environment: Record<string, string>): ChildProcess {
  return fork(fileURLToPath(new URL('./sources/live.ts', import.meta.url)), [queue, String(objects)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function ask(what: Ask): Promise<Sent> {
  upstream.send(what);
  return (await nextMessage(upstream)) as Sent;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`a process of the benchmark ended with ${code}`))));
  });
}

function rate(outcome: Outcome | undefined): number {
  return outcome ? Math.round((outcome.events / outcome.ms) * 1000) : 0;
}

function quantile(ascending: readonly number[], q: number): number {
  return Math.round(ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * q))] ?? 0);
}

function table(result: Record<string, number>): string {
  return `${Object.entries(result)
    .map(([name, value]) => `${name.padEnd(26)} ${value}`)
    .join('\n')}\n`;
}
