/** Holds what KMS answered about keys against what the events before that add up to. */
import type pg from 'pg';
import { MINUTE } from '../core/clock.ts';
import type { StoredEvent } from '../core/event.ts';
import type { InventoryFacts } from '../core/inventory.ts';
import { aliasTargetAt } from '../keys/alias.ts';
import { EVENTUAL_MS, wholeSecond } from '../keys/inventory.ts';
import { driftOf } from '../keys/inventory-drift.ts';
import { foldTimeline } from '../keys/reduce.ts';
import { type InventoryKey, inventoryOf } from '../store/inventory.ts';
import { aliasesListedFor } from '../store/inventory-aliases.ts';
import { type KeyDrift, keysAdrift, saveDrift, watchedSince } from '../store/inventory-drift.ts';
import { type KeyRow, readKeys } from '../store/keys.ts';
import { controlEventsOfKeys, type TimelineRow } from '../store/timeline.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Deps } from './deps.ts';
import { lockSubjects } from './locks.ts';
import { type Alias, readAliases } from './subjects/aliases.ts';
import { groupBy } from './subjects/group.ts';

export interface DriftSettings {
  /** How late events may come. */
  readonly graceMs: number;
}

const CHUNK = 250;

/** Compares anew the keys that differ: late events may have come. The keys' locks keep a reading of them away meanwhile. */
export async function recheckDrift(deps: Deps, settings: DriftSettings): Promise<void> {
  for (let after = 0; ; ) {
    const keys = await keysAdrift(deps.pool, after, CHUNK);
    if (keys.length === 0) return;
    await inTransaction(deps.pool, async (client) => {
      await lockSubjects(client, { exclusiveKeys: keys, sharedKeys: [], accounts: [], actors: [], everything: false });
      await compareKeys(deps, client, { keyIds: keys, ...settings });
    });
    after = keys.at(-1) ?? after;
  }
}

/** Compares keys of one account and Region, or of several, and writes the differences. The caller holds the keys' locks. */
export async function compareKeys(
  deps: Deps,
  client: pg.ClientBase,
  { keyIds, graceMs }: DriftSettings & { readonly keyIds: readonly number[] },
): Promise<void> {
  const inventory = await inventoryOf(client, keyIds);
  const rows = (await readKeys(client, keyIds)).filter((row) => inventory.has(row.id));
  const events = await controlEventsOfKeys(client, keyIds, deps.names);
  const byKey = groupBy(events, (row) => [row.keyId, row.otherKeyId]);
  const aliases = await readAliases(client, await aliasIdsOf(client, { keyIds, events }), deps.names);
  const since = await firstEvents(client, { rows, byKey, inventory });
  const compared: number[] = [];
  const drifts: KeyDrift[] = [];
  for (const row of rows) {
    const answers = inventory.get(row.id);
    if (answers === undefined || answers.reading === 'unreadable') continue;
    const own = (byKey.get(row.id) ?? []).map(({ event }) => event);
    if (changedMeanwhile(own, answers)) continue;
    compared.push(row.id);
    for (const drift of driftOf({
      account: row.account,
      events: before(own, { arn: row.arn, asOf: answers.asOf }),
      inventory: answers.facts,
      asOf: answers.asOf,
      aliases: answers.reading === 'gone' ? null : aliasesOf(row.arn, aliases),
      watchedSince: since.get(placeOf(row)) ?? null,
    }))
      drifts.push({ keyId: row.id, runId: answers.runId, asOf: answers.asOf, dueAt: answers.asOf + graceMs, drift });
  }
  await saveDrift(client, compared, { drifts, now: deps.clock.now() });
}

async function aliasIdsOf(
  client: pg.ClientBase,
  { keyIds, events }: { readonly keyIds: readonly number[]; readonly events: readonly TimelineRow[] },
): Promise<number[]> {
  const named = events.filter(({ event }) => event.otherKey?.kind === 'alias').map((row) => row.otherKeyId);
  return [...new Set([...named, ...(await aliasesListedFor(client, keyIds))])];
}

function before(events: readonly StoredEvent[], { arn, asOf }: { readonly arn: string; readonly asOf: number }) {
  const earlier = events.filter(({ eventTime }) => eventTime < wholeSecond(asOf));
  return foldTimeline(earlier, arn).at(-1)?.after ?? {};
}

/** A change around the reading may be in some answers and not in others, and KMS itself may have told of it late: then nothing is compared. */
function changedMeanwhile(events: readonly StoredEvent[], { asOf, facts }: InventoryKey): boolean {
  const last = Math.max(asOf, ...momentsOf(facts));
  return events.some(({ outcome, eventTime }) => outcome === 'ok' && eventTime > asOf - EVENTUAL_MS && eventTime <= last + MINUTE);
}

function momentsOf({ rotationEnabled, policy, tagsListed }: InventoryFacts): number[] {
  return [rotationEnabled, policy, tagsListed].flatMap((fact) => (fact === undefined ? [] : [fact.asOf]));
}

/** Of aliases that no event tells of nothing can be missed: they may be older than the first. */
function aliasesOf(arn: string, aliases: readonly Alias[]) {
  const told = aliases.filter(({ timeline, listed }) => timeline.length > 0 && listed !== null);
  const asOf = told.reduce((latest, { listed }) => Math.max(latest, listed?.asOf ?? 0), 0);
  if (asOf === 0) return null;
  const settled = told.filter(({ timeline, listed }) => {
    const at = listed?.asOf ?? 0;
    return (
      timeline.some(({ event }) => event.eventTime < wholeSecond(at)) &&
      !timeline.some(({ event }) => event.eventTime > at - EVENTUAL_MS && event.eventTime <= at + MINUTE)
    );
  });
  return {
    events: settled.filter((alias) => aliasTargetAt(alias.timeline, alias.listed?.asOf ?? 0) === arn).map(({ row }) => row.name),
    listed: settled.filter(({ listed }) => listed?.targetArn === arn).map(({ row }) => row.name),
    asOf,
  };
}

interface Scope {
  readonly rows: readonly KeyRow[];
  readonly byKey: ReadonlyMap<number, readonly TimelineRow[]>;
  readonly inventory: ReadonlyMap<number, InventoryKey>;
}

/** Since when each account and Region is watched; looked up where a key's making is in no event, which is rare. */
async function firstEvents(client: pg.ClientBase, { rows, byKey, inventory }: Scope): Promise<Map<string, number | null>> {
  const unheard = rows.filter(({ id }) => {
    const isMade = byKey.get(id)?.some(({ event }) => CREATIONS.has(event.operation) && event.outcome === 'ok') ?? false;
    return !isMade && inventory.get(id)?.facts.manager?.value === 'CUSTOMER';
  });
  const places = new Map(unheard.map((row) => [placeOf(row), row]));
  const since = new Map<string, number | null>();
  for (const [place, row] of places) since.set(place, await watchedSince(client, row));
  return since;
}

const CREATIONS: ReadonlySet<string> = new Set(['CreateKey', 'ReplicateKey']);

function placeOf({ account, region }: Pick<KeyRow, 'account' | 'region'>): string {
  return `${account}/${region}`;
}
