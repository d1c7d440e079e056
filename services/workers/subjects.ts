/**
 * Subjects from the database: everything detectors may ask about the touched keys, aliases, accounts and actors, read in a
 * constant number of statements. `detectors/subjects.ts` builds the same in memory; a property test holds one against the other.
 */
import type pg from 'pg';
import type { Organization, Subject } from '../detectors/contract.ts';
import { conflictsOfAccounts } from '../store/conflicts.ts';
import { problemsOfAccounts } from '../store/digests-problems.ts';
import { readKeyIds } from '../store/keys.ts';
import type { NameCache } from '../store/names.ts';
import { ruleMatchesOfAccounts } from '../store/rule-matches.ts';
import { controlEventsOfAccounts, harmsOfActors } from '../store/timeline.ts';
import { denialsOfActors, type UseRow, usesOfActors } from '../store/uses.ts';
import type { Rules } from './rules.ts';
import { aliasSubject, readAliases, saveTargets, targetsOf } from './subjects/aliases.ts';
import { toActorUses, toFailureHours } from './subjects/counts.ts';
import { groupBy } from './subjects/group.ts';
import { readCallerHabits } from './subjects/habits.ts';
import { readKeySubjects } from './subjects/keys.ts';
import { readOpenings } from './subjects/openings.ts';
import { readThrottled } from './subjects/throttled.ts';

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
  readonly rules?: Rules | undefined;
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

async function readAccountSubjects(client: pg.ClientBase, ids: readonly number[], { names, rules }: Reading): Promise<NamedSubject[]> {
  if (ids.length === 0) return [];
  const events = groupBy(await controlEventsOfAccounts(client, ids, names), (row) => [row.accountId]);
  const conflicts = await conflictsOfAccounts(client, ids);
  const ruleIds = rules?.current.rules.map(({ id }) => id) ?? [];
  const ruleMatches = groupBy(await ruleMatchesOfAccounts(client, ids, { rules: ruleIds, names }), (row) => [row.accountId]);
  const throttled = await readThrottled(client, ids, names);
  const openings = await readOpenings(client, events, names);
  const { term } = await names.resolve(client, { terms: ids, keys: [], actors: [], eventIds: [] });
  const integrity = await problemsOfAccounts(client, ids.map(term));
  return ids.map((id) => ({
    name: `account:${id}`,
    id,
    subject: {
      kind: 'account',
      account: term(id),
      timeline: (events.get(id) ?? []).map(({ event }) => event),
      conflicts: conflicts.get(id) ?? [],
      throttled: throttled.get(id) ?? [],
      ...(rules && { ruleMatches: ruleMatches.get(id) ?? [] }),
      ...openings.get(id),
      ...(integrity.has(term(id)) && { integrity: integrity.get(term(id)) ?? [] }),
    },
    useMatters: false,
  }));
}

/** Which keys an actor used is read of root users only: nobody else is judged by it. */
async function readActorSubjects(client: pg.ClientBase, ids: readonly number[], { names }: Reading): Promise<NamedSubject[]> {
  if (ids.length === 0) return [];
  const { actor } = await names.resolve(client, { terms: [], keys: [], actors: ids, eventIds: [] });
  const denied = groupBy(await denialsOfActors(client, ids, names), (row) => [row.actor.id]);
  const roots = ids.filter((id) => actor(id).type === 'root');
  const uses = roots.length > 0 ? groupBy(await usesOfActors(client, roots, names), (use) => [use.actor.id]) : new Map<string, UseRow[]>();
  const habits = await readCallerHabits(client, ids, names);
  const harms = groupBy(await harmsOfActors(client, ids, names), (row) => [row.event.actor.id]);
  return ids.map((id) => ({
    name: `actor:${id}`,
    id,
    subject: {
      kind: 'actor',
      actor: actor(id),
      denied: toFailureHours(denied.get(actor(id).id) ?? []),
      uses: toActorUses(uses.get(actor(id).id) ?? []),
      ...habits.get(id),
      ...(harms.has(actor(id).id) && { harms: harms.get(actor(id).id)?.map(({ event }) => event) ?? [] }),
    },
    useMatters: false,
  }));
}
