/** The real Alertmanager, from the system's package, on ports of its own and without a cluster. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../../services/platform/clock.ts';
import { freePort } from '../port.ts';

export interface ShownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorURL?: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { readonly state: string };
}

export interface Alertmanager extends AsyncDisposable {
  readonly url: string;
  /** Alerts that fire now. */
  alerts(): Promise<ShownAlert[]>;
}

/** @param webhook gets what Alertmanager notifies of */
export async function startAlertmanager(webhook: string): Promise<Alertmanager> {
  const folder = mkdtempSync(join(tmpdir(), 'kmswatch-alertmanager-'));
  const config = {
    route: { receiver: 'sink', group_by: ['alertname'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
    receivers: [{ name: 'sink', webhook_configs: [{ url: webhook, send_resolved: true }] }],
  };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${join(folder, 'config.yml')}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const output: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const failed = once(child, 'error').then(([cause]) => {
    throw new Error('prometheus-alertmanager cannot be started: run scripts/setup-tests.sh', { cause });
  });
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([ready(url, child, output), failed]);
  return {
    url,
    async alerts() {
      return (await (await fetch(`${url}/api/v2/alerts?active=true`)).json()) as ShownAlert[];
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true });
    },
  };
}

async function ready(url: string, child: ChildProcess, output: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`Alertmanager ended: ${output.join('')}`);
    const isReady = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await sleep(50);
  }
  throw new Error(`Alertmanager is not ready: ${output.join('')}`);
}
