/**
 * `npm run bench -- api [--json] [--findings N] [--events N] [--rate N] [--seconds N]`: how long the list of findings takes to answer under a
 * load of so many requests a second (pages of 50), with 100,000 findings and 5 million events stored.
 *
 * The API is a process of its own (`kmswatch run --role api`), with tokens as authentication and without a limit of requests, on the embedded
 * Postgres at its durable defaults; the load comes from a third process on the same cores. Findings and events are multiplied from those of
 * a simulated month. Told are the latencies at the rate asked for; the highest rate of a ladder that keeps the p99 below 50 ms; and the
 * CPU time a request of each process, from which follows what the cores could do if nothing else ran on them.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openPostgres } from '../services/platform/embedded.ts';
import { createLogger } from '../services/platform/logger.ts';
import { connect } from '../services/platform/postgres.ts';
import { fillEvents, fillFindings } from './api/fill.ts';
import type { Answered, Load } from './api/load.ts';
import { shapesOf } from './api/shapes.ts';
import { type Latencies, summarize } from './support/latency.ts';
import { command, cpuMsBelow, startService } from './support/service.ts';

const LIMIT_MS = 50;
const WARM_UP_SECONDS = 5;
/** Of the rate that is asked for: tried until one does not hold, or does. */
const UPWARDS = [1.25, 1.5, 2, 3];
const DOWNWARDS = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    findings: { type: 'string', default: '100000' },
    events: { type: 'string', default: '5000000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    profile: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'kmswatch-bench-'));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const server = await openPostgres({ dataDir: join(folder, 'data'), logger: createLogger('error') });
const postmaster = Number(readFileSync(join(folder, 'data', 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
const environment = { DATABASE_URL: server.url };
const admin = await connect<unknown>({ url: server.url, max: 1, applicationName: 'bench', statementTimeoutMs: 0 });
const loader = fork(fileURLToPath(new URL('./api/load.ts', import.meta.url)), {
  serialization: 'advanced',
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});

try {
  say('finding out what a simulated month brings …');
  await command(['simulate', '--out', join(folder, 'logs'), '--days', '30', '--scale', '0.1'], environment);
  await command(['replay', join(folder, 'logs')], environment);
  say(`making ${values.findings} findings …`);
  await fillFindings(admin.pool, Number(values.findings));
  say(`making ${values.events} events …`);
  const events = await fillEvents(admin.pool, Number(values.events));
  await admin.pool.query('VACUUM ANALYZE');
  await admin.pool.query('CHECKPOINT').catch(() => undefined);
  const token = (await command(['token', 'create', 'bench', '--scope', 'viewer'], environment)).trim();
  const service = await startService({
    args: ['--role', 'api'],
    environment,
    config: { api: { authentication: 'token', requests_per_minute: 0 } },
    folder,
    nodeOptions: values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
  });
  const shapes = await shapesOf(admin.pool, async (path) => {
    const response = await fetch(`http://127.0.0.1:${service.port}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return (await response.json()) as { next: string | null };
  });
  const load = { port: service.port, token, paths: shapes.map(({ path }) => path) };
  const target = Number(values.rate);
  await ask({ ...load, perSecond: target / 5, seconds: WARM_UP_SECONDS });

  const measure = async (perSecond: number, seconds: number): Promise<Measured> => {
    const before = { service: await service.cpuMs(), postgres: cpuMsBelow(postmaster) };
    const answered = await ask({ ...load, perSecond, seconds });
    const each = (now: number, then: number): number => round((now - then) / answered.answered);
    const measured = {
      rate: perSecond,
      answered,
      latencies: summarize(answered.latencies),
      service: each(await service.cpuMs(), before.service),
      postgres: each(cpuMsBelow(postmaster), before.postgres),
    };
    say(
      `${perSecond}/s: p50 ${measured.latencies.p50_ms} ms, p99 ${measured.latencies.p99_ms} ms; ${measured.service} + ${measured.postgres} ms CPU a request`,
    );
    return measured;
  };
  const holds = ({ latencies, answered }: Measured): boolean => latencies.p99_ms < LIMIT_MS && answered.refused === 0;

  const asked = await measure(target, Number(values.seconds));
  let best = holds(asked) ? asked : null;
  for (const part of best ? UPWARDS : DOWNWARDS) {
    const tried = await measure(part * target, Number(values.seconds) / 2);
    if (holds(tried)) best = tried;
    if (holds(tried) !== holds(asked)) break;
  }
  await service.stop();
  const cores = availableParallelism();
  const result = {
    findings: Number(values.findings),
    events,
    cores,
    rate_per_second: target,
    answered_per_second: Math.round((asked.answered.answered / asked.answered.ms) * 1000),
    refused: asked.answered.refused,
    ...asked.latencies,
    ...Object.fromEntries(
      [...Map.groupBy(shapes.keys(), (at) => shapes[at]?.name)].map(([name, of]) => [`p99_ms ${name}`, p99Of(asked, of, shapes.length)]),
    ),
    kilobytes_an_answer: Math.round(asked.answered.bytes / asked.answered.answered / 100) / 10,
    per_second_with_p99_below_50_ms: best?.rate ?? 0,
    service_cpu_ms_a_request: asked.service,
    postgres_cpu_ms_a_request: asked.postgres,
    load_cpu_ms_a_request: round(asked.answered.cpuMs / asked.answered.answered),
    // The service is one thread; Postgres has a process for each connection.
    per_second_by_cpu: Math.floor(Math.min(1000 / asked.service, (cores * 1000) / (asked.service + asked.postgres))),
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
} finally {
  loader.kill();
  await admin.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

interface Measured {
  readonly rate: number;
  readonly answered: Answered;
  readonly latencies: Latencies;
  /** CPU milliseconds a request. */
  readonly service: number;
  readonly postgres: number;
}

function ask(load: Load): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the load ended with ${code}`));
    loader.once('exit', onExit);
    loader.once('message', (message) => {
      loader.off('exit', onExit);
      resolve(message as Answered);
    });
    loader.send(load);
  });
}

/** Of the paths at these places of their list. */
function p99Of({ answered }: Measured, places: readonly number[], paths: number): number {
  const wanted = new Set(places);
  return summarize(answered.latencies.filter((_, at) => wanted.has(at % paths))).p99_ms;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function table(result: Readonly<Record<string, number>>): string {
  return `${Object.entries(result)
    .map(([name, value]) => `${name.padEnd(34)} ${value}`)
    .join('\n')}\n`;
}
