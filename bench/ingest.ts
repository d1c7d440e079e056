/**
 * `npm run bench -- ingest [--json] [--records N]`: events a second from gz file to committed event, evidence, rollup and detection,
 * beside two yardsticks measured in the same run on the same files and the same embedded server at its durable defaults:
 *
 * - the limit: gunzip, JSON.parse and the insert transaction by itself (dictionary ids, events, zstd evidence, rollups) into the same
 *   tables; no queue, no splitting, no normalizing, no looking for conflicts, no detection
 * - the plain way: gunzip, JSON.parse and one `jsonb` row a record, one file after another over one connection; the same over two
 *   connections is printed beside it
 *
 * Each runs in a process and a database of its own, the limit two files at a time and the pipeline as many as by default. Making the files is
 * not measured. `detectors_share` is the part of the time in which detectors judged, `largest_detector` the one that takes most of it.
 */
import { spawn } from 'node:child_process';
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
import type { Outcome } from './ingest/measure.ts';

type Way = 'pipeline' | 'limit' | 'plain';

const RECORDS_PER_FILE = 2_000;
const END = Date.UTC(2026, 9, 31);

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, records: { type: 'string', default: '500000' } } });
const records = Number(values.records);
const folder = mkdtempSync(join(tmpdir(), 'kmswatch-bench-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  say(`making ${records} records …`);
  const files = makeFiles(join(folder, 'logs'), records);
  const few = makeFiles(join(folder, 'few'), Math.min(50_000, records));
  const server = await openPostgres({ dataDir: join(folder, 'data'), logger: createLogger('error') });
  try {
    const small = await measure('pipeline', few, server.url);
    say(`pipeline, ${small.events} events: ${rate(small)} events/s, ${small.rss_mb} MB resident`);
    const pipeline = await measure('pipeline', files, server.url);
    say(
      `pipeline, ${pipeline.events} events: ${rate(pipeline)} events/s, ${pipeline.rss_mb} MB resident, ${bytesPerEvent(pipeline)} bytes an event`,
    );
    const limit = await measure('limit', files, server.url);
    say(`limit:    ${rate(limit)} events/s`);
    const plain = await measure('plain', files, server.url, 1);
    say(`plain:    ${rate(plain)} events/s, ${bytesPerEvent(plain)} bytes an event`);
    const plainTwo = await measure('plain', files, server.url, 2);
    say(`plain, two connections: ${rate(plainTwo)} events/s`);
    const result = {
      records,
      events_per_second: rate(pipeline),
      limit_events_per_second: rate(limit),
      plain_events_per_second: rate(plain),
      plain_two_connections_events_per_second: rate(plainTwo),
      ratio_to_limit: ratio(rate(pipeline), rate(limit)),
      ratio_to_plain: ratio(rate(pipeline), rate(plain)),
      bytes_per_event: bytesPerEvent(pipeline),
      plain_bytes_per_event: bytesPerEvent(plain),
      rss_mb: pipeline.rss_mb,
      rss_mb_at_50000: small.rss_mb,
      detectors_share: percent((pipeline.detectors ?? []).reduce((sum, { share }) => sum + share, 0)),
      largest_detector: pipeline.detectors?.[0]?.detector ?? '',
      largest_detector_share: percent(pipeline.detectors?.[0]?.share ?? 0),
    };
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
  } finally {
    await server.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function makeFiles(target: string, count: number): string {
  for (const file of simulateBulk({ seed: 'bench', end: END, records: count, recordsPerFile: RECORDS_PER_FILE })) {
    const path = join(target, file.key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzipSync(JSON.stringify({ Records: file.records })));
  }
  return target;
}

/** Runs one way in a process of its own against a fresh database; `bytes` is what the database grew by. */
async function measure(way: Way, files: string, serverUrl: string, lanes = 2): Promise<Outcome> {
  const admin = await connect<unknown>({ url: serverUrl, max: 1, applicationName: 'bench', statementTimeoutMs: 0 });
  const name = `bench_${way}_${process.hrtime.bigint()}`;
  try {
    await admin.pool.query(`CREATE DATABASE ${name}`);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return await runWay(way, [files, String(lanes)], url.href);
  } finally {
    await admin.pool.query(`DROP DATABASE IF EXISTS ${name}`);
    await admin.close();
  }
}

function runWay(way: Way, args: string[], url: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL(`./ingest/${way}.ts`, import.meta.url));
    // As the service is started, see bin/kmswatch.mjs.
    const child = spawn(process.execPath, ['--max-semi-space-size=16', script, ...args], {
      env: { ...process.env, BENCH_DATABASE_URL: url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output) as Outcome) : reject(new Error(`${way} ended with ${code}`))));
  });
}

function rate(outcome: Outcome): number {
  return Math.round((outcome.events / outcome.ms) * 1000);
}

function bytesPerEvent(outcome: Outcome): number {
  return Math.round(outcome.bytes / outcome.events);
}

function ratio(a: number, b: number): number {
  return Math.round((a / b) * 100) / 100;
}

/** A part of the whole, to a tenth of a percent. */
function percent(part: number): number {
  return Math.round(part * 1000) / 1000;
}

function table(result: Record<string, number | string>): string {
  return `${Object.entries(result)
    .map(([name, value]) => `${name.padEnd(26)} ${value}`)
    .join('\n')}\n`;
}
