import { DAY } from '../../core/clock.ts';
import { roleCaller } from '../callers.ts';
import { plotOf } from '../plot.ts';
import { accountPolicy, partnerPolicy, rolePolicy } from '../policies.ts';
import { Random } from '../random.ts';
import { pipelineOf } from '../staff.ts';
import type { SimKey, World } from '../world.ts';
import type { AccountPlan } from './accounts.ts';
import { accountId, planAccounts, REGIONS } from './accounts.ts';
import type { OrgAccount, OrgPerson, SimOrganization } from './contract.ts';
import type { LivingKey } from './keys.ts';
import { livingKey } from './keys.ts';
import { personOf, planPeople } from './people.ts';
import { DECK, NOUNS } from './purposes.ts';
import { trailKey } from './trail-key.ts';

export interface OrganizationSize {
  readonly seed: string | number;
  /** Epoch milliseconds: nothing is later. */
  readonly end: number;
  readonly days: number;
  /** With the security account. */
  readonly accounts: number;
  /** Over all accounts; every one has at least one. */
  readonly keys: number;
}

/** An account with all that the simulation knows of it. */
export interface Household extends OrgAccount {
  readonly plan: AccountPlan;
  readonly keys: readonly LivingKey[];
  /** Address that its instances show to the world. */
  readonly nat: string;
}

/** The organization as the simulation knows it: playbooks see less of it. */
export interface Estate extends SimOrganization {
  readonly accounts: readonly Household[];
  readonly security: Household;
  readonly people: readonly OrgPerson[];
}

const TRAIL = 'larkspur-org';

/**
 * Everything of an organization that stands still: accounts (one for security, with trail, log bucket and their key),
 * keys, workloads, people. The same options give the same organization.
 * @throws RangeError for fewer than two accounts, or fewer keys than accounts
 */
export function buildOrganization(options: OrganizationSize): Estate {
  const { days, accounts: count, keys: keyCount } = options;
  if (![days, count, keyCount].every(Number.isInteger) || days < 1 || count < 2 || keyCount < count)
    throw new RangeError('an organization needs whole days, at least two accounts, and a key for each');
  const seed = `${options.seed}/organization`;
  const end = Math.floor(options.end / 1000) * 1000;
  const keysByName = new Map<string, SimKey>();
  const world = worldOf({ seed, start: end - days * DAY, end }, keysByName);
  const random = new Random(seed);
  const plans = planAccounts(random, count);
  const trusted = trustedAccounts(random, plans);
  const people = planPeople(random, plans).map((plan) => personOf(world, plan));
  const accounts = plans.map((plan, at) => {
    const keys = keysOf(world, plan, { plans, trusted, count: Math.floor(keyCount / count) + (at < keyCount % count ? 1 : 0) });
    for (const { key } of keys) keysByName.set(key.name, key);
    return householdOf(world, plan, { keys, people: people.filter((person) => person.accounts.includes(plan.id)) });
  });
  const [security] = accounts;
  const [logKey] = security?.keys ?? [];
  if (!security || !logKey) throw new RangeError('an organization needs a security account with a key');
  // The name under which the trail's creation asks for its key.
  keysByName.set('sec-cloudtrail', logKey.key);
  return {
    seed,
    start: world.start,
    end,
    organizationId: `o-${world.stableHex(12, 'organization')}`,
    accounts,
    security,
    people,
    trail: { arn: `arn:aws:cloudtrail:us-east-1:${security.id}:trail/${TRAIL}`, name: TRAIL, bucket: `${TRAIL}-trail` },
    monitorQueue: `arn:aws:sqs:us-east-1:${security.id}:kmswatch-cloudtrail`,
    allowedRegions: REGIONS,
    changeWindow: { weekdays: ['tue'], from: '13:00', to: '16:00' },
    trusted,
    world,
  };
}

function worldOf(life: { seed: string; start: number; end: number }, keys: ReadonlyMap<string, SimKey>): World {
  const { seed } = life;
  return {
    ...life,
    scale: 1,
    plot: plotOf(life.end),
    keys: [],
    key: (name) => {
      const key = keys.get(name);
      if (!key) throw new RangeError(`the simulated organization has no key ${name}`);
      return key;
    },
    stableId: (prefix, label) => prefix + new Random(`${seed}/id/${label}`).text(17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'),
    stableHex: (digits, label) => new Random(`${seed}/hex/${label}`).hex(digits),
  };
}

function trustedAccounts(random: Random, plans: readonly AccountPlan[]): string[] {
  const taken = new Set(plans.map(({ id }) => id));
  return [accountId(random, taken), accountId(random, taken)];
}

/** Accounts begin the deck of purposes at different cards, so that small organizations have all of them as well. */
function keysOf(
  world: World,
  account: AccountPlan,
  { plans, trusted, count }: { plans: readonly AccountPlan[]; trusted: readonly string[]; count: number },
): LivingKey[] {
  const random = new Random(`${world.seed}/keys/${account.id}`);
  const first = plans.indexOf(account) * 5;
  const nouns = new Map<string, number>();
  const keys = account.stage === 'security' ? [trailKey(world, account, plans)] : [];
  for (let at = keys.length; at < count; at += 1) {
    // The first cards are what every account has; the rest of the deck is spread over the accounts.
    const purpose = DECK[at < 3 && count > 6 ? at : (first + at) % DECK.length] ?? 's3';
    const word = random.pick(NOUNS[purpose]);
    const again = (nouns.get(word) ?? 0) + 1;
    nouns.set(word, again);
    const wish = { account, purpose, noun: again === 1 ? word : `${word}-${again}`, nat: natOf(world, account.id) };
    const partner = account.stage === 'data' && word === 'exports' ? random.pick(trusted) : null;
    keys.push(
      livingKey(world, wish, (key, roles) => (partner === null ? policyOf(random, key, roles) : partnerPolicy(key.account, partner))),
    );
  }
  return keys;
}

/** Half of the keys leave it to IAM who may use them, the others name a role. */
export function policyOf(random: Random, key: SimKey, roles: readonly string[]): string {
  const [role] = roles;
  return role === undefined || random.chance(0.5) ? accountPolicy(key.account) : rolePolicy(key.account, role);
}

export function natOf(world: World, account: string): string {
  return `198.51.100.${100 + (Number.parseInt(world.stableHex(4, `nat/${account}`), 16) % 150)}`;
}

function householdOf(world: World, plan: AccountPlan, has: Pick<Household, 'keys' | 'people'>): Household {
  return {
    id: plan.id,
    name: plan.name,
    regions: plan.regions,
    plan,
    nat: natOf(world, plan.id),
    ...has,
    pipeline: (time) => pipelineOf(world, plan.id, time),
    breakGlass: (time) =>
      roleCaller(
        world,
        { account: plan.id, name: 'break-glass' },
        { session: 'emergency', since: time - 60_000, from: '203.0.113.14', agent: 'aws-cli/2.22.26', mfa: true },
      ),
  };
}
