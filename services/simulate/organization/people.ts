import { DAY, HOUR } from '../../core/clock.ts';
import { Random } from '../random.ts';
import { centralSession } from '../staff.ts';
import type { World } from '../world.ts';
import type { AccountPlan } from './accounts.ts';
import type { OrgPerson } from './contract.ts';

/** Where people work, with the address that the office's network shows. Addresses are from ranges set aside for documentation. */
const OFFICES = [
  { offset: -6, address: '198.51.100.23', providers: [0x11, 0x12, 0x13] },
  { offset: 0, address: '203.0.113.160', providers: [0x21, 0x22] },
  { offset: 1, address: '203.0.113.14', providers: [0x31, 0x32, 0x33] },
  { offset: 5.5, address: '192.0.2.77', providers: [0x41, 0x42] },
] as const;

const FIRST = [
  'ana',
  'ben',
  'chandra',
  'dara',
  'emil',
  'fatima',
  'goran',
  'hana',
  'ivo',
  'jia',
  'karim',
  'lena',
  'milo',
  'nadia',
  'omar',
  'pia',
];
const LAST = ['abbott', 'brandt', 'costa', 'desai', 'eriksen', 'ferraro', 'grant', 'horvat', 'iyer', 'jensen', 'kaya', 'lopes', 'mehta'];

export interface PersonPlan {
  readonly mail: string;
  readonly permissions: OrgPerson['permissions'];
  readonly accounts: readonly string[];
}

/** Platform admins and auditors see many accounts, developers their team's, data engineers the data accounts. */
export function planPeople(random: Random, accounts: readonly AccountPlan[]): PersonPlan[] {
  const teams = Map.groupBy(accounts.slice(1), ({ team }) => team);
  const security = accounts[0]?.id ?? '';
  const all = accounts.map(({ id }) => id);
  const found: PersonPlan[] = [];
  const hire = (permissions: OrgPerson['permissions'], works: readonly string[]): void => {
    found.push({ mail: mailOf(found.length), permissions, accounts: works });
  };
  const admins = Math.max(2, Math.ceil(accounts.length / 8));
  for (let at = 0; at < admins; at += 1)
    hire('PlatformAdmin', [security, ...all.slice(1).filter((_, index) => index % admins === at || random.chance(0.12))]);
  for (let at = 0; at < Math.ceil(admins / 2); at += 1) hire('SecurityAudit', all);
  for (const team of teams.values()) {
    const ids = team.map(({ id }) => id);
    const data = team.filter(({ stage }) => stage === 'data').map(({ id }) => id);
    for (let at = 0; at < random.int(3, 5); at += 1) hire('Developer', random.chance(0.7) ? ids : ids.slice(0, 2));
    if (data.length > 0) for (let at = 0; at < random.int(1, 3); at += 1) hire('DataEngineer', data);
  }
  return found;
}

export function mailOf(number: number): string {
  const [first, last] = [FIRST[number % FIRST.length], LAST[number % LAST.length]];
  const again = Math.floor(number / (FIRST.length * LAST.length));
  return `${first}.${last}${again === 0 ? '' : again + 1}@larkspur.example`;
}

/** Most come through the office's network or its VPN; some are at home for one or two days a week, on their provider's network. */
export function personOf(world: World, plan: PersonPlan): OrgPerson {
  const random = new Random(`${world.seed}/person/${plan.mail}`);
  const office = random.pick(OFFICES);
  const home = `3fff:${random.pick(office.providers).toString(16)}:${random.hex(4)}::${random.hex(3)}`;
  const homeDays = random.chance(0.35) ? [random.int(1, 5), random.int(1, 5)] : [];
  return {
    mail: plan.mail,
    permissions: plan.permissions,
    offset: office.offset,
    accounts: plan.accounts,
    caller: (account, time, tool) => {
      const weekday = Math.floor((time + office.offset * HOUR) / DAY + 4) % 7;
      const address = homeDays.includes(weekday) ? home : office.address;
      const suffix = world.stableHex(16, `${account}/${plan.permissions}`);
      return centralSession(world, { ...plan, address }, { account, suffix, time, tool });
    },
  };
}
