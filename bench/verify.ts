/**
 * `npm run bench -- verify [--json] [--mb N]`: megabytes of log content a second that digest validation proves, beside two yardsticks
 * measured in the same run on the same files:
 *
 * - the limit: every file read, gunzipped by zlib and hashed by SHA-256, and nothing else
 * - SHA-256 alone, of content in memory, on one core
 *
 * Each runs in a process of its own, in turn; the best of three rounds counts. Making the files is not measured.
 */
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { simulateBulk } from '../services/simulate/bulk.ts';
import { Bucket, Chain, publicKeyList, signingKey } from '../test/support/digest-chain.ts';

interface Outcome {
  readonly bytes: number;
  readonly ms: number;
  /** Time on all cores together: hardly touched by what else the machine does. */
  readonly cpu_ms: number;
  readonly rss_mb: number;
}

const RECORDS_PER_FILE = 2_000;
const FILES_PER_HOUR = 12;
const ROUNDS = 3;
const END = Date.UTC(2026, 9, 31);

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, mb: { type: 'string', default: '600' } } });
const folder = mkdtempSync(join(tmpdir(), 'kmswatch-bench-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  say(`making ${values.mb} MB of log files …`);
  const { few, all } = { few: make('few', Number(values.mb) / 8), all: make('all', Number(values.mb)) };
  const rounds = { ours: [] as Outcome[], limit: [] as Outcome[] };
  const small = await measure('ours', few);
  for (let round = 0; round < ROUNDS; round++) {
    rounds.limit.push(await measure('limit', all));
    rounds.ours.push(await measure('ours', all));
    say(`round ${round + 1}: ${rate(rounds.ours.at(-1))} MB/s, the limit ${rate(rounds.limit.at(-1))} MB/s`);
  }
  const [ours, limit] = [best(rounds.ours), best(rounds.limit)];
  const result = {
    mb: Math.round(ours.bytes / 1e6),
    mb_per_second: rate(ours),
    limit_mb_per_second: rate(limit),
    sha256_one_core_mb_per_second: sha256Rate(),
    ratio_to_limit: Math.round((rate(ours) / rate(limit)) * 100) / 100,
    cpu_ratio_to_limit: Math.round((leastCpu(rounds.limit) / leastCpu(rounds.ours)) * 100) / 100,
    rss_mb: ours.rss_mb,
    rss_mb_at_an_eighth: small.rss_mb,
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A chain of digests with full log files of simulated records, as a folder with keys and manifest beside it. */
function make(name: string, megabytes: number): string {
  const bucket = new Bucket();
  const key = signingKey();
  const chain = new Chain(bucket, { key });
  let [hour, bytes]: [string[], number] = [[], 0];
  for (const { records } of simulateBulk({ seed: 'verify', end: END, records: 10_000_000, recordsPerFile: RECORDS_PER_FILE })) {
    const content = JSON.stringify({ Records: records });
    hour.push(content);
    bytes += Buffer.byteLength(content);
    if (hour.length === FILES_PER_HOUR) {
      chain.deliver(hour);
      hour = [];
    }
    if (bytes >= megabytes * 1e6) break;
  }
  chain.deliver(hour);
  const target = join(folder, name);
  bucket.writeTo(join(target, 'copy'));
  writeFileSync(join(target, 'keys.json'), JSON.stringify(publicKeyList(key)));
  writeFileSync(join(target, 'manifest.json'), JSON.stringify(bucket.manifest()));
  return target;
}

function measure(way: 'ours' | 'limit', files: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL(`./verify/${way}.ts`, import.meta.url));
    const child = spawn(process.execPath, [script, files], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output) as Outcome) : reject(new Error(`${way} ended with ${code}`))));
  });
}

function sha256Rate(): number {
  const content = Buffer.alloc(32_000_000, 'some content ');
  hash('sha256', content);
  const began = performance.now();
  for (let round = 0; round < 10; round++) hash('sha256', content);
  return Math.round((content.length * 10) / 1000 / (performance.now() - began));
}

function best(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce((a, b) => (rate(b) > rate(a) ? b : a));
}

function leastCpu(outcomes: readonly Outcome[]): number {
  return Math.min(...outcomes.map(({ cpu_ms }) => cpu_ms));
}

function rate(outcome: Outcome | undefined): number {
  return outcome ? Math.round(outcome.bytes / 1000 / outcome.ms) : 0;
}

function table(result: Record<string, number>): string {
  return `${Object.entries(result)
    .map(([name, value]) => `${name.padEnd(30)} ${value}`)
    .join('\n')}\n`;
}
