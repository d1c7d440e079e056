import { ACCOUNTS, PARTNER_ACCOUNT, type AccountName } from '../keyring.ts';
import type { Random } from '../random.ts';

/** An account as planned: whose it is, for what, and where its keys lie. */
export interface AccountPlan {
  readonly id: string;
  /** `payments-prod` */
  readonly name: string;
  readonly team: string;
  readonly stage: AccountName;
  /** The first is where most of it lies. */
  readonly regions: readonly string[];
}

export const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1', 'us-west-2'] as const;

const TEAMS = [
  'payments',
  'orders',
  'catalog',
  'search',
  'customers',
  'shipping',
  'identity',
  'media',
  'pricing',
  'warehouse',
  'loyalty',
  'returns',
  'billing',
  'mobile',
  'stores',
  'fraud',
  'mailing',
] as const;
/** Every third team works with data rather than on a staging system. */
const STAGES = ['prod', 'staging', 'data'] as const satisfies readonly AccountName[];

/** The security account first, then teams with an account for each stage. */
export function planAccounts(random: Random, count: number): AccountPlan[] {
  const taken = new Set<string>([...Object.values(ACCOUNTS), PARTNER_ACCOUNT]);
  return Array.from({ length: count }, (_, at) => {
    const id = accountId(random, taken);
    if (at === 0) return { id, name: 'security', team: 'security', stage: 'security', regions: ['us-east-1'] };
    const turn = Math.floor((at - 1) / STAGES.length);
    const stage = STAGES[(at - 1) % STAGES.length] ?? 'prod';
    const round = Math.floor(turn / TEAMS.length);
    const team = `${TEAMS[turn % TEAMS.length]}${round === 0 ? '' : round + 1}`;
    const home = random.chance(0.6) ? 'us-east-1' : random.pick(REGIONS.slice(1, 3));
    const second = random.pick(REGIONS.filter((region) => region !== home));
    return { id, name: `${team}-${stage}`, team, stage, regions: stage === 'prod' && random.chance(0.6) ? [home, second] : [home] };
  });
}

/** Ids that are nobody's in the simulation yet. */
export function accountId(random: Random, taken: Set<string>): string {
  for (;;) {
    const id = `${random.int(3, 9)}${random.text(11, '0123456789')}`;
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
}
