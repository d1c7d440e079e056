import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { testFolder } from '../support/cli.ts';
import { expectSuccess, kmswatch } from '../support/kmswatch.ts';
import { mmdb } from '../support/mmdb.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventId, KEYS, record, START } from '../support/records.ts';

const ADDRESSES = ['198.51.100.7', '198.51.100.9', '198.51.7.7', '2001:db8::1', '203.0.113.7', '10.1.2.3', 's3.amazonaws.com'];

const called = (address: string, n: number): object =>
  record('Decrypt', START + n * 60_000, {
    eventID: eventId(n),
    sourceIPAddress: address,
    readOnly: true,
    requestParameters: { keyId: KEYS[0] },
    resources: [{ ARN: KEYS[0], accountId: '111122223333', type: 'AWS::KMS::Key' }],
  });

test('events are stored under the autonomous system and the country that the configured files tell of their addresses', async () => {
  await using folder = await testFolder();
  const [asn, country, records] = ['asn.mmdb', 'country.mmdb', 'records.json'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(
    asn,
    mmdb({
      '198.51.100.0/24': { autonomous_system_number: 64496 },
      '2001:db8::/32': { autonomous_system_number: 64511 },
      '10.0.0.0/8': { autonomous_system_number: 1 },
    }),
  );
  await writeFile(country, mmdb({ '198.51.0.0/16': { country: { iso_code: 'DE' } } }));
  await writeFile(records, JSON.stringify({ Records: ADDRESSES.map(called) }));
  const config = join(folder.path, 'kmswatch.yaml');
  await writeFile(config, JSON.stringify({ networks: { asn_database: asn, country_database: country } }));
  await using database = await testDatabase();
  expectSuccess(await kmswatch(['replay', records, '--config', config], { DATABASE_URL: database.url }));
  expect(await networks(database.url)).toEqual({
    'AS64496 DE': 2,
    '198.51.0.0/16 DE': 1,
    AS64511: 1,
    '203.0.0.0/16': 1,
    private: 1,
    s3: 1,
  });

  // Half a download.
  await writeFile(asn, mmdb({ '198.51.100.0/24': { autonomous_system_number: 64496 } }).subarray(0, 90));
  const refused = await kmswatch(['replay', records, '--config', config], { DATABASE_URL: database.url });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`networks.asn_database: ${asn} is no MMDB file that can be read`);
});

async function networks(url: string): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ network: string; events: number }>(
      'SELECT t.value AS network, count(*)::int AS events FROM event_call e JOIN term t ON t.id = e.network_id GROUP BY 1',
    );
    return Object.fromEntries(rows.map(({ network, events }) => [network, events]));
  } finally {
    await client.end();
  }
}
