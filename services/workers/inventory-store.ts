/** Stores answers of KMS and derives what follows from them, in one transaction. */
import { type KeyRef, parseKmsArn } from '../core/arn.ts';
import type { Answer, InventoryCall, KeyAnswers, KeyReading, UnreadReason } from '../core/inventory.ts';
import { inventoryFacts } from '../keys/inventory.ts';
import type { Listing } from '../sources/inventory/inventory.ts';
import type { InventoryPlace } from '../sources/inventory/place.ts';
import { type InventoryKey, inventoryOf, saveInventory } from '../store/inventory.ts';
import { saveAliasListing } from '../store/inventory-aliases.ts';
import { type GrantListing, saveGrants } from '../store/key-grants.ts';
import { readKeyIds } from '../store/keys.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Deps } from './deps.ts';
import { derive } from './derive.ts';
import { compareKeys, type DriftSettings } from './inventory-drift.ts';
import { lockSubjects } from './locks.ts';
import { readAliases, saveTargets, targetsOf } from './subjects/aliases.ts';

/** Aliases come first: keys are known by them in what is derived. */
export async function storeAliases(
  deps: Deps,
  { account, region, aliases }: Pick<InventoryPlace, 'account' | 'region'> & Pick<Listing, 'aliases'>,
  runId: number,
): Promise<void> {
  if (aliases === null) return;
  const refs = aliases.value.flatMap(({ arn, targetKeyId }) => {
    const alias = parseKmsArn(arn);
    return alias?.kind === 'alias' ? [{ alias, target: keyBeside(alias, targetKeyId) }] : [];
  });
  const ids = await idsOf(
    deps,
    refs.flatMap(({ alias, target }) => [alias, target]),
  );
  await inTransaction(deps.pool, async (client) => {
    await lockSubjects(client, { exclusiveKeys: [], sharedKeys: [], accounts: [], actors: [], everything: true });
    const moved = await saveAliasListing(client, {
      account,
      region,
      asOf: aliases.at,
      origin: originOf(runId),
      aliases: refs.map(({ alias, target }) => ({ aliasId: ids(alias), targetKeyId: ids(target) })),
    });
    const changed = await readAliases(client, moved, deps.names);
    await saveTargets(client, changed, await readKeyIds(client, [...new Set(changed.flatMap(targetsOf))]));
  });
}

function keyBeside({ arn, account, region, id }: KeyRef, keyId: string): KeyRef {
  return { arn: `${arn.slice(0, arn.length - id.length)}key/${keyId}`, kind: 'key', account, region, id: keyId };
}

export async function storeAnswers(
  deps: Deps,
  all: readonly KeyAnswers[],
  { runId, graceMs }: DriftSettings & { readonly runId: number },
): Promise<void> {
  const answered = all.flatMap((answers) => {
    const ref = parseKmsArn(answers.arn);
    return ref?.kind === 'key' ? [{ ref, answers }] : [];
  });
  if (answered.length === 0) return;
  const ids = await idsOf(
    deps,
    answered.map(({ ref }) => ref),
  );
  const keyIds = [...new Set(answered.map(({ ref }) => ids(ref)))].toSorted((a, b) => a - b);
  const origin = originOf(runId);
  await inTransaction(deps.pool, async (client) => {
    await lockSubjects(client, { exclusiveKeys: keyIds, sharedKeys: [], accounts: [], actors: [], everything: false });
    const previous = await inventoryOf(client, keyIds);
    const rows = answered.map(({ ref, answers }): InventoryKey => {
      const keyId = ids(ref);
      const facts = inventoryFacts(answers, { previous: previous.get(keyId)?.facts ?? null, origin, account: ref.account });
      return { keyId, runId, asOf: answers.describe.at, ...readingOf(answers), facts, lastUsage: valueOf(answers.lastUsage) };
    });
    await saveInventory(client, rows);
    await saveGrants(
      client,
      answered.flatMap(({ ref, answers }) => grantsOf(answers, { keyId: ids(ref), origin })),
    );
    await derive(deps, client, { ids: { keys: keyIds, aliases: [], accounts: [], actors: [] }, asOf: deps.clock.now() });
    await compareKeys(deps, client, { keyIds, graceMs });
  });
}

function originOf(runId: number): string {
  return `inventory:${runId}`;
}

/** Ids of names, made where they are new. */
async function idsOf(deps: Deps, refs: readonly KeyRef[]): Promise<(ref: KeyRef) => number> {
  const terms = deps.terms();
  for (const ref of refs) terms.wantKey(ref);
  await terms.resolve();
  return (ref) => terms.key(ref);
}

function valueOf<T>(answer: Answer<T> | null): T | null {
  return answer?.kind === 'answered' ? answer.value : null;
}

function grantsOf(
  { grants, describe }: KeyAnswers,
  { keyId, origin }: { readonly keyId: number; readonly origin: string },
): GrantListing[] {
  if (describe.kind === 'gone') return [{ keyId, at: describe.at, origin, grants: [] }];
  return grants?.kind === 'answered' ? [{ keyId, at: grants.at, origin, grants: grants.value }] : [];
}

function readingOf(answers: KeyAnswers): { reading: KeyReading; reason: UnreadReason | null; unread: InventoryKey['unread'] } {
  if (answers.describe.kind === 'gone') return { reading: 'gone', reason: null, unread: {} };
  const unread = CALLS.flatMap(([call, part]) => {
    const answer = answers[part];
    // A key that vanishes while it is read refuses what is asked after that.
    if (answer === null || answer.kind === 'answered') return [];
    return [[call, answer.kind === 'gone' ? 'refused' : answer.reason] as const];
  });
  const reason = unread[0]?.[1] ?? null;
  const reading = answers.describe.kind === 'unread' ? 'unreadable' : reason === null ? 'readable' : 'partly';
  return { reading, reason, unread: Object.fromEntries(unread) };
}

const CALLS: readonly (readonly [InventoryCall, Exclude<keyof KeyAnswers, 'arn'>])[] = [
  ['DescribeKey', 'describe'],
  ['GetKeyRotationStatus', 'rotation'],
  ['ListKeyRotations', 'lastRotation'],
  ['GetKeyPolicy', 'policy'],
  ['ListGrants', 'grants'],
  ['ListResourceTags', 'tags'],
  ['GetKeyLastUsage', 'lastUsage'],
];
