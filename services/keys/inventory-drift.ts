/** Where answers of the KMS API differ from what events add up to: events were missed, or are still on their way. */
import { createHash } from 'node:crypto';
import { MINUTE } from '../core/clock.ts';
import type { Drift, DriftFact, DriftSide, InventoryFact, InventoryFacts } from '../core/inventory.ts';
import type { Fact, KeyFacts } from '../core/key.ts';
import { sameValue } from './inventory.ts';

export interface Compared {
  readonly account: string;
  /** What the events before the answers add up to. */
  readonly events: KeyFacts;
  readonly inventory: InventoryFacts;
  /** Moment of the reading; older answers, which a refusal left standing, are not compared. */
  readonly asOf: number;
  /** Names of aliases that point to the key, by events and as listed, of those that events tell of at all; null = not listed. */
  readonly aliases: { readonly events: readonly string[]; readonly listed: readonly string[]; readonly asOf: number } | null;
  /** Time of the first event of the key's account and Region; null = there is none: then nobody can miss any. */
  readonly watchedSince: number | null;
}

/** Rotations later than this than the latest that events tell of are others. */
const SAME_ROTATION_MS = 60 * MINUTE;

/** At most one difference a fact. What events do not speak of is no difference: they may lie before the first of them. */
export function driftOf(compared: Compared): Drift[] {
  const drifts = [enabled, deletion, rotation, policy, alias, material, creation].map((compare) => compare(compared));
  return drifts.filter((drift) => drift !== null);
}

type Fresh<T> = InventoryFact<T> | undefined;

function fresh<T>(fact: Fresh<T>, asOf: number): Fresh<T> {
  return fact !== undefined && fact.asOf >= asOf ? fact : undefined;
}

function enabled({ events, inventory, asOf }: Compared): Drift | null {
  const answer = fresh(inventory.enabled, asOf);
  if (events.enabled === undefined || answer === undefined || events.enabled.value === answer.value) return null;
  return drift('enabled', of(events.enabled, events.enabled.value), of(answer, answer.value));
}

function deletion({ events, inventory, asOf, account }: Compared): Drift | null {
  const gone = fresh(inventory.deleted, asOf);
  const answer = fresh(inventory.deletion, asOf);
  const told = events.deleted ?? events.deletion;
  const telling = events.deleted ? 'deleted' : pending(events.deletion?.value ?? null);
  // Of a key that events tell nothing of, they need not tell the end.
  if (gone) return events.deleted || Object.keys(events).length === 0 ? null : drift('deletion', of(told, telling), of(gone, 'deleted'));
  if (answer === undefined) return null;
  const isSame = !events.deleted && sameValue('deletion', { a: events.deletion?.value ?? null, b: answer.value, account });
  // A key that events tell nothing of may have been scheduled before the first of them.
  const isKnown = events.deleted !== undefined || events.deletion !== undefined || events.created !== undefined;
  return isSame || !isKnown ? null : drift('deletion', of(told, telling), of(answer, pending(answer.value)));
}

function pending(value: { readonly date: number | null; readonly waitsForReplicas: boolean } | null): string {
  if (value === null) return 'none';
  return value.date === null || value.waitsForReplicas
    ? 'pending, waits for replicas'
    : `pending until ${new Date(value.date).toISOString()}`;
}

function rotation({ events, inventory, asOf }: Compared): Drift | null {
  // Of a replica its primary's events tell, in another Region; of AWS's own keys nobody's.
  if (inventory.multiRegionKeyType?.value === 'REPLICA' || inventory.manager?.value === 'AWS') return null;
  const [told, answer] = [events.rotationEnabled, fresh(inventory.rotationEnabled, asOf)];
  if (told !== undefined && answer !== undefined && told.value !== answer.value)
    return drift('rotation', of(told, told.value ? 'on' : 'off'), of(answer, answer.value ? 'on' : 'off'));
  const [period, days] = [events.rotationPeriodDays, fresh(inventory.rotationPeriodDays, asOf)];
  if (period !== undefined && days !== undefined && told?.value === true && period.value !== days.value)
    return drift('rotation', of(period, `every ${period.value} days`), of(days, `every ${days.value} days`));
  const [last, latest] = [events.lastRotated, inventory.lastRotated];
  if (last === undefined || latest === undefined || latest.value - last.value <= SAME_ROTATION_MS) return null;
  return drift('rotation', of(last, rotated(last.value)), of(latest, rotated(latest.value)));
}

function rotated(at: number): string {
  return `rotated on ${new Date(at).toISOString()}`;
}

function policy({ events, inventory, asOf, account }: Compared): Drift | null {
  const [told, answer] = [events.policy, fresh(inventory.policy, asOf)];
  const isOmitted = events.policyOmitted?.value === true && events.policyOmitted.at >= (told?.at ?? 0);
  if (told === undefined || answer === undefined || isOmitted) return null;
  if (sameValue('policy', { a: told.value, b: answer.value, account })) return null;
  return drift('policy', of(told, fingerprint(told.value)), of(answer, fingerprint(answer.value)));
}

/** A policy itself is long, and is among the key's facts. */
function fingerprint(text: string | null): string {
  if (text === null) return 'the default policy';
  return `policy of ${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

function alias({ aliases }: Compared): Drift | null {
  if (aliases === null) return null;
  const [told, listed] = [aliases.events.toSorted(), aliases.listed.toSorted()];
  return told.join('\n') === listed.join('\n')
    ? null
    : drift('alias', { value: told, asOf: null, origin: null }, { value: listed, asOf: aliases.asOf, origin: null });
}

function material({ events, inventory, asOf, account }: Compared): Drift | null {
  const [told, answer] = [events.material, fresh(inventory.material, asOf)];
  if (told === undefined || answer === undefined || sameValue('material', { a: told.value, b: answer.value, account })) return null;
  return drift('material', of(told, imported(told.value)), of(answer, imported(answer.value)));
}

function imported(value: { readonly validTo: number | null } | null): string {
  if (value === null) return 'absent';
  return value.validTo === null ? 'present, does not expire' : `present until ${new Date(value.validTo).toISOString()}`;
}

/** A key that is younger than the first event, and of whose making none tells. KMS makes its own keys without a call of anybody. */
function creation({ events, inventory, watchedSince, asOf }: Compared): Drift | null {
  const made = fresh(inventory.created, asOf);
  if (made === undefined || watchedSince === null || events.created !== undefined || inventory.manager?.value === 'AWS') return null;
  if (made.value <= watchedSince) return null;
  return drift('creation', { value: null, asOf: null, origin: null }, of(made, `made on ${new Date(made.value).toISOString()}`));
}

function of(fact: Fact<unknown> | InventoryFact<unknown> | undefined, value: DriftSide['value']): DriftSide {
  if (fact === undefined) return { value, asOf: null, origin: null };
  return { value, asOf: 'asOf' in fact ? fact.asOf : fact.at, origin: fact.origin };
}

function drift(fact: DriftFact, events: DriftSide, inventory: DriftSide): Drift {
  return { fact, events, inventory };
}
