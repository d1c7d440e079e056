/** Habits of keys and callers as detectors see them. */
import type pg from 'pg';
import type { Habit } from '../../core/habit.ts';
import type { ActorSubject, DailyVolume, KeySubject } from '../../detectors/contract.ts';
import { hasLongPause, inHabitOrder, inSessionOrder, inSpreadOrder, inVolumeOrder } from '../../detectors/habits.ts';
import { type HabitRow, habitsOfCallers, habitsOfKeys, spreadsOfCallers, watchedDays } from '../../store/habits-read.ts';
import { sessionsOfCallers } from '../../store/sessions-read.ts';
import { type VolumeRow, volumesOfCallers, volumesOfKeys } from '../../store/volumes-read.ts';
import type { KeyRow } from '../../store/keys.ts';
import type { NameCache } from '../../store/names.ts';
import { probesOfActors } from '../../store/uses.ts';
import { toFailureHours } from './counts.ts';
import { groupBy } from './group.ts';

type KeyHabits = Pick<KeySubject, 'habits' | 'volumes' | 'watched'>;

/** By key id. At most three statements, and one a dictionary. */
export async function readKeyHabits(client: pg.ClientBase, rows: readonly KeyRow[], names: NameCache): Promise<Map<number, KeyHabits>> {
  const ids = rows.map(({ id }) => id);
  const habits = groupBy(await habitsOfKeys(client, ids, names), (row) => [row.keyId]);
  const volumes = groupBy(await volumesOfKeys(client, ids, names), (row) => [row.keyId]);
  const known = rows.map((row) => ({ row, habits: toHabits(habits.get(row.id) ?? []) }));
  const paused = known.filter((key) => hasLongPause(key.habits)).map(({ row }) => row);
  const watched =
    paused.length > 0 ? await watchedDays(client, [...new Set(paused.map(({ account }) => account))]) : new Map<string, number[]>();
  const isPaused = new Set(paused.map(({ id }) => id));
  return new Map(
    known.map(({ row: { id, account, region }, habits: own }) => [
      id,
      {
        habits: own,
        volumes: toVolumes(volumes.get(id) ?? []),
        ...(isPaused.has(id) && { watched: watched.get(`${account}/${region}`) ?? [] }),
      },
    ]),
  );
}

type CallerHabits = Pick<ActorSubject, 'habits' | 'presence' | 'spreads' | 'sessions' | 'probes'>;

/** By actor id. Five statements, and one a dictionary. */
export async function readCallerHabits(
  client: pg.ClientBase,
  ids: readonly number[],
  names: NameCache,
): Promise<Map<number, CallerHabits>> {
  const { actor } = await names.resolve(client, { terms: [], keys: [], actors: ids, eventIds: [] });
  const probes = groupBy(await probesOfActors(client, ids, names), (row) => [row.actor.id]);
  const habits = groupBy(await habitsOfCallers(client, ids, names), (row) => [row.actorId]);
  const presence = groupBy(await volumesOfCallers(client, ids, names), (row) => [row.actorId]);
  const spreads = groupBy(await spreadsOfCallers(client, ids, names), (row) => [row.actorId]);
  const sessions = groupBy(await sessionsOfCallers(client, ids, names), (row) => [row.actorId]);
  return new Map(
    ids.map((id) => [
      id,
      {
        probes: toFailureHours(probes.get(actor(id).id) ?? []),
        habits: toHabits(habits.get(id) ?? []),
        presence: toVolumes(presence.get(id) ?? []),
        spreads: inSpreadOrder((spreads.get(id) ?? []).map(({ spread }) => spread)),
        sessions: inSessionOrder((sessions.get(id) ?? []).map(({ place }) => place)),
      },
    ]),
  );
}

function toHabits(rows: readonly HabitRow[]): Habit[] {
  return inHabitOrder(rows.map(({ habit }) => habit));
}

function toVolumes(rows: readonly VolumeRow[]): DailyVolume[] {
  return inVolumeOrder(rows.map(({ volume }) => volume));
}
