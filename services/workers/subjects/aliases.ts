/** Aliases with their timelines, and what follows from where they pointed when. */
import type pg from 'pg';
import type { KeyFacts } from '../../core/key.ts';
import type { AliasSubject, KeySubject } from '../../detectors/contract.ts';
import { type AliasStep, aliasTargetAt, aliasTimeline } from '../../keys/alias.ts';
import { wholeSecond } from '../../keys/inventory.ts';
import { type AliasNow, type AliasSpan, attributeAliasUse, saveAliases } from '../../store/aliases.ts';
import { aliasesListed, type AliasListed } from '../../store/inventory-aliases.ts';
import { type KeyRow, readKeys } from '../../store/keys.ts';
import type { NameCache } from '../../store/names.ts';
import { controlEventsOfKeys, type TimelineRow } from '../../store/timeline.ts';
import { groupBy } from './group.ts';

export interface Alias {
  readonly row: KeyRow;
  readonly timeline: readonly AliasStep[];
  /** Control events that name the alias where others name their key. */
  readonly named: readonly TimelineRow[];
  /** As KMS itself listed it last; null = it never did. */
  readonly listed: AliasListed | null;
}

export async function readAliases(client: pg.ClientBase, ids: readonly number[], names: NameCache): Promise<Alias[]> {
  if (ids.length === 0) return [];
  const rows = (await readKeys(client, ids)).filter((row) => row.kind === 'alias');
  const events = groupBy(await controlEventsOfKeys(client, ids, names), (row) => [row.keyId, row.otherKeyId]);
  const listed = await aliasesListed(client, ids);
  return rows.map((row) => {
    const own = events.get(row.id) ?? [];
    const timeline = aliasTimeline(
      own.map(({ event }) => event),
      row.arn,
    );
    return { row, timeline, named: own.filter(({ keyId }) => keyId === row.id), listed: listed.get(row.id) ?? null };
  });
}

/** ARNs of all keys that it ever pointed to. */
export function targetsOf({ timeline }: Alias): string[] {
  return timeline.flatMap((step) => (step.after === null ? [] : [step.after]));
}

/** ARN of the key that it points to now: as the last event leaves it, unless KMS listed it otherwise after that. */
export function targetNow(alias: Alias): string | null {
  return listingStands(alias) ? alias.listed.targetArn : (alias.timeline.at(-1)?.after ?? null);
}

function listingStands(alias: Alias): alias is Alias & { readonly listed: AliasListed } {
  const { listed, timeline } = alias;
  const last = timeline.at(-1);
  return listed !== null && (!last || (last.event.eventTime < wholeSecond(listed.asOf) && last.after !== listed.targetArn));
}

/**
 * The times during which it pointed to one and the same key.
 * @param idOf id of the key, 0 for none; null leaves the span out
 */
export function spansOf({ row, timeline }: Alias, idOf: (target: string | null) => number | null): AliasSpan[] {
  const moments = [...new Set(timeline.map((step) => step.event.eventTime))];
  const bounds = [BEFORE_ALL, ...moments, AFTER_ALL];
  return bounds.slice(0, -1).flatMap((from, i) => {
    const keyId = idOf(aliasTargetAt(timeline, from));
    return keyId === null ? [] : [{ aliasId: row.id, keyId, from, to: bounds[i + 1] ?? AFTER_ALL }];
  });
}

/** Within what Postgres takes as a timestamp; every event lies between. */
const BEFORE_ALL = Date.UTC(1900, 0, 1);
const AFTER_ALL = Date.UTC(3000, 0, 1);

/** Writes where aliases point now, and for which keys the calls count that named only an alias. */
export async function saveTargets(client: pg.ClientBase, aliases: readonly Alias[], keyIds: ReadonlyMap<string, number>): Promise<void> {
  if (aliases.length === 0) return;
  const idOf = (target: string | null): number => (target === null ? 0 : (keyIds.get(target) ?? 0));
  const now = aliases.flatMap((alias): AliasNow[] => {
    const { row, timeline } = alias;
    if (listingStands(alias)) {
      const { targetKeyId, asOf, origin } = alias.listed;
      return [{ aliasId: row.id, targetKeyId, asOf, origin }];
    }
    const last = timeline.at(-1);
    if (!last) return [];
    return [{ aliasId: row.id, targetKeyId: idOf(last.after) || null, asOf: last.event.eventTime, origin: last.event.eventId }];
  });
  await saveAliases(client, now);
  await attributeAliasUse(
    client,
    aliases.map(({ row }) => row.id),
    aliases.flatMap((alias) => spansOf(alias, idOf)),
  );
}

export function aliasSubject(alias: Alias, keys: ReadonlyMap<string, KeySubject>): AliasSubject {
  const { arn, account, region } = alias.row;
  const lastUsed: Record<string, number> = {};
  const targets: Record<string, KeyFacts> = {};
  for (const target of [...new Set(targetsOf(alias))].toSorted()) {
    const key = keys.get(target);
    if (!key) continue;
    targets[target] = key.facts;
    const used = key.uses.filter((use) => use.operationClass === 'use' && use.outcome === 'ok').map((use) => use.lastAt);
    if (used.length > 0) lastUsed[target] = used.reduce((a, b) => Math.max(a, b));
  }
  return { kind: 'alias', arn, account, region, timeline: alias.timeline, lastUsed, targets };
}
