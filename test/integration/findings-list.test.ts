/** Lists of findings against an oracle: what is listed, in which order, page by page; and who holds a token. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FindingCursor, type FindingFilter, readFindingBriefs, readFindings } from '../../services/store/read/findings.ts';
import { createHolderOf, createToken, revokeToken } from '../../services/store/tokens.ts';
import { connect, type Connection } from '../../services/platform/postgres.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const FINDINGS = 400;
const AT = Date.UTC(2026, 9, 1);
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const STATUSES = ['open', 'acknowledged', 'resolved', 'suppressed'];

let database: TestDatabase;
let connection: Connection<unknown>;
let pool: pg.Pool;

beforeAll(async () => {
  database = await testDatabase();
  connection = await connect({ url: database.url, max: 2, applicationName: 'test' });
  pool = connection.pool;
  // Many at the very same moment, so that the id decides.
  await pool.query(
    `INSERT INTO finding (id, detector, dedup_key, subject, severity, title, status, key_arn, actor, account, region, first_seen, last_seen, occurrences,
       explanation, details, evaluated_at)
     SELECT left(md5(n::text), 16), 'detector-' || n % 3, jsonb_build_array(n), 'key:1', ($2::text[])[1 + n / 3 % 5], 'title', ($3::text[])[1 + n / 15 % 4],
       CASE WHEN n % 7 > 0 THEN 'arn:' || n % 7 END, CASE WHEN n % 5 > 0 THEN 'actor-' || n % 5 END, 'account-' || n % 2, 'eu-west-1', $4, $4::timestamptz + make_interval(mins => n % 11), n,
       '{"what": "", "why": "", "benign": "", "now": []}', '{}', $4
     FROM generate_series(1, $1) n`,
    [FINDINGS, SEVERITIES, STATUSES, new Date(AT)],
  );
  await pool.query(
    "INSERT INTO finding_evidence SELECT id, p, 'event-' || p FROM finding, generate_series(1, 2) p WHERE occurrences % 2 = 0",
  );
}, 60_000);

afterAll(async () => {
  await connection?.close();
  await database?.[Symbol.asyncDispose]();
});

const FILTERS: readonly FindingFilter[] = [
  {},
  { severities: ['low'] },
  { severities: ['info', 'critical'] },
  { statuses: ['open'] },
  { statuses: ['acknowledged', 'open'] },
  { statuses: ['acknowledged', 'resolved'] },
  { statuses: ['suppressed'] },
  { detectors: ['detector-1'] },
  { detectors: ['detector-1', 'detector-2'], severities: ['high'], statuses: ['resolved'] },
  { keyArns: ['arn:3'] },
  { keyArns: ['arn:3', 'arn:4'], actors: ['actor-2'] },
  { actors: ['actor-1'] },
  { accounts: ['account-1'], severities: ['medium', 'low'] },
  { accounts: ['nobody'] },
];

const STANDING: Readonly<Record<string, number>> = { open: 0, acknowledged: 0, resolved: 1, suppressed: 2 };

async function expected(filter: FindingFilter): Promise<string[]> {
  const { rows } = await pool.query<Record<string, string>>(
    'SELECT id, severity, status, detector, key_arn, actor, account, last_seen FROM finding',
  );
  const fits = (list: readonly string[] | undefined, value: string | undefined): boolean => !list || list.includes(value ?? '');
  return rows
    .filter(
      (row) => fits(filter.severities, row['severity']) && fits(filter.statuses, row['status']) && fits(filter.detectors, row['detector']),
    )
    .filter((row) => fits(filter.keyArns, row['key_arn']) && fits(filter.actors, row['actor']) && fits(filter.accounts, row['account']))
    .map((row) => ({
      id: row['id'] ?? '',
      place: [STANDING[row['status'] ?? ''] ?? 9, SEVERITIES.indexOf(row['severity'] ?? ''), -Number(row['last_seen'])],
    }))
    .toSorted((a, b) => a.place.reduce((order, value, at) => order || value - (b.place[at] ?? 0), 0) || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

test.each(FILTERS)('pages of findings by %o hold each once, in the order of urgency', async (filter) => {
  for (const [read, limit] of [
    [readFindingBriefs, 7],
    [readFindings, 100],
  ] as const) {
    const listed: string[] = [];
    for (let after: FindingCursor | null = null; ; ) {
      const page: Awaited<ReturnType<typeof readFindings>> | Awaited<ReturnType<typeof readFindingBriefs>> = await read(pool, filter, {
        limit,
        after,
      });
      expect(page.findings.length).toBeLessThanOrEqual(limit);
      listed.push(...page.findings.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(listed).toEqual(await expected(filter));
  }
});

test('a finding in a list has its evidence in order', async () => {
  const { findings } = await readFindingBriefs(pool, {}, { limit: FINDINGS });
  for (const { occurrences, evidence } of findings) expect(evidence).toEqual(occurrences % 2 === 0 ? ['event-1', 'event-2'] : []);
});

test('a token that was used is refused a second after it was revoked and at once when it ends, and its use is noted once a minute', async () => {
  const make = (expiresAt: number | null): Promise<{ id: string; token: string }> =>
    createToken(pool, { name: 'test', scope: 'viewer', createdBy: 'test', createdAt: AT, expiresAt, random: randomBytes });
  const [revoked, ends] = await Promise.all([make(null), make(AT + 500)]);
  const holderOf = createHolderOf(pool);
  const wrong = `${revoked.token.slice(0, -4)}${revoked.token.endsWith('aaaa') ? 'bbbb' : 'aaaa'}`;
  expect(await holderOf(revoked.token, AT)).toMatchObject({ id: revoked.id });
  expect(await holderOf(wrong, AT)).toBeNull();
  expect(await holderOf(ends.token, AT)).toMatchObject({ id: ends.id });
  expect(await holderOf(ends.token, AT + 500)).toBeNull();
  await revokeToken(pool, revoked.id, AT + 100);
  expect(await holderOf(revoked.token, AT + 1_000)).toBeNull();
  const lastUse = async (): Promise<number | undefined> =>
    (await pool.query<{ at: number }>('SELECT last_used_at AS at FROM api_token WHERE id = $1', [revoked.id])).rows[0]?.at;
  expect(await lastUse()).toBe(AT);
});

test('an id that there was no token of is taken as soon as there is one', async () => {
  const holderOf = createHolderOf(pool);
  const bytes = new Map([
    [6, randomBytes(6)],
    [32, randomBytes(32)],
  ]);
  const random = (size: number): Buffer => bytes.get(size) ?? randomBytes(size);
  const made = `kmsw_${bytes.get(6)?.toString('hex')}_${bytes.get(32)?.toString('base64url')}`;
  expect(await holderOf(made, AT)).toBeNull();
  const { token } = await createToken(pool, { name: 'test', scope: 'viewer', createdBy: 'test', createdAt: AT, expiresAt: null, random });
  expect(token).toBe(made);
  expect(await holderOf(made, AT)).toMatchObject({ scope: 'viewer' });
});
