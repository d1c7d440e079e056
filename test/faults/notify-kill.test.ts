import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { Random } from '../../services/simulate/random.ts';
import { type AlertWorld, alertWorld, finding } from '../support/alerts.ts';
import { expectSuccess, type Running, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { testDatabase } from '../support/postgres.ts';

/** `NOTIFY_KILLS=200 npx vitest run --project integration test/faults/notify-kill.test.ts` for more of them. */
const KILLS = Number(process.env['NOTIFY_KILLS'] ?? 10);
const TIMEOUT = { timeout: 120_000 + KILLS * 60_000 };
const NEW_EACH_TIME = 6;

interface Heard {
  readonly id: string;
  readonly group: string;
  readonly status: string;
  readonly findings: readonly { readonly id: string; readonly status: string }[];
  readonly at: number;
}

interface Receiver {
  readonly url: string;
  readonly heard: Heard[];
  /** Called when a request has come whole, before it is answered. */
  onRequest: () => void;
  answer: () => { readonly status: number; readonly afterMs: number };
}

/** A receiver over HTTP that writes down what it is sent. */
async function receiver(): Promise<Receiver> {
  const self: Receiver = { url: '', heard: [], onRequest: () => undefined, answer: () => ({ status: 204, afterMs: 0 }) };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as {
        data: { group_key: string; status: string; findings: Heard['findings'] };
      };
      const { status, afterMs } = self.answer();
      const id = String(request.headers['webhook-id']);
      if (status < 300) self.heard.push({ id, group: data.group_key, status: data.status, findings: data.findings, at: Date.now() });
      self.onRequest();
      void sleep(afterMs).then(() => response.writeHead(status).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(self, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` });
}

async function configFor(url: string): Promise<string> {
  const file = join(await temporaryFolder(), 'kmswatch.yaml');
  const hook = `{name: hook, webhook: {url: "${url}", allow_private: true, allow_http: true, timeout_seconds: 5}}`;
  const route = '{receiver: hook, group_wait: 0s, group_interval: 0s, repeat_interval: 7d}';
  await writeFile(file, `alerting:\n  receivers: [${hook}]\n  route: ${route}\n  claim_lease: 1s\n`);
  return file;
}

async function untilQuiet(world: AlertWorld, process: Running): Promise<void> {
  for (let left = 600; ; left -= 1) {
    const [row] = await world.query<{ n: number }>(
      `SELECT (SELECT count(*) FROM finding_change)::int + (SELECT count(*) FROM notification WHERE state = 'pending')::int
        + (SELECT count(*) FROM alert WHERE standing = 'open' AND told IS DISTINCT FROM 'firing')::int
        + (SELECT count(*) FROM alert WHERE standing = 'resolved' AND told = 'firing')::int AS n`,
    );
    if (row?.n === 0) return;
    // Each kill counts as a try, so that some would be tried again minutes from now.
    await world.query(
      "UPDATE notification SET next_attempt_at = now() WHERE state = 'pending' AND next_attempt_at > now() + interval '2 seconds'",
    );
    if (left === 0 || !process.isRunning()) throw new Error(`${row?.n} things are left: ${process.stderr()}`);
    await sleep(100);
  }
}

test(
  `a notifying process killed at ${KILLS} random points loses nothing, and who knows repetitions by their id hears every change once`,
  TIMEOUT,
  async () => {
    const seed = `notify-kill-${Date.now()}`;
    process.stdout.write(`kill points by seed ${seed}\n`);
    const random = new Random(seed);
    await using database = await testDatabase();
    await using world = await alertWorld({ url: database.url });
    const hook = await receiver();
    hook.answer = () => ({ status: random.float() < 0.1 ? 503 : 204, afterMs: random.int(0, 40) });
    const environment = { DATABASE_URL: database.url, KMSWATCH_CONFIG: await configFor(hook.url) };
    const isOpen = new Map<string, boolean>();
    const changes = new Map<string, number>();
    const change = async (name: string, open: boolean): Promise<void> => {
      const changed = finding(name, { key: Number(name), open });
      isOpen.set(name, open);
      changes.set(changed.id, (changes.get(changed.id) ?? 0) + 1);
      await world.find(`s${name}`, [changed]);
    };

    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let n = 0; n < NEW_EACH_TIME; n += 1) await change(String(kill * NEW_EACH_TIME + n), true);
      for (const [name, open] of isOpen) if (random.float() < 0.15) await change(name, !open);
      const worker = start(['run', '--role', 'notify'], environment);
      // At once as it starts, after some time, or exactly while a receiver is being told.
      const requests = random.int(1, NEW_EACH_TIME);
      let seen = 0;
      const isAsked = new Promise<void>((resolve) => {
        hook.onRequest = () => void ((seen += 1) >= requests && resolve());
      });
      await untilStarted(worker);
      const wait = random.int(0, 400);
      await (random.float() < 0.3 ? sleep(wait) : Promise.race([isAsked, sleep(3_000)]).then(() => sleep(random.int(0, 50))));
      expect(await worker.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    }
    hook.onRequest = () => undefined;
    const last = start(['run', '--role', 'notify'], environment);
    await untilStarted(last);
    await untilQuiet(world, last);
    expectSuccess(await last.end('SIGTERM'));

    const delivered = await world.query<{ state: string; attempts: number }>('SELECT state, attempts FROM notification');
    const times = hook.heard.length;
    const once = new Map(hook.heard.map((each) => [each.id, each]));
    process.stdout.write(`${times} tellings, ${once.size} by their ids, of ${[...changes.values()].reduce((a, b) => a + b)} changes\n`);
    expect(delivered.every(({ state }) => state === 'delivered' || state === 'superseded')).toBe(true);
    expect(once.size).toBeGreaterThanOrEqual(delivered.filter(({ state }) => state === 'delivered').length);
    // Never lost: the last that was heard of every finding is what is so.
    const believed = new Map<string, string>();
    for (const { findings } of [...once.values()].toSorted((a, b) => a.at - b.at))
      for (const { id, status } of findings) believed.set(id, status);
    for (const [name, open] of isOpen) expect([name, believed.get(finding(name).id)]).toEqual([name, open ? 'open' : 'resolved']);
    // Once: no group was told more often than it changed.
    for (const [id, count] of changes) {
      const tellings = [...once.values()].filter(({ findings }) => findings.some((each) => each.id === id));
      expect(tellings.length).toBeLessThanOrEqual(count);
    }
  },
);

test('a change is heard within seconds also when nobody puts a job on the queue', { timeout: 60_000 }, async () => {
  await using database = await testDatabase();
  await using world = await alertWorld({ url: database.url });
  const hook = await receiver();
  const worker = start(['run', '--role', 'notify'], { DATABASE_URL: database.url, KMSWATCH_CONFIG: await configFor(hook.url) });
  await untilStarted(worker);
  for (let n = 0; n < 5; n += 1) {
    const since = Date.now();
    await world.find(`s${n}`, [finding(`f${n}`, { key: n })]);
    while (hook.heard.length <= n && Date.now() - since < 10_000) await sleep(5);
    expect(Date.now() - since).toBeLessThan(5_000);
  }
  expectSuccess(await worker.end('SIGTERM'));
});
