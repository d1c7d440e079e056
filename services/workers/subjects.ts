/**
 * Subjects from the database: everything detectors may ask about the touched keys, aliases, accounts and actors, read in a
 * constant number of statements. `detectors/subjects.ts` builds the same in memory; a property test holds one against the other.
 */
import type pg from 'pg';
import type { Organization, Subject } from '../detectors/contract.ts';
import { conflictsOfAccounts } from '../store/conflicts.ts';
import { readKeyIds } from '../store/keys.ts';
import type { NameCache } from '../store/names.ts';
import { controlEventsOfAccounts } from '../store/timeline.ts';
import { denialsOfActors, type UseRow, usesOfActors } from '../store/uses.ts';
import { aliasSubject, readAliases, saveTargets, targetsOf } from './subjects/aliases.ts';
import { toActorUses, toFailureHours } from './subjects/counts.ts';
import { groupBy } from './subjects/group.ts';
import { readKeySubjects } from './subjects/keys.ts';

export interface SubjectIds {
  readonly keys: readonly number[];
  readonly aliases: readonly number[];
  readonly accounts: readonly number[];
  readonly actors: readonly number[];
}

/** A subject with the name under which its findings are filed, `key:12`. */
export interface NamedSubject {
  readonly name: string;
  readonly id: number;
  readonly subject: Subject;
  /** For keys: something other than the key's own use decides its findings by it, such as a scheduled deletion. */
  readonly useMatters: boolean;
}

export interface Reading {
  readonly names: NameCache;
  readonly organization: Organization;
}

/** Reads the subjects; aliases lead to further keys, whose subjects are read as well. Also writes what aliases point to. */
export async function readSubjects(client: pg.ClientBase, ids: SubjectIds, reading: Reading): Promise<NamedSubject[]> {
  const aliases = await readAliases(client, ids.aliases, reading.names);
  const targets = await readKeyIds(client, [...new Set(aliases.flatMap(targetsOf))]);
  await saveTargets(client, aliases, targets);
  const keyIds = [...new Set([...ids.keys, ...targets.values()])].toSorted((a, b) => a - b);
  const keys = await readKeySubjects(client, keyIds, reading);
  const byArn = new Map(keys.map(({ subject }) => [subject.arn, subject]));
  const losers = new Set(
    aliases.filter(({ timeline }) => timeline.some(({ event }) => event.operation === 'DeleteAlias')).flatMap(targetsOf),
  );
  return [
    ...keys.map(({ id, subject, useMatters }) => ({ name: `key:${id}`, id, subject, useMatters: useMatters || losers.has(subject.arn) })),
    ...aliases.map((alias) => ({
      name: `alias:${alias.row.id}`,
      id: alias.row.id,
      subject: aliasSubject(alias, byArn),
      useMatters: false,
    })),
    ...(await readAccountSubjects(client, ids.accounts, reading)),
    ...(await readActorSubjects(client, ids.actors, reading)),
  ];
}

async function readAccountSubjects(client: pg.ClientBase, ids: readonly number[], { names }: Reading): Promise<NamedSubject[]> {
  if (ids.length === 0) return [];
  const events = groupBy(await controlEventsOfAccounts(client, ids, names), (row) => [row.accountId]);
  const conflicts = await conflictsOfAccounts(client, ids);
  const { term } = await names.resolve(client, { terms: ids, keys: [], actors: [], eventIds: [] });
  return ids.map((id) => ({
    name: `account:${id}`,
    id,
    subject: {
      kind: 'account',
      account: term(id),
      timeline: (events.get(id) ?? []).map(({ event }) => event),
      conflicts: conflicts.get(id) ?? [],
    },
    useMatters: false,
  }));
}

/** What an actor used is read of root users only: nobody else is judged by it. */
async function readActorSubjects(client: pg.ClientBase, ids: readonly number[], { names }: Reading): Promise<NamedSubject[]> {
  if (ids.length === 0) return [];
  const { actor } = await names.resolve(client, { terms: [], keys: [], actors: ids, eventIds: [] });
  const denied = groupBy(await denialsOfActors(client, ids, names), (row) => [row.actor.id]);
  const roots = ids.filter((id) => actor(id).type === 'root');
  const uses = roots.length > 0 ? groupBy(await usesOfActors(client, roots, names), (use) => [use.actor.id]) : new Map<string, UseRow[]>();
  return ids.map((id) => ({
    name: `actor:${id}`,
    id,
    subject: {
      kind: 'actor',
      actor: actor(id),
      denied: toFailureHours(denied.get(actor(id).id) ?? []),
      uses: toActorUses(uses.get(actor(id).id) ?? []),
    },
    useMatters: false,
  }));
}
