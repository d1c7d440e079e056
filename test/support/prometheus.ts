import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { sleep } from '../../services/platform/clock.ts';
import { freePort } from './port.ts';

export interface TestServer extends AsyncDisposable {
  readonly url: string;
}

export interface TestPrometheus extends TestServer {
  /** Series of an expression over the last minutes: labels, and the values that are numbers. */
  range(expr: string, minutes: number): Promise<{ readonly labels: Record<string, string>; readonly values: readonly number[] }[]>;
}

/** Debian's Prometheus on a free port: scrapes the targets (`HOST:PORT`) as job kmswatch and evaluates rules once a second. */
export async function testPrometheus(options: {
  readonly targets: readonly string[];
  readonly rules?: readonly string[];
  /** `HOST:PORT` */
  readonly alertmanager?: string;
}): Promise<TestPrometheus> {
  const port = await freePort();
  const server = await serve('prometheus', {
    port,
    config: {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: options.rules ?? [],
      ...(options.alertmanager && { alerting: { alertmanagers: [{ static_configs: [{ targets: [options.alertmanager] }] }] } }),
      scrape_configs: [{ job_name: 'kmswatch', scrape_timeout: '900ms', static_configs: [{ targets: options.targets }] }],
    },
    flags: (folder) => [`--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`],
    ready: '/-/ready',
  });
  return {
    ...server,
    async range(expr, minutes) {
      const end = Date.now() / 1000;
      const query = new URLSearchParams({ query: expr, start: String(end - minutes * 60), end: String(end), step: '2' });
      const answer = (await (await fetch(`${server.url}/api/v1/query_range?${query}`)).json()) as {
        status: string;
        error?: string;
        data?: { result: { metric: Record<string, string>; values: [number, string][] }[] };
      };
      if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
      return (answer.data?.result ?? []).map(({ metric, values }) => ({
        labels: metric,
        values: values.map(([, value]) => Number(value)).filter(Number.isFinite),
      }));
    },
  };
}

/** Debian's Alertmanager on a free port, which tells a webhook at once. */
export async function testAlertmanager(webhook: string): Promise<TestServer> {
  const port = await freePort();
  return await serve('prometheus-alertmanager', {
    port,
    config: {
      route: { receiver: 'test', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
      receivers: [{ name: 'test', webhook_configs: [{ url: webhook, send_resolved: true }] }],
    },
    flags: (folder) => [`--storage.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='],
    ready: '/-/ready',
  });
}

interface Served {
  readonly port: number;
  readonly config: object;
  readonly flags: (folder: string) => readonly string[];
  readonly ready: string;
}

async function serve(command: string, { port, config, flags, ready }: Served): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), `kmswatch-${command}-`));
  const file = join(folder, 'config.yml');
  await writeFile(file, stringify(config));
  const child = spawn(command, [`--config.file=${file}`, ...flags(folder)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(`${url}${ready}`, command, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

async function untilReady(url: string, command: string, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  child.on('error', () => undefined);
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) break;
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`${command} does not answer; is it installed? Run scripts/setup-tests.sh. ${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
