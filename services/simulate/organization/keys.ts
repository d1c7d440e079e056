import { DAY, HOUR } from '../../core/clock.ts';
import { workMoment } from '../instants.ts';
import type { KeyPlan } from '../keyring.ts';
import { Random } from '../random.ts';
import type { SimKey, Trouble, World } from '../world.ts';
import type { AccountPlan } from './accounts.ts';
import type { OrgKey, Purpose } from './contract.ts';
import { contextOf, workloadsFor } from './purposes.ts';

/** A key of the organization; what stories do to those who use it is added to `troubles` when they are planned. */
export interface LivingKey extends OrgKey {
  readonly key: SimKey & { readonly troubles: Trouble[] };
  /** Days between automatic rotations; null where it does not rotate. */
  readonly rotationDays: number | null;
  /** Policy that it was created with. */
  readonly policy: string;
}

export interface KeyWish {
  readonly account: AccountPlan;
  readonly purpose: Purpose;
  /** Unique in the account. */
  readonly noun: string;
  readonly nat: string;
  /** Default: in the past, at a working hour. Epoch milliseconds. */
  readonly createdAt?: number;
}

/** Policies are the caller's to choose; it is shown the key's account and those who use it. */
export function livingKey(world: World, wish: KeyWish, policy: (key: SimKey, roles: readonly string[]) => string): LivingKey {
  const { account, purpose, noun } = wish;
  const random = new Random(`${world.seed}/key/${account.id}/${noun}`);
  const region = random.chance(0.85) ? (account.regions[0] ?? 'us-east-1') : random.pick(account.regions);
  const place = { account, region, noun, nat: wish.nat };
  const [id, ageDays] = [random.uuid(), random.int(45, 1_200)];
  const clock = { hour: random.int(9, 16), minute: random.int(0, 59), offset: random.pick([-6, 0, 1, 5.5]) };
  const createdAt = wish.createdAt ?? workMoment(world.start, ageDays, clock);
  const rotates = purpose !== 'signing' && purpose !== 'imported' && !random.chance(0.01);
  const rotationDays = rotates ? random.pick([365, 365, 365, 365, 180, 90]) : null;
  const key = {
    plan: keyPlan(purpose, { account, region, noun, rotationDays, ageDays: Math.round((world.end - createdAt) / DAY) }),
    name: `${account.name}/${noun}`,
    account: account.id,
    region,
    id,
    arn: `arn:aws:kms:${region}:${account.id}:key/${id}`,
    alias: `alias/${account.name}/${noun}`,
    createdAt,
    materials: materialsOf(random, { createdAt, end: world.end, rotationDays }),
    troubles: [],
  } satisfies SimKey;
  const workloads = workloadsFor(world, purpose, place);
  return {
    key,
    purpose,
    workloads,
    rotationDays,
    policy: policy(
      key,
      workloads.map(({ role }) => role),
    ),
    context: contextOf(world, purpose, place),
  };
}

function keyPlan(
  purpose: Purpose,
  about: { account: AccountPlan; region: string; noun: string; rotationDays: number | null; ageDays: number },
): KeyPlan {
  const { account, region, noun, rotationDays, ageDays } = about;
  return {
    name: `${account.name}/${noun}`,
    account: account.stage,
    region,
    purpose: `${noun} of ${account.name}`,
    ageDays,
    rotationDays,
    ...(purpose === 'signing' ? { spec: 'RSA_3072', usage: 'SIGN_VERIFY' as const } : {}),
    ...(purpose === 'imported' ? { origin: 'EXTERNAL' as const } : {}),
  };
}

/** AWS rotates a few hours after each full period. */
function materialsOf(random: Random, life: { createdAt: number; end: number; rotationDays: number | null }): SimKey['materials'] {
  const materials: { at: number; id: string; cause: 'created' | 'automatic' }[] = [
    { at: life.createdAt, id: random.hex(64), cause: 'created' },
  ];
  if (life.rotationDays === null) return materials;
  const period = life.rotationDays * DAY;
  for (let at = life.createdAt + period + 5 * HOUR; at < life.end; at += period)
    materials.push({ at, id: random.hex(64), cause: 'automatic' });
  return materials;
}
