import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Network } from '../../../services/core/event.ts';
import { networkNamer, networksSchema, openNetworks } from '../../../services/platform/networks.ts';

const ADDRESS: Network = { kind: 'ip', address: '198.51.100.7', prefix: '198.51.0.0/16' };

function database(answers: Record<string, unknown>): { get(address: string): unknown; asked: string[] } {
  const asked: string[] = [];
  return { asked, get: (address) => (asked.push(address), answers[address] ?? null) };
}

describe('networkNamer', () => {
  test.each([
    [{ autonomous_system_number: 64496 }, { country: { iso_code: 'DE' } }, 'AS64496 DE'],
    [{ asn: 'AS64496' }, { country_code: 'DE' }, 'AS64496 DE'],
    [{ asn: '64496' }, { country: 'DE' }, 'AS64496 DE'],
    [{ autonomous_system_number: 64496 }, null, 'AS64496'],
    [null, { country: { iso_code: 'DE' } }, '198.51.0.0/16 DE'],
    [null, null, '198.51.0.0/16'],
    [{ asn: 'AS64496; DROP' }, { country_code: 'Germany' }, '198.51.0.0/16'],
  ])('tells %j and %j as %s', (system, country, expected) => {
    const name = networkNamer({ asn: database({ '198.51.100.7': system }), country: database({ '198.51.100.7': country }) });
    expect(name(ADDRESS)).toEqual({ ...ADDRESS, prefix: expected });
  });

  test('asks for each address once, and for IPv4 in IPv6 notation as IPv4', () => {
    const asn = database({ '198.51.100.7': { autonomous_system_number: 64496 } });
    const name = networkNamer({ asn, country: null });
    name(ADDRESS);
    expect(name(ADDRESS).prefix).toBe('AS64496');
    expect(asn.asked).toEqual(['198.51.100.7']);
    expect(name({ ...ADDRESS, address: '::ffff:198.51.100.7' }).prefix).toBe('AS64496');
  });

  test('leaves private addresses, services, AWS itself and no address as they are', () => {
    const asn = database({});
    const name = networkNamer({ asn, country: null });
    const others: Network[] = [
      { kind: 'ip', address: '10.1.2.3', prefix: 'private' },
      { kind: 'service', address: 's3.amazonaws.com', prefix: 's3' },
      { kind: 'aws-internal', address: 'AWS Internal', prefix: 'aws-internal' },
      { kind: 'none', address: null, prefix: null },
    ];
    for (const other of others) expect(name(other)).toBe(other);
    expect(asn.asked).toEqual([]);
  });
});

describe('openNetworks', () => {
  test('is nothing without files', async () => {
    expect(await openNetworks(networksSchema.parse(undefined))).toBeNull();
  });

  test('refuses a file that is not there and one that is no database, by the name of the setting', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kmswatch-networks-'));
    try {
      const file = join(folder, 'no.mmdb');
      writeFileSync(file, 'no database');
      await expect(openNetworks({ asn_database: join(folder, 'gone.mmdb') })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      await expect(openNetworks({ country_database: file })).rejects.toThrow(/networks\.country_database/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
