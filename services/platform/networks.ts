/**
 * Which network an address belongs to, out of MMDB files that the user may supply: the autonomous system and the country. Without
 * files, networks stay what normalizing made of them: /16 of IPv4, /32 of IPv6, `private`, or the name of an AWS service.
 *
 * Asked once for each event before it is stored, so that what is stored does not change when a file does; answers are cached.
 */
import { stat } from 'node:fs/promises';
import { type AsnResponse, type CountryResponse, open, type Response } from 'maxmind';
import { z } from 'zod';
import { KmswatchError } from '../core/errors.ts';
import type { Network } from '../core/event.ts';

export const networksSchema = z
  .strictObject({
    asn_database: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          'MMDB file that gives the autonomous system of an address, such as GeoLite2-ASN or the free ones of IPinfo, DB-IP and IPLocate.',
        examples: ['/var/lib/kmswatch/asn.mmdb'],
      }),
    country_database: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'MMDB file that gives the country of an address.', examples: ['/var/lib/kmswatch/country.mmdb'] }),
  })
  .prefault({})
  .meta({
    description:
      'How networks are told apart by baselines: by autonomous system and country with files, by address prefix without. See docs/baselines.md.',
  });

export type NetworksConfig = z.output<typeof networksSchema>;

/** The network as it is to be stored. */
export type NetworkNamer = (network: Network) => Network;

const CACHE_LIMIT = 50_000;

/**
 * @returns null when no file is configured
 * @throws KmswatchError CONFIG_INVALID when a file is not there or no MMDB
 */
export async function openNetworks(config: NetworksConfig): Promise<NetworkNamer | null> {
  const asn = await opened<AsnResponse>(config.asn_database, 'networks.asn_database');
  const country = await opened<CountryResponse>(config.country_database, 'networks.country_database');
  return asn === null && country === null ? null : networkNamer({ asn, country });
}

async function opened<T extends Response>(path: string | undefined, setting: string): Promise<Database | null> {
  if (path === undefined) return null;
  try {
    const reader = await open<T>(path, { cache: { max: 10_000 } });
    const { ipVersion, searchTreeSize } = reader.metadata;
    if (ipVersion !== 4 && ipVersion !== 6) throw new Error(`it says that it is of IP version ${String(ipVersion)}`);
    if (!(searchTreeSize > 0 && searchTreeSize < (await stat(path)).size)) throw new Error('it is shorter than it says');
    return ipVersion === 4 ? onlyV4(reader) : reader;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KmswatchError('CONFIG_INVALID', `${setting}: ${path} is no MMDB file that can be read: ${reason}`, { cause: error });
  }
}

/** The library takes the first bits of an IPv6 address for an IPv4 address there, and gives the wrong answer. */
function onlyV4(reader: Database): Database {
  return { get: (address) => (address.includes(':') ? null : reader.get(address)) };
}

/** What a damaged place of a file tells is not known: a network that cannot be named must not keep records from being stored. */
function lookUp(database: Database | null, address: string): unknown {
  try {
    return database?.get(address);
  } catch {
    return null;
  }
}

interface Database {
  get(address: string): unknown;
}

export interface Databases {
  readonly asn: Database | null;
  readonly country: Database | null;
}

/** `AS64496 DE`, `AS64496`, `1.2.0.0/16 DE`: whatever is known. Private addresses and AWS services keep their names. */
export function networkNamer({ asn, country }: Databases): NetworkNamer {
  let names = new Map<string, string>();
  return (network) => {
    const { kind, address, prefix } = network;
    if (kind !== 'ip' || address === null || prefix === null || prefix === 'private') return network;
    let name = names.get(address);
    if (name === undefined) {
      const system = systemOf(lookUp(asn, plainAddress(address)));
      const code = countryOf(lookUp(country, plainAddress(address)));
      name = [system ?? prefix, code].filter((part) => part !== null).join(' ');
      if (names.size >= CACHE_LIMIT) names = new Map();
      names.set(address, name);
    }
    return name === prefix ? network : { kind, address, prefix: name };
  };
}

/** IPv4 in IPv6 notation is looked up as IPv4. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** GeoLite2 and DB-IP: `autonomous_system_number`; IPinfo: `asn`, `AS64496`. */
function systemOf(found: unknown): string | null {
  const { autonomous_system_number: number, asn } = (found ?? {}) as { autonomous_system_number?: unknown; asn?: unknown };
  if (typeof number === 'number' && Number.isInteger(number)) return `AS${number}`;
  const digits = typeof asn === 'string' ? /^(?:AS)?(\d{1,10})$/.exec(asn)?.[1] : undefined;
  return digits === undefined ? null : `AS${digits}`;
}

/** GeoLite2 and DB-IP: `country.iso_code`; IPinfo and IPLocate: `country_code` or `country`. */
function countryOf(found: unknown): string | null {
  const { country, country_code: code } = (found ?? {}) as { country?: unknown; country_code?: unknown };
  const nested = typeof country === 'object' && country !== null ? (country as { iso_code?: unknown }).iso_code : country;
  return [code, nested].find((text): text is string => typeof text === 'string' && /^[A-Z]{2}$/.test(text)) ?? null;
}
