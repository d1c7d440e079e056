import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { testFolder } from '../support/cli.ts';
import { freePort } from '../support/port.ts';
import { testDatabase } from '../support/postgres.ts';

/** The user `node` of the image; where the tests are not root they are nobody special already. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

test('the command of the image starts as a user who may write to the data directory only, and asks for tokens', {
  timeout: 120_000,
}, async () => {
  await using folder = await testFolder();
  await using database = await testDatabase();
  const app = join(folder.path, 'app');
  const data = join(folder.path, 'data');
  await mkdir(app);
  await mkdir(data);
  // What the image copies; packages are linked in, since the image's own are installed there.
  for (const path of ['package.json', 'bin', 'services', 'migrations']) await cp(resolve(path), join(app, path), { recursive: true });
  execFileSync('ln', ['-s', resolve('node_modules'), join(app, 'node_modules')]);
  execFileSync('chmod', ['-R', 'a-w,a+rX', app]);
  if (USER.uid !== undefined) await chown(data, USER.uid, USER.gid);
  const config = join(folder.path, 'kmswatch.yaml');
  await cp('deploy/kmswatch.yaml', config);
  const port = await freePort();
  const child = spawn(process.execPath, [join(app, 'bin/kmswatch.mjs'), 'run', '--no-sample'], {
    ...USER,
    cwd: app,
    env: {
      PATH: process.env['PATH'],
      HOME: data,
      TMPDIR: tmpdir(),
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      KMSWATCH_CONFIG: config,
      KMSWATCH_DATA_DIR: data,
      KMSWATCH_LISTEN: `0.0.0.0:${port}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    const url = `http://127.0.0.1:${port}`;
    let alive = false;
    for (let tries = 0; tries < 600 && !alive && child.exitCode === null; tries += 1) {
      alive = (await fetch(`${url}/healthz`).catch(() => null))?.ok ?? false;
      if (!alive) await sleep(100);
    }
    expect([alive, alive ? '' : said]).toEqual([true, '']);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    expect((await fetch(`${url}/api/v1/findings`)).status).toBe(401);
    expect((await fetch(`${url}/api/v1/keys`)).status).toBe(401);
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(0);
});
