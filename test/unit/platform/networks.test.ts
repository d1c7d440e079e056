import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Network } from '../../../services/core/event.ts';
import { NO_NETWORK, parseNetwork } from '../../../services/normalize/network.ts';
import { type NetworkNamer, networkNamer, networksSchema, openNetworks } from '../../../services/platform/networks.ts';
import { mmdb } from '../../support/mmdb.ts';

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
  const ASN = mmdb({
    '198.51.100.0/24': { autonomous_system_number: 64496, autonomous_system_organization: 'Example' },
    '198.51.100.128/25': { autonomous_system_number: 64497, autonomous_system_organization: 'Inner' },
    '2001:db8::/32': { autonomous_system_number: 64511 },
    '10.0.0.0/8': { autonomous_system_number: 64500 },
  });
  const COUNTRY = mmdb({ '198.51.0.0/16': { country: { iso_code: 'DE', is_in_european_union: true } } }, { recordSize: 24 });

  test('is nothing without files', async () => {
    expect(await openNetworks(networksSchema.parse(undefined))).toBeNull();
  });

  test.each([
    ['198.51.100.7', 'AS64496 DE'],
    ['198.51.100.200', 'AS64497 DE'],
    ['198.51.7.7', '198.51.0.0/16 DE'],
    ['203.0.113.7', '203.0.0.0/16'],
    ['2001:db8:1::5', 'AS64511'],
    ['2001:db9::5', '2001:db9::/32'],
    ['::ffff:198.51.100.7', 'AS64496 DE'],
    ['10.1.2.3', 'private'],
    ['fe80::1', 'private'],
  ])('tells %s by the files as %s', async (address, expected) => {
    const name = await namer({ asn: ASN, country: COUNTRY });
    const network = parseNetwork(address) ?? NO_NETWORK;
    expect(name(network)).toEqual({ kind: 'ip', address, prefix: expected });
  });

  test.each([24, 28, 32] as const)('reads files with records of %i bits', async (recordSize) => {
    const name = await namer({ asn: mmdb({ '198.51.100.0/24': { asn: 'AS64496' } }, { recordSize }) });
    expect(name(ADDRESS).prefix).toBe('AS64496');
  });

  test('takes no IPv6 address for an IPv4 address in a file that holds only those', async () => {
    // The first four bytes of 2001:db8:: are those of 32.1.13.184.
    const name = await namer({
      asn: mmdb({ '32.1.13.0/24': { asn: 'AS64496' }, '198.51.100.0/24': { asn: 'AS64497' } }, { ipVersion: 4 }),
    });
    expect(name(parseNetwork('2001:db8::1') ?? NO_NETWORK).prefix).toBe('2001:db8::/32');
    expect(name(ADDRESS).prefix).toBe('AS64497');
  });

  test('tells a country without a file of systems, and a system without one of countries', async () => {
    expect((await namer({ country: COUNTRY }))(ADDRESS).prefix).toBe('198.51.0.0/16 DE');
    expect((await namer({ asn: ASN }))(ADDRESS).prefix).toBe('AS64496');
  });

  test('stays with the prefix where a file of another kind was given, or where the data of an address are damaged', async () => {
    expect((await namer({ asn: COUNTRY, country: ASN }))(ADDRESS)).toBe(ADDRESS);
    const damaged = Buffer.from(ASN);
    // A pointer to a place far behind the end, where the first network's data begin.
    damaged.fill(0x3f, damaged.indexOf('autonomous_system_number') - 2, damaged.indexOf('autonomous_system_number') + 6);
    expect((await namer({ asn: damaged }))(ADDRESS)).toBe(ADDRESS);
  });

  test.each([
    ['not there', null],
    ['empty', Buffer.alloc(0)],
    ['no database', Buffer.from('no database')],
    ['cut off at the end', ASN.subarray(0, -60)],
    ['cut off in its tree', ASN.subarray(0, 100)],
    ['without its begin', ASN.subarray(-200)],
    ['packed', gzipSync(ASN)],
  ])('refuses a file that is %s, by the name of the setting and of the file', async (_what, bytes) => {
    for (const setting of ['asn_database', 'country_database'] as const) {
      const opening = withFile(bytes, async (path) => {
        await expect(openNetworks({ [setting]: path })).rejects.toThrow(`networks.${setting}: ${path} is no MMDB file that can be read`);
        await expect(openNetworks({ [setting]: path })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      });
      await opening;
    }
  });

  async function namer({ asn, country }: { readonly asn?: Buffer; readonly country?: Buffer }): Promise<NetworkNamer> {
    return await withFile(asn ?? null, async (asnPath) =>
      withFile(country ?? null, async (countryPath) => {
        const config = { ...(asn && { asn_database: asnPath }), ...(country && { country_database: countryPath }) };
        return (await openNetworks(config)) as NetworkNamer;
      }),
    );
  }

  /** @param bytes null = there is no file */
  async function withFile<T>(bytes: Buffer | null, work: (path: string) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'kmswatch-networks-'));
    try {
      if (bytes) writeFileSync(join(folder, 'some.mmdb'), bytes);
      return await work(join(folder, 'some.mmdb'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
