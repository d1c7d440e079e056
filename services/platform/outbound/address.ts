/**
 * Which addresses a request to a configured URL may go to. Public means: globally reachable by IANA's registries
 * (https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry).
 */
import { BlockList, isIP } from 'node:net';

export type AddressKind = 'public' | 'private' | 'forbidden';

/** Reachable within a machine, a site or a provider only. */
const PRIVATE_V4 = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15'];
const PRIVATE_V6 = ['::1/128', 'fc00::/7', 'fe80::/10'];

/** No receiver of notifications is here, whatever the configuration says: nobody's, everybody's, and the credentials of clouds. */
const FORBIDDEN_V4 = [
  '0.0.0.0/8',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
const FORBIDDEN_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', 'fd00:ec2::254/128', 'fd00:ec2::23/128', 'fd20:ce::254/128'];
/** Unicast that is routed (RFC 4291), and the prefix behind which NAT64 keeps IPv4 (RFC 6052); everything else of IPv6 is forbidden. */
const GLOBAL_V6 = ['2000::/3', '64:ff9b::/96'];

export type Classify = (address: string) => AddressKind;

/** @returns what tells of an IP address, in any spelling, which kind it is; text that is none is forbidden */
export function addressKinds(): Classify {
  const privates = blockList([...PRIVATE_V4, ...PRIVATE_V6, ...PRIVATE_V4.map(behindNat64)]);
  const forbidden = blockList([...FORBIDDEN_V4, ...FORBIDDEN_V6, ...FORBIDDEN_V4.map(behindNat64)]);
  const global = blockList(GLOBAL_V6);
  return (address) => {
    const version = isIP(address);
    if (version === 0) return 'forbidden';
    const family = version === 4 ? 'ipv4' : 'ipv6';
    // Before all else, since `check` looks at an IPv4 address in IPv6's clothes (::ffff:10.0.0.1) as at the IPv4 address.
    if (forbidden.check(address, family)) return 'forbidden';
    if (privates.check(address, family)) return 'private';
    return version === 4 || global.check(address, family) ? 'public' : 'forbidden';
  };
}

function behindNat64(subnet: string): string {
  const [net = '', bits] = subnet.split('/');
  return `64:ff9b::${net}/${96 + Number(bits)}`;
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', bits] = subnet.split('/');
    list.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
