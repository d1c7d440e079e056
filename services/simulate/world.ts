import { DAY, HOUR } from '../core/clock.ts';
import type { AccountName, KeyPlan } from './keyring.ts';
import { ACCOUNTS, KEY_PLANS } from './keyring.ts';
import type { Plot } from './plot.ts';
import { plotOf } from './plot.ts';
import { Random } from './random.ts';

/** A stretch of time in which use of a key fails (`code`), or does not happen at all (`code` null). */
export interface Trouble {
  readonly from: number;
  readonly to: number;
  readonly code: string | null;
  readonly message: string;
}

/** A key of the simulated company. */
export interface SimKey {
  readonly plan: KeyPlan;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly id: string;
  readonly arn: string;
  /** `alias/…`; null where it has none. */
  readonly alias: string | null;
  readonly createdAt: number;
  /** Key material by the moment from which it is current; ascending, the first one from creation. */
  readonly materials: readonly { readonly at: number; readonly id: string; readonly cause: 'created' | 'automatic' | 'on-demand' }[];
  readonly troubles: readonly Trouble[];
}

/** Everything that stands still while the month goes by. */
export interface World {
  readonly seed: string;
  readonly start: number;
  readonly end: number;
  /** Multiplies how much the keys are used; stories stay single. */
  readonly scale: number;
  readonly plot: Plot;
  readonly keys: readonly SimKey[];
  /** @throws RangeError for a name that is not in the keyring */
  key(name: string): SimKey;
  /** An id that stays the same for the same label: `AROA…`, `i-…`. */
  stableId(prefix: string, label: string): string;
  /** Hex digits that stay the same for the same label. */
  stableHex(digits: number, label: string): string;
}

export interface WorldOptions {
  readonly seed: string | number;
  /** Epoch milliseconds. */
  readonly end: number;
  readonly days: number;
  readonly scale: number;
}

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function buildWorld({ seed: given, end, days, scale }: WorldOptions): World {
  const seed = String(given);
  const plot = plotOf(end);
  const keys = KEY_PLANS.map((plan) => keyOf(plan, { seed, end, plot }));
  const byName = new Map(keys.map((key) => [key.name, key]));
  return {
    seed,
    start: end - days * DAY,
    end,
    scale,
    plot,
    keys,
    key: (name) => {
      const key = byName.get(name);
      if (!key) throw new RangeError(`the simulated company has no key ${name}`);
      return key;
    },
    stableId: (prefix, label) => prefix + new Random(`${seed}/id/${label}`).text(17, ID_ALPHABET),
    stableHex: (digits, label) => new Random(`${seed}/hex/${label}`).hex(digits),
  };
}

function keyOf(plan: KeyPlan, { seed, end, plot }: { seed: string; end: number; plot: Plot }): SimKey {
  const random = new Random(`${seed}/key/${plan.primary ?? plan.name}`);
  const id = plan.multiRegion ? `mrk-${random.hex(32)}` : random.uuid();
  const account = ACCOUNTS[plan.account satisfies AccountName];
  const createdAt = birth(plan, end, plot);
  const arn = `arn:aws:kms:${plan.region}:${account}:key/${id}`;
  const alias = plan.alias === null ? null : `alias/${plan.alias ?? plan.name}`;
  const materials = lives(plan, { createdAt, end, plot }).map((life) => ({ ...life, id: random.hex(64) }));
  return {
    plan,
    name: plan.name,
    account,
    region: plan.region,
    id,
    arn,
    alias,
    createdAt,
    materials,
    troubles: troublesOf(plan, arn, plot),
  };
}

function birth(plan: KeyPlan, end: number, plot: Plot): number {
  if (plan.name === 'prod-returns') return plot.returnsKeyCreated;
  if (plan.name === 'prod-session-hmac-2') return plot.sessionKeyReplaced;
  if (plan.name === 'stg-feature-flags') return plot.featureKeyCreated;
  return Math.floor((end - plan.ageDays * DAY) / 1000) * 1000;
}

/** When a key got new material: AWS rotates a few hours after each full period. */
function lives(
  plan: KeyPlan,
  times: { createdAt: number; end: number; plot: Plot },
): { at: number; cause: 'created' | 'automatic' | 'on-demand' }[] {
  const found: { at: number; cause: 'created' | 'automatic' | 'on-demand' }[] = [{ at: times.createdAt, cause: 'created' }];
  const rotates = !plan.managed && !plan.spec && !plan.origin && plan.rotationDays !== null && !plan.rotationStuck;
  if (rotates) {
    const period = (plan.rotationDays ?? 365) * DAY;
    for (let at = times.createdAt + period + 5 * HOUR; at < times.end; at += period) found.push({ at, cause: 'automatic' });
  }
  if (plan.name === 'prod-secrets') found.push({ at: times.plot.secretsRotated + 96_000, cause: 'on-demand' });
  return found.sort((a, b) => a.at - b.at);
}

/** What the month's stories do to those who use the keys. */
function troublesOf(plan: KeyPlan, arn: string, plot: Plot): Trouble[] {
  const never = Number.POSITIVE_INFINITY;
  switch (plan.name) {
    case 'stg-scratch':
      return [{ from: plot.scratchDisabled, to: plot.scratchEnabled, code: 'DisabledException', message: `${arn} is disabled.` }];
    case 'stg-search-poc':
      return [
        { from: plot.searchScheduled, to: plot.searchDeleted, code: 'KMSInvalidStateException', message: `${arn} is pending deletion.` },
        { from: plot.searchDeleted, to: plot.searchDeleted + 2 * DAY, code: 'NotFoundException', message: `Key '${arn}' does not exist` },
        { from: plot.searchDeleted + 2 * DAY, to: never, code: null, message: '' },
      ];
    case 'stg-partner-import':
      return [
        { from: plot.partnerExpired, to: plot.partnerImported, code: 'KMSInvalidStateException', message: `${arn} is pending import.` },
      ];
    case 'data-churn-features':
      return [{ from: plot.churnScheduled, to: plot.churnCancelled + HOUR, code: null, message: '' }];
    case 'prod-loyalty':
      return [{ from: plot.loyaltyScheduled - 9 * DAY, to: never, code: null, message: '' }];
    default:
      return [];
  }
}

/** Customer keys of an account that exist at a time: created, and not deleted yet. */
export function existingKeys(world: World, place: { account: string; time: number }): SimKey[] {
  const { account, time } = place;
  return world.keys.filter((key) => {
    if (key.account !== account || key.plan.managed || key.createdAt >= time) return false;
    return !key.troubles.some((trouble) => trouble.code === 'NotFoundException' && time >= trouble.from);
  });
}
