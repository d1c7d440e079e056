/**
 * `npm run bench -- notify [--json] [--samples N]`: milliseconds from an event that was committed to the receiver's HTTP request, while 100
 * other events a second come in.
 *
 * The whole service is a process of its own on the embedded Postgres at its durable defaults, queues included; S3 and SQS are another
 * process on the same cores. Objects of 25 events come every quarter of a second, and every second one tells also that a key, a fresh one each
 * time, was scheduled for deletion: an alert of severity high, which is told without waiting (`group_wait: 0s`, the default for high).
 * A latency runs from `stored_at` of the event's batch, which is taken just before the transaction, to the request at a webhook receiver
 * here, by the same clock; the first ten seconds, of a process that has just begun, are not counted.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openPostgres } from '../services/platform/embedded.ts';
import { createLogger } from '../services/platform/logger.ts';
import { connect } from '../services/platform/postgres.ts';
import { makeFiles } from './notify/files.ts';
import type { Ask, Sent } from './sources/upstream.ts';
import { summarize } from './support/latency.ts';
import { startService } from './support/service.ts';
import { nextMessage } from './support/message.ts';

const EVERY_MS = 250;
const RECORDS = 25;
const DELETION_EVERY = 2;
const WARM_UP = 20;
const PATIENCE_MS = 30_000;

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, samples: { type: 'string', default: '250' } } });
const folder = mkdtempSync(join(tmpdir(), 'kmswatch-bench-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const arrivals = new Map<string, number>();
const receiver = createServer((request, response) => {
  const at = Date.now();
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const { data } = JSON.parse(body) as { data: { findings: { key_arn: string }[] } };
    for (const { key_arn: key } of data.findings) if (!arrivals.has(key)) arrivals.set(key, at);
    response.writeHead(204).end();
  });
});
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const server = await openPostgres({ dataDir: join(folder, 'data'), logger: createLogger('error') });
const admin = await connect<unknown>({ url: server.url, max: 1, applicationName: 'bench', statementTimeoutMs: 0 });
const upstream = fork(fileURLToPath(new URL('./sources/upstream.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

try {
  const aws = (await nextMessage(upstream)) as Record<string, string>;
  const wanted = WARM_UP + Number(values.samples);
  const { files, keys } = makeFiles(join(folder, 'files'), {
    files: wanted * DELETION_EVERY,
    recordsPerFile: RECORDS,
    deletionEvery: DELETION_EVERY,
    end: Date.now(),
  });
  const { queue } = await ask({ files: [], everyMs: 0 });
  const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const service = await startService({
    args: ['--no-sample'],
    environment: { ...aws, DATABASE_URL: server.url },
    config: {
      sources: { s3_trail: { queues: [{ url: queue, region: aws['AWS_REGION'] }] } },
      alerting: {
        receivers: [
          { name: 'log', log: {} },
          { name: 'hook', webhook: { url: hook, allow_private: true, allow_http: true } },
        ],
        route: { receiver: 'log', routes: [{ matchers: ['detector="key-deletion-scheduled"'], receiver: 'hook', group_wait: '0s' }] },
      },
    },
    folder,
  });
  say(`sending ${files.length} objects in ${(files.length * EVERY_MS) / 1000} s …`);
  const before = await service.cpuMs();
  const began = Date.now();
  await ask({ files, everyMs: EVERY_MS, queue });
  for (const until = Date.now() + PATIENCE_MS; arrivals.size < keys.length && Date.now() < until; ) await pause(100);
  const cpu = (await service.cpuMs()) - before;
  const elapsed = Date.now() - began;
  const steps = await stepsOf(keys.slice(WARM_UP));
  await service.stop();
  const { p50_ms, p95_ms, p99_ms, max_ms, samples } = summarize(steps.map(({ stored, arrived }) => arrived - stored));
  const result = {
    samples,
    missing: wanted - arrivals.size,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms,
    p99_ms_stored_to_detected: summarize(steps.map(({ stored, detected }) => detected - stored)).p99_ms,
    p99_ms_detected_to_grouped: summarize(steps.map(({ detected, grouped }) => grouped - detected)).p99_ms,
    p99_ms_grouped_to_arrived: summarize(steps.map(({ grouped, arrived }) => arrived - grouped)).p99_ms,
    events_per_second: Math.round((files.length * RECORDS + keys.length) / ((files.length * EVERY_MS) / 1000)),
    service_cpu_share_of_a_core: Math.round((cpu / elapsed) * 100) / 100,
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
} finally {
  upstream.kill();
  receiver.closeAllConnections();
  receiver.close();
  await admin.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

interface Steps {
  readonly stored: number;
  readonly detected: number;
  readonly grouped: number;
  readonly arrived: number;
}

/** Of the keys whose deletion arrived, when it got how far, epoch milliseconds. */
async function stepsOf(keys: readonly string[]): Promise<Steps[]> {
  const { rows } = await admin.pool.query<{ arn: string; stored: number; detected: number; grouped: number }>(
    `SELECT k.arn, b.stored_at AS stored, b.detected_at AS detected, n.grouped FROM kms_key k JOIN event e ON e.key_id = k.id JOIN ingest_batch b ON b.id = e.batch_id
       JOIN (SELECT payload -> 'alerts' -> 0 ->> 'keyArn' AS arn, min(created_at) AS grouped FROM notification WHERE receiver = 'hook' GROUP BY 1) n ON n.arn = k.arn
     WHERE k.arn = ANY($1::text[])`,
    [keys],
  );
  return rows.map(({ arn, ...steps }) => ({ ...steps, arrived: arrivals.get(arn) ?? Infinity }));
}

async function ask(what: Ask): Promise<Sent> {
  upstream.send(what);
  return (await nextMessage(upstream)) as Sent;
}

function table(result: Readonly<Record<string, number>>): string {
  return `${Object.entries(result)
    .map(([name, value]) => `${name.padEnd(30)} ${value}`)
    .join('\n')}\n`;
}
