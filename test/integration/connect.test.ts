import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sleep } from '../../services/platform/clock.ts';
import { type Connection, connect } from '../../services/platform/postgres.ts';
import { isConnectionLoss } from '../../services/platform/postgres/errors.ts';
import { freePort } from '../support/port.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let connection: Connection<unknown>;

beforeAll(async () => {
  database = await testDatabase();
  connection = await connect({ url: database.url, max: 2, applicationName: 'kmswatch tests' });
});

afterAll(async () => {
  await connection?.close();
  await database?.drop();
});

async function value(text: string, from: Connection<unknown> = connection): Promise<unknown> {
  const { rows } = await from.pool.query<{ v: unknown }>(`SELECT ${text} AS v`);
  return rows[0]?.v;
}

describe('values', () => {
  test.each([
    ['9007199254740991::int8', 9_007_199_254_740_991],
    ['(SELECT count(*) FROM generate_series(1, 3))', 3],
    [`'2024-03-01 12:00:00.123456+02'::timestamptz`, Date.UTC(2024, 2, 1, 10, 0, 0, 123)],
    [`'1999-12-31 23:59:59'::timestamptz`, Date.UTC(1999, 11, 31, 23, 59, 59)],
    [`'2024-03-01 12:00:00'::timestamp`, Date.UTC(2024, 2, 1, 12)],
    [`'infinity'::timestamptz`, Number.POSITIVE_INFINITY],
    [`NULL::timestamptz`, null],
    [`'2024-03-01'::date`, '2024-03-01'],
    [`ARRAY[1, NULL, 3]::int8[]`, [1, null, 3]],
    [`ARRAY['2024-03-01 12:00:00+00']::timestamptz[]`, [Date.UTC(2024, 2, 1, 12)]],
    ['1.50::numeric', '1.50'],
    [`'{"a": [1]}'::jsonb`, { a: [1] }],
    [`'\\x00ff'::bytea`, Buffer.from([0, 255])],
    [`current_setting('TimeZone')`, 'UTC'],
    [`current_setting('application_name')`, 'kmswatch tests'],
  ])('%s', async (text, expected) => {
    expect(await value(text)).toEqual(expected);
  });

  test('a Date goes in as the moment that it is', async () => {
    const moment = Date.UTC(2024, 5, 1, 3, 4, 5, 678);
    const { rows } = await connection.pool.query('SELECT $1::timestamptz AS v', [new Date(moment)]);
    expect(rows).toEqual([{ v: moment }]);
  });

  test('an int8 that a number cannot hold is an error, and the connection stays usable', async () => {
    await expect(value('9007199254740993::int8')).rejects.toThrow(RangeError);
    expect(await value('1')).toBe(1);
  });

  test('other users of pg keep their own parsers', async () => {
    const client = new pg.Client(database.url);
    await client.connect();
    const { rows } = await client.query(`SELECT now() AS at, 1::int8 AS n`);
    await client.end();
    expect(rows[0]).toEqual({ at: expect.any(Date), n: '1' });
  });
});

describe('roles', () => {
  test('without one, statements run as the login', async () => {
    expect(connection.role).toBe(await value('session_user'));
  });

  test('as the writer, events can be added but never changed or deleted', async () => {
    const writer = await connect({ url: database.url, role: 'kmswatch_writer', max: 1, applicationName: 'writer' });
    try {
      expect(writer.role).toBe('kmswatch_writer');
      expect(await value('current_user', writer)).toBe('kmswatch_writer');
      expect(await value(`has_table_privilege('event', 'INSERT')`, writer)).toBe(true);
      await expect(writer.pool.query('DELETE FROM event')).rejects.toMatchObject({ code: '42501' });
      await expect(writer.pool.query('UPDATE evidence SET records = 0')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await writer.close();
    }
  });

  test.each(['no_such_role', 'pg_monitor', 'x; DROP TABLE event'])('a role that is not ours to become is passed over: %s', async (role) => {
    const other = await connect({ url: database.url, role, max: 1, applicationName: 'other' });
    expect(other.role).toBe(connection.role);
    expect(await value('current_user', other)).toBe(connection.role);
    await other.close();
  });
});

describe('trouble', () => {
  const failure = (url: string): Promise<unknown> => connect({ url, max: 1, applicationName: 'x' }).catch((error: unknown) => error);
  const altered = (change: (url: URL) => void): string => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };

  test('nothing listens there', async () => {
    const url = `postgres://someone:pass-word@127.0.0.1:${await freePort()}/x`;
    const error = await failure(url);
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE', retryable: true, hint: expect.stringContaining('embedded') });
    expect(String(error)).not.toContain('pass-word');
  });

  test.each([
    ['a wrong password', (url: URL) => void (url.password = 'wrong'), 'password'],
    ['no such database', (url: URL) => void (url.pathname = '/no_such'), 'Create the database'],
    ['no such host', (url: URL) => void (url.hostname = 'no-such-host.invalid'), 'host name'],
  ])('%s', async (_name, change, hint) => {
    expect(await failure(altered(change))).toMatchObject({ code: 'DATABASE_UNREACHABLE', hint: expect.stringContaining(hint) });
  });

  test('a text that is no URL', async () => {
    expect(await failure('not a url')).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  });

  test('a statement that takes too long is cancelled, on the server too', async () => {
    const hasty = await connect({ url: database.url, max: 1, applicationName: 'hasty', statementTimeoutMs: 100 });
    await expect(hasty.pool.query('SELECT pg_sleep(20)')).rejects.toMatchObject({ code: '57014' });
    await hasty.close();
  });

  test('a pool goes on after the server has dropped its connections', async () => {
    const own = await connect({ url: database.url, max: 2, applicationName: 'own' });
    const waiting = own.pool.query('SELECT pg_sleep(20)').catch((error: unknown) => error);
    await value('1', own);
    await sleep(100);
    await database.disconnectAll();
    expect(isConnectionLoss(await waiting)).toBe(true);
    await sleep(50);
    expect(await value('1', own)).toBe(1);
    await own.close();
    await own.close();
  });

  test('a wrong statement is no connection loss', async () => {
    const error = await connection.pool.query('SELECT nonsense').catch((reason: unknown) => reason);
    expect(isConnectionLoss(error)).toBe(false);
  });
});
