/**
 * The detect step: derive anew the findings of every subject that stored batches touched. A projection, so that doing it twice,
 * late, or in another order ends the same. Takes all batches that wait, not only the one it was called for.
 */
import type pg from 'pg';
import { hasUndetected, markDetected, takeUndetected, type UndetectedBatch, unchecked } from '../store/batches.ts';
import { aliasesWhereUseMatters } from '../store/aliases.ts';
import { checkConflicts } from '../store/conflicts.ts';
import { whereUseMatters } from '../store/keys.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Deps } from './deps.ts';
import { derive } from './derive.ts';
import { lockSubjects } from './locks.ts';

/** Batches that one detection takes at most: bounds its transaction. */
const BATCH_LIMIT = 40;

export async function detect(deps: Deps, batchId: number): Promise<void> {
  if (!(await hasUndetected(deps.pool, batchId))) return;
  // A worker died between storing and checking: do its check now.
  if (await unchecked(deps.pool, batchId)) await checkConflicts(deps.pool, batchId, { rows: null, at: deps.clock.now() });
  const changes = await deps.telemetry.timed('detect', () => detectWaiting(deps));
  if (changes > 0) await deps.queues.add('notify', {});
}

/** Begins anew when, between looking and locking, another worker has made the use of a key matter: locks are never upgraded. */
async function detectWaiting(deps: Deps): Promise<number> {
  for (;;) {
    const changes = await inTransaction(deps.pool, (client) => detectBatches(deps, client));
    if (changes !== 'again') return changes;
  }
}

async function detectBatches(deps: Deps, client: pg.ClientBase): Promise<number | 'again'> {
  const batches = await takeUndetected(client, BATCH_LIMIT);
  if (batches.length === 0) return 0;
  const touched = union(batches);
  const used = [...new Set([...touched.keys, ...touched.used])];
  const matters = new Set(await whereUseMatters(client, used));
  const keys = [...new Set([...touched.keys, ...matters])];
  // Of most keys no alias was ever deleted: then there is none to judge anew, and nobody else need wait.
  const everything = touched.aliases.length > 0 || (await aliasesOf(client, matters, touched.aliases)).length > 0;
  await lockSubjects(client, {
    exclusiveKeys: keys,
    sharedKeys: touched.used.filter((id) => !matters.has(id)),
    accounts: touched.accounts,
    actors: touched.actors,
    everything,
  });
  const merelyUsed = used.filter((id) => !matters.has(id));
  if ((await whereUseMatters(client, merelyUsed)).length > 0) return 'again';
  const aliases = await aliasesOf(client, matters, touched.aliases);
  if (aliases.length > 0 && !everything) return 'again';
  const changes = await derive(deps, client, {
    ids: {
      keys,
      aliases: [...new Set([...touched.aliases, ...aliases])],
      accounts: touched.accounts,
      actors: touched.actors,
    },
    asOf: asOf(deps, batches),
    committedAt: Math.min(...batches.map((batch) => batch.storedAt)),
  });
  await markDetected(
    client,
    batches.map((batch) => batch.id),
    deps.clock.now(),
  );
  return changes;
}

async function aliasesOf(client: pg.ClientBase, keys: ReadonlySet<number>, aliases: readonly number[]): Promise<number[]> {
  return keys.size + aliases.length === 0 ? [] : await aliasesWhereUseMatters(client, { keys: [...keys], aliases });
}

function asOf(deps: Deps, batches: readonly UndetectedBatch[]): number {
  if (deps.judgeBy === 'clock') return deps.clock.now();
  const newest = batches.map((batch) => batch.newestEvent ?? 0).reduce((a, b) => Math.max(a, b), 0);
  return newest > 0 ? newest : deps.clock.now();
}

function union(batches: readonly UndetectedBatch[]): UndetectedBatch['touched'] {
  const all = (pick: (batch: UndetectedBatch) => readonly number[]): number[] => [...new Set(batches.flatMap(pick))];
  const keys = all((batch) => batch.touched.keys);
  const known = new Set(keys);
  return {
    keys,
    used: all((batch) => batch.touched.used).filter((id) => !known.has(id)),
    aliases: all((batch) => batch.touched.aliases),
    accounts: all((batch) => batch.touched.accounts),
    actors: all((batch) => batch.touched.actors),
  };
}
