/** Answers of the KMS API as registers of facts, and how they stand beside what events say. */
import { DAY, MINUTE } from '../core/clock.ts';
import type { InventoryFact, InventoryFacts, KeyAnswers, KeyDescription } from '../core/inventory.ts';
import type { Fact, KeyFacts, PendingDeletion } from '../core/key.ts';
import { inWrittenOrder, type Register, tagRegisters } from './merge.ts';
import { samePolicy } from './same-policy.ts';

type ValueOf<R extends Register> = NonNullable<KeyFacts[R]>['value'];

/** Two moments of one deed, as two tellers give them. */
const SAME_DEED_MS = 2 * MINUTE;
/** KMS itself may be this late in telling of a change: https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency */
export const EVENTUAL_MS = 5 * MINUTE;
/** When a deletion was asked for is not answered; the window is at most this. */
const LONGEST_WINDOW_DAYS = 30;

/** Registers that each call speaks of: its answer replaces all of them, a refusal leaves all of them. */
const OF_DESCRIBE: readonly Register[] = [
  'enabled',
  'deletion',
  'deleted',
  'material',
  'created',
  'manager',
  'origin',
  'keySpec',
  'keyUsage',
  'multiRegion',
  'multiRegionKeyType',
  'primaryKeyArn',
  'customKeyStoreId',
  'description',
  'keyMaterialId',
];

export interface Renewal {
  /** What was answered before, of this key. */
  readonly previous: InventoryFacts | null;
  /** `inventory:RUN` */
  readonly origin: string;
  readonly account: string;
}

/** The facts of a key after new answers. Where an answer is the same as before, it is known since then. */
export function inventoryFacts(answers: KeyAnswers, { previous, origin, account }: Renewal): InventoryFacts {
  const facts = new Map<Register, InventoryFact<unknown>>(registersOf(previous ?? {}));
  const says = (register: Register, value: unknown, at: number): void => {
    if (value === null && !NULL_SAYS_SOMETHING.has(register)) return;
    const before = previous?.[register];
    const isSame = before !== undefined && sameValue(register, { a: before.value, b: value, account });
    facts.set(register, isSame ? { ...before, asOf: at } : { value, at, origin, asOf: at });
  };
  const { describe, rotation, lastRotation, policy, tags } = answers;
  if (describe.kind === 'gone') says('deleted', true, describe.at);
  if (describe.kind === 'answered') {
    for (const register of OF_DESCRIBE) facts.delete(register);
    for (const [register, value] of Object.entries(described(describe.value))) says(register as Register, value, describe.at);
  }
  if (rotation?.kind === 'answered') {
    facts.delete('rotationPeriodDays');
    says('rotationEnabled', rotation.value.enabled, rotation.at);
    if (rotation.value.enabled) says('rotationPeriodDays', rotation.value.periodDays, rotation.at);
  }
  if (lastRotation?.kind === 'answered' && describe.kind === 'answered') {
    const newest = lastRotation.value ?? bornWithMaterial(describe.value);
    // Known from the moment itself on: whoever knows of a later one knows better.
    if (newest !== null) says('lastRotated', newest, newest);
  }
  if (policy?.kind === 'answered') {
    says('policy', policy.value, policy.at);
    says('policyOmitted', false, policy.at);
  }
  const written: Record<string, unknown> = { ...inWrittenOrder((register) => facts.get(register), undefined) };
  if (tags?.kind === 'answered') {
    written['tags'] = renewedTags(tags.value, { previous, origin, at: tags.at });
    written['tagsListed'] = { asOf: tags.at, origin };
  } else if (previous?.tagsListed !== undefined) {
    written['tags'] = previous.tags ?? {};
    written['tagsListed'] = previous.tagsListed;
  }
  return written;
}

const NULL_SAYS_SOMETHING: ReadonlySet<Register> = new Set(['deletion', 'material']);

function registersOf({ tags: _tags, tagsListed: _listed, ...registers }: InventoryFacts): [Register, InventoryFact<unknown>][] {
  return Object.entries(registers) as [Register, InventoryFact<unknown>][];
}

function renewedTags(
  tags: readonly (readonly [string, string])[],
  { previous, origin, at }: { readonly previous: InventoryFacts | null; readonly origin: string; readonly at: number },
): Record<string, Fact<string | null>> {
  const known = new Map(Object.entries(previous?.tags ?? {}));
  return tagRegisters(
    tags.map(([name, value]) => {
      const before = known.get(name);
      return [name, before?.value === value ? { ...before, asOf: at } : { value, at, origin, asOf: at }] as const;
    }),
  );
}

/**
 * DescribeKey as registers. What a state hides is left out: of a key that is pending deletion nothing tells whether it will be
 * enabled after that was cancelled, or whether its imported material is there.
 */
function described(key: KeyDescription): { readonly [R in Register]?: ValueOf<R> | null } {
  return {
    enabled: enabledIn(key.state),
    ...(key.state !== null && { deletion: pendingIn(key) }),
    ...(key.origin === 'EXTERNAL' && materialIn(key)),
    created: key.created,
    manager: key.manager,
    origin: key.origin,
    keySpec: key.keySpec,
    keyUsage: key.keyUsage,
    multiRegion: key.multiRegion,
    multiRegionKeyType: key.multiRegionKeyType,
    primaryKeyArn: key.primaryKeyArn,
    customKeyStoreId: key.customKeyStoreId,
    description: key.description,
    keyMaterialId: key.materialId,
  };
}

/** A key that waits for material, or is being created, becomes enabled by itself: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
function enabledIn(state: string | null): boolean | null {
  if (state === 'Disabled') return false;
  return state === 'Enabled' || state === 'PendingImport' || state === 'Creating' ? true : null;
}

function pendingIn({ state, deletionDate, pendingWindowDays }: KeyDescription): PendingDeletion | null {
  const windowDays = pendingWindowDays ?? LONGEST_WINDOW_DAYS;
  if (state === 'PendingDeletion') return { date: deletionDate, windowDays, waitsForReplicas: false };
  return state === 'PendingReplicaDeletion' ? { date: null, windowDays, waitsForReplicas: true } : null;
}

function materialIn({ state, expires, validTo, materialId }: KeyDescription): { readonly material?: ValueOf<'material'> } {
  if (state === 'PendingImport') return { material: null };
  if (state !== 'Enabled' && state !== 'Disabled') return {};
  return { material: { validTo: expires ? validTo : null, materialId } };
}

/** KMS makes the material of such a key when it makes the key; a replica has that of its primary. */
function bornWithMaterial({ created, origin, multiRegionKeyType }: KeyDescription): number | null {
  return origin === 'AWS_KMS' && multiRegionKeyType !== 'REPLICA' ? created : null;
}

/**
 * What is known of a key from events and inventory together. An answer stands before what happened earlier and behind what
 * happened later; where both say the same, the event stands, for it is the proof and tells since when.
 */
export function withInventory(events: KeyFacts, inventory: InventoryFacts | null, account: string): KeyFacts {
  if (inventory === null) return events;
  return inWrittenOrder(
    (register) => standing(register, { event: events[register], answer: inventory[register], inventory, account }),
    tagsWith(events, inventory),
  );
}

interface Sides {
  readonly event: Fact<unknown> | undefined;
  readonly answer: InventoryFact<unknown> | undefined;
  readonly inventory: InventoryFacts;
  readonly account: string;
}

function standing(register: Register, { event, answer, inventory, account }: Sides): Fact<unknown> | undefined {
  if (answer === undefined) return register === 'deleted' && event !== undefined && livesAfter(event, inventory) ? undefined : event;
  const { asOf, ...fact } = answer;
  if (event === undefined) return fact;
  if (register === 'lastRotated' && event.inferred !== true && Number(event.value) >= Number(answer.value) - SAME_DEED_MS) return event;
  if (event.inferred !== true && event.at >= wholeSecond(asOf)) return event;
  if (sameValue(register, { a: event.value, b: answer.value, account })) return event;
  // An event in between said otherwise: only the last answer is certain to be later.
  return fact.at > event.at ? fact : { ...fact, at: asOf };
}

/** A key that KMS describes long after its deletion was told was not deleted. */
function livesAfter(deleted: Fact<unknown>, { created }: InventoryFacts): boolean {
  return created !== undefined && created.asOf > deleted.at + EVENTUAL_MS;
}

/** Event times are whole seconds: of what happens in the second of the answer, nothing tells whether it was before. */
export function wholeSecond(at: number): number {
  return Math.floor(at / 1000) * 1000;
}

function tagsWith({ tags = {} }: KeyFacts, { tags: listed = {}, tagsListed }: InventoryFacts): KeyFacts['tags'] {
  if (tagsListed === undefined) return Object.keys(tags).length === 0 ? undefined : tags;
  const asOf = wholeSecond(tagsListed.asOf);
  const all = new Map<string, Fact<string | null>>();
  for (const [name, fact] of Object.entries(listed)) all.set(name, withoutAsOf(fact));
  for (const [name, event] of Object.entries(tags)) {
    const answer = all.get(name);
    if (event.at >= asOf || event.value === (answer?.value ?? null)) all.set(name, event);
    else if (answer === undefined) all.set(name, { value: null, at: tagsListed.asOf, origin: tagsListed.origin });
  }
  return all.size === 0 ? undefined : tagRegisters(all);
}

function withoutAsOf<T>({ asOf: _asOf, ...fact }: InventoryFact<T>): Fact<T> {
  return fact;
}

interface Pair {
  readonly a: unknown;
  readonly b: unknown;
  readonly account: string;
}

/** Whether two values of a register say the same; dates that one deed has in two tellings may differ a little. */
export function sameValue(register: Register, { a, b, account }: Pair): boolean {
  switch (register) {
    case 'policy':
      return samePolicy(a as string | null, b as string | null, account);
    case 'created':
    case 'lastRotated':
      return near(a as number, b as number, SAME_DEED_MS);
    case 'deletion':
      return sameDeletion(a as PendingDeletion | null, b as PendingDeletion | null);
    case 'material':
      return sameMaterial(a as ValueOf<'material'>, b as ValueOf<'material'>);
    default:
      return a === b;
  }
}

/** A record may lack the date, which is reckoned then. */
function sameDeletion(a: PendingDeletion | null, b: PendingDeletion | null): boolean {
  if (a === null || b === null) return a === b;
  return a.waitsForReplicas === b.waitsForReplicas && (a.date === null || b.date === null ? a.date === b.date : near(a.date, b.date, DAY));
}

function sameMaterial(a: ValueOf<'material'>, b: ValueOf<'material'>): boolean {
  if (a === null || b === null) return a === b;
  const isSameExpiry = a.validTo === null || b.validTo === null ? a.validTo === b.validTo : near(a.validTo, b.validTo, SAME_DEED_MS);
  return isSameExpiry && (a.materialId === null || b.materialId === null || a.materialId === b.materialId);
}

function near(a: number, b: number, within: number): boolean {
  return Math.abs(a - b) <= within;
}
