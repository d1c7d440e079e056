import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAY } from '../../services/core/clock.ts';
import { sleep } from '../../services/platform/clock.ts';
import { deniedByKeyPolicy } from '../support/aws/kms.ts';
import { fakeKey } from '../support/aws/kms-key.ts';
import { type AwsServer, startAws } from '../support/aws/server.ts';
import { type Environment, expectSuccess, kmswatch, start, untilStarted } from '../support/kmswatch.ts';
import { temporaryFolder } from '../support/month.ts';
import { type CommandResult, inProcess } from '../support/out.ts';
import { testDatabase } from '../support/postgres.ts';

const ONE = '111122223333';
const TWO = '444455556666';

function keyArn(account: string, n: number): string {
  return `arn:aws:kms:eu-west-1:${account}:key/0c0c0c0c-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

async function configured(aws: AwsServer, databaseUrl: string): Promise<Environment> {
  const path = join(await temporaryFolder(), 'kmswatch.yaml');
  const inventory = {
    accounts: [{ account: ONE }, { account: TWO }],
    regions: ['eu-west-1'],
    role_name: 'reader',
    requests_per_second: 100,
  };
  await writeFile(path, JSON.stringify({ inventory }));
  return { ...aws.environment, DATABASE_URL: databaseUrl, KMSWATCH_CONFIG: path };
}

function fill(aws: AwsServer): void {
  const { kms } = aws;
  for (const n of [1, 2]) kms.put(fakeKey(keyArn(ONE, n), { created: Date.now() - 400 * DAY }));
  kms.put(fakeKey(keyArn(TWO, 3), { lastUsage: { operation: 'Decrypt', at: Date.UTC(2026, 0, 2, 3, 4), eventId: 'e-1' } }));
  kms.alias({ account: ONE, region: 'eu-west-1' }, 'alias/orders', keyArn(ONE, 1));
  kms.refuse = (request) => (request.key === keyArn(ONE, 2) ? deniedByKeyPolicy(request) : null);
}

test('`keys sync` reads every account, says what it may not read, and `keys` and `key` show it', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const environment = await configured(aws, database.url);
  fill(aws);
  const synced = await kmswatch(['keys', 'sync', '--json'], environment);
  expectSuccess(synced);
  expect(JSON.parse(synced.stdout)).toMatchObject({
    places: [
      {
        account: ONE,
        region: 'eu-west-1',
        outcome: 'finished',
        keys: 2,
        readings: { readable: 1, unreadable: 1 },
        unread: { 'denied-by-key-policy': 1 },
        drift: {},
      },
      { account: TWO, outcome: 'finished', keys: 1, readings: { readable: 1 } },
    ],
  });

  const listed = JSON.parse((await look(['keys', '--json'], environment)).stdout) as {
    arn: string;
    state: string;
    inventory: unknown;
    aliases: string[];
  }[];
  expect(listed).toMatchObject([
    { arn: keyArn(ONE, 1), state: 'Enabled', aliases: ['alias/orders'], inventory: { reading: 'readable', reason: null, drift: [] } },
    {
      arn: keyArn(ONE, 2),
      state: null,
      inventory: { reading: 'unreadable', reason: 'denied-by-key-policy', unread: { DescribeKey: 'denied-by-key-policy' } },
    },
    { arn: keyArn(TWO, 3), inventory: { reading: 'readable', last_usage: { operation: 'Decrypt', at: '2026-01-02T03:04:00.000Z' } } },
  ]);
  const table = await look(['keys'], environment);
  expect(table.stdout).toMatch(/INVENTORY/);
  expect(table.stdout).toContain('unreadable');
  const one = await look(['key', 'alias/orders'], environment);
  expect(one.stdout).toMatch(/inventory +readable \(inventory:\d+, /);
  expect(one.stdout).toMatch(/rotationEnabled +false +\S+ \S+ UTC +inventory:\d+/);

  const only = await kmswatch(['keys', 'sync', '--account', TWO], environment);
  expectSuccess(only);
  expect(only.stdout).toMatch(new RegExp(`${TWO} +eu-west-1 +finished +1 +0 +0 +0`));
  expect(only.stdout).not.toContain(ONE);
});

test('`keys sync` fails where an account cannot be read, and says why; without a configuration it reads the account at hand', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const environment = await configured(aws, database.url);
  fill(aws);
  aws.sts.denied.add(TWO);
  const synced = await kmswatch(['keys', 'sync'], environment);
  expect(synced.code).toBe(1);
  expect(synced.stdout).toMatch(new RegExp(`${ONE} +eu-west-1 +finished`));
  expect(synced.stdout).toMatch(new RegExp(`${TWO} +eu-west-1 +failed`));
  expect(synced.stderr).toContain('sts:AssumeRole');

  const unconfigured = { ...environment, KMSWATCH_CONFIG: undefined };
  expect(await look(['keys', 'sync'], unconfigured)).toMatchObject({ code: 1, stderr: expect.stringContaining('--region') });
  expect(await look(['keys', 'sync', '--account', '12'], unconfigured)).toMatchObject({ code: 2 });
  aws.kms.put(fakeKey(keyArn(aws.sts.homeAccount, 7)));
  const own = await kmswatch(['keys', 'sync', '--region', 'eu-west-1', '--json'], unconfigured);
  expectSuccess(own);
  expect(JSON.parse(own.stdout)).toMatchObject({ places: [{ account: aws.sts.homeAccount, outcome: 'finished', keys: 1 }] });
});

test('the collecting role reads the inventory by itself, once, and the metrics tell of it', async () => {
  await using aws = await startAws();
  await using database = await testDatabase();
  const environment = { ...(await configured(aws, database.url)), KMSWATCH_LISTEN: '127.0.0.1:0' };
  fill(aws);
  const running = start(['run', '--role', 'collect', '--role', 'detect', '--role', 'api'], environment);
  await untilStarted(running);
  const url =
    /Listening on (\S+)/.exec(await until(() => (running.stdout().includes('Listening on') ? running.stdout() : null)))?.[1] ?? '';
  const metrics = await until(async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return text.includes('kmswatch_inventory_runs_total{outcome="finished"} 2') ? text : null;
  });
  expect(metrics).toContain('kmswatch_inventory_keys_unread{reading="unreadable",reason="denied-by-key-policy"} 1');
  expect(metrics).toContain('kmswatch_inventory_keys_adrift{fact="rotation"} 0');
  const [, lastSuccess] = /^kmswatch_inventory_last_success_timestamp_seconds (\S+)$/m.exec(metrics) ?? [];
  expect(Math.abs(Number(lastSuccess) - Date.now() / 1000)).toBeLessThan(60);
  expect(aws.requests.filter(({ operation }) => operation === 'ListKeys')).toHaveLength(2);
  expect(await running.end('SIGTERM')).toMatchObject({ code: 0 });
});

/** What needs nothing of AWS is run here: a process takes long to start. */
async function look(argv: readonly string[], environment: Environment): Promise<CommandResult> {
  const env = Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return await inProcess(argv, '/nonexistent', Object.fromEntries(env));
}

async function until<T>(ask: () => T | null | Promise<T | null>): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(200)) {
    const answer = await ask();
    if (answer !== null) return answer;
  }
  throw new Error('it has not come about');
}
