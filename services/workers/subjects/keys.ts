/** Keys with everything that is stored about them, calls through aliases included. */
import type pg from 'pg';
import type { FailureHour, KeySubject } from '../../detectors/contract.ts';
import { aliasTargetAt } from '../../keys/alias.ts';
import { withInventory } from '../../keys/inventory.ts';
import { foldTimeline } from '../../keys/reduce.ts';
import { type AliasSpan, logKeysThroughAliases } from '../../store/aliases.ts';
import { inventoryOf } from '../../store/inventory.ts';
import { aliasesListedFor } from '../../store/inventory-aliases.ts';
import { type KeyRow, readKeys } from '../../store/keys.ts';
import { controlEventsOfKeys, type TimelineRow } from '../../store/timeline.ts';
import { failuresOfKeys, failuresThroughAliases, usesOfKeys } from '../../store/uses.ts';
import type { Reading } from '../subjects.ts';
import { type Alias, readAliases, spansOf, targetNow } from './aliases.ts';
import { toFailureHours, toKeyUses } from './counts.ts';
import { groupBy } from './group.ts';
import { readKeyHabits } from './habits.ts';

export interface ReadKey {
  readonly id: number;
  readonly subject: KeySubject;
  /** Something other than use, such as a scheduled deletion, makes findings depend on it. */
  readonly useMatters: boolean;
}

/** Uses of keys must be attributed before (see `saveTargets`) for the aliases that a batch touched. */
export async function readKeySubjects(client: pg.ClientBase, ids: readonly number[], reading: Reading): Promise<ReadKey[]> {
  if (ids.length === 0) return [];
  const { names, organization } = reading;
  const rows = (await readKeys(client, ids)).filter((row) => row.kind === 'key');
  const events = await controlEventsOfKeys(client, ids, names);
  const aliases = await readAliases(client, [...new Set([...aliasIdsIn(events), ...(await aliasesListedFor(client, ids))])], names);
  const controls = groupBy([...events, ...resolved(aliases, rows)], (row) => [row.keyId, row.otherKeyId]);
  const uses = groupBy(await usesOfKeys(client, ids, names), (use) => [use.keyId]);
  const failures = await readFailures(client, { rows, aliases }, reading);
  const logKeys = await readLogKeys(client, { rows, aliases });
  const habits = await readKeyHabits(client, rows, names);
  const inventory = await inventoryOf(client, ids);
  const namesOf = groupBy(aliases, (alias) => [targetNow(alias)]);
  return rows.map((row) => {
    const own = (controls.get(row.id) ?? []).map(({ event }) => event);
    const timeline = foldTimeline(own, row.arn);
    const subject: KeySubject = {
      kind: 'key',
      arn: row.arn,
      account: row.account,
      region: row.region,
      facts: withInventory(timeline.at(-1)?.after ?? {}, inventory.get(row.id)?.facts ?? null, row.account),
      timeline,
      uses: toKeyUses(uses.get(row.id) ?? []),
      failures: failures.get(row.id) ?? [],
      aliases: (namesOf.get(row.arn) ?? []).map((alias) => alias.row.name).toSorted(),
      protectsLogs: row.protectsLogs || logKeys.has(row.id) || organization.logKeys.has(row.arn),
      ...habits.get(row.id),
    };
    const useMatters = own.some(({ operation }) => operation === 'ScheduleKeyDeletion' || operation === 'DeleteAlias');
    return { id: row.id, subject, useMatters };
  });
}

/** Aliases that the events made, moved or deleted: all that ever pointed to the events' keys are among them. */
function aliasIdsIn(events: readonly TimelineRow[]): number[] {
  return [...new Set(events.filter(({ event }) => event.otherKey?.kind === 'alias').map((row) => row.otherKeyId))];
}

/** Events that name an alias, as events of the key that it pointed to then. */
function resolved(aliases: readonly Alias[], rows: readonly KeyRow[]): TimelineRow[] {
  const ids = idsByArn(rows);
  return aliases.flatMap(({ named, timeline }) =>
    named.flatMap((row) => {
      const keyId = ids.get(aliasTargetAt(timeline, row.event.eventTime) ?? '');
      // One that names the same key as its other one is among that key's own.
      return keyId === undefined || keyId === row.otherKeyId ? [] : [{ ...row, keyId, otherKeyId: 0 }];
    }),
  );
}

interface Scope {
  readonly rows: readonly KeyRow[];
  readonly aliases: readonly Alias[];
}

/** Failed calls by key id; those that named an alias count for the key that it pointed to then. */
async function readFailures(client: pg.ClientBase, { rows, aliases }: Scope, { names }: Reading): Promise<Map<number, FailureHour[]>> {
  const byAlias = new Set(aliases.map(({ row }) => row.id));
  const found = await failuresOfKeys(client, [...rows.map(({ id }) => id), ...byAlias], names);
  const own = found.filter((row) => !byAlias.has(row.keyId));
  // The rollup knows hours; an alias may have moved within one, so its failures are counted from the events.
  const spans = own.length < found.length ? spansOn(rows, aliases) : [];
  const through = spans.length > 0 ? await failuresThroughAliases(client, spans, names) : [];
  const byKey = groupBy([...own, ...through], (row) => [row.keyId]);
  return new Map([...byKey].map(([id, failures]) => [id, toFailureHours(failures)]));
}

/** Keys of which only a call through an alias shows that they protect logs. */
async function readLogKeys(client: pg.ClientBase, { rows, aliases }: Scope): Promise<Set<number>> {
  const flagged = aliases.filter(({ row }) => row.protectsLogs);
  return flagged.length === 0 ? new Set() : await logKeysThroughAliases(client, spansOn(rows, flagged));
}

function spansOn(rows: readonly KeyRow[], aliases: readonly Alias[]): AliasSpan[] {
  const ids = idsByArn(rows);
  return aliases.flatMap((alias) => spansOf(alias, (target) => (target === null ? null : (ids.get(target) ?? null))));
}

function idsByArn(rows: readonly KeyRow[]): Map<string, number> {
  return new Map(rows.map((row) => [row.arn, row.id]));
}
