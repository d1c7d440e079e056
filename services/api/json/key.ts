import type { Fact, KeyFacts } from '../../core/key.ts';
import type { JsonObject } from '../../core/json.ts';
import { rotationOf } from '../../keys/rotation.ts';
import { stateOf } from '../../keys/state.ts';
import { iso } from '../text/words.ts';
import type { KeyListed } from '../../store/read/keys.ts';

/** A key as `kmswatch keys --json` and the API show it; null where the records do not say. */
export function keyJson(key: KeyListed): JsonObject {
  const { facts, aliases } = key;
  const rotation = rotationOf(facts, aliases);
  return {
    arn: key.arn,
    account: key.account,
    region: key.region,
    state: stateOf(facts),
    manager: managerOf(facts, aliases),
    origin: facts.origin?.value ?? null,
    key_spec: facts.keySpec?.value ?? null,
    multi_region: facts.multiRegion?.value ?? null,
    rotation: {
      eligible: rotation.eligible,
      reason: rotation.reason,
      enabled: facts.rotationEnabled?.value ?? null,
      period_days: facts.rotationPeriodDays?.value ?? null,
      last_rotated_at: iso(facts.lastRotated?.value),
    },
    deletion_date: iso(facts.deleted ? null : facts.deletion?.value?.date),
    aliases: [...aliases],
    last_used_at: iso(key.lastUsedAt),
  };
}

/** `alias/aws/…` is kept for keys that AWS manages: https://docs.aws.amazon.com/kms/latest/developerguide/alias-about.html */
export function managerOf(facts: KeyFacts, aliases: readonly string[]): string | null {
  return facts.manager?.value ?? (aliases.some((alias) => alias.startsWith('alias/aws/')) ? 'AWS' : null);
}

export interface NamedFact {
  /** As in `KeyFacts`; tags as `tags.NAME`. */
  readonly name: string;
  readonly fact: Fact<unknown>;
}

/** Every fact that is known of a key, in the order of the type; tags last. */
export function factsInOrder(facts: KeyFacts): NamedFact[] {
  const { tags = {}, ...registers } = facts;
  const named = Object.entries(registers).flatMap(([name, fact]) => (fact === undefined ? [] : [{ name, fact }]));
  return [...named, ...Object.entries(tags).map(([name, fact]) => ({ name: `tags.${name}`, fact }))];
}
