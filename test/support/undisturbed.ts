import { expect } from 'vitest';
import { differences, type Dump, dump, violations } from './dump.ts';
import { type Environment, kmswatch } from './kmswatch.ts';
import { MONTH_AS_OF, temporaryFolder } from './month.ts';
import { testDatabase } from './postgres.ts';

/** The counts of `replay --json`. */
export interface Counts {
  readonly deliveries: number;
  readonly records: number;
  readonly relevant: number;
  readonly new: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
}

/** The command line of a replay whose result does not depend on when it is made. */
export function replayOf(folder: string): string[] {
  return ['replay', folder, '--as-of', MONTH_AS_OF, '--json'];
}

export function countsOf(stdout: string): Counts {
  const { deliveries, records, relevant, new: fresh, duplicates, conflicts, quarantined } = JSON.parse(stdout) as Counts;
  return { deliveries, records, relevant, new: fresh, duplicates, conflicts, quarantined };
}

/** What a replay of the folder comes to when nothing goes wrong. */
export async function undisturbed(folder: string): Promise<{ dump: Dump; counts: Counts }> {
  await using database = await testDatabase();
  const ended = await kmswatch(replayOf(folder), { DATABASE_URL: database.url });
  expect(ended).toMatchObject({ code: 0 });
  expect(await violations(database.url)).toEqual([]);
  return { dump: await dump(database.url), counts: countsOf(ended.stdout) };
}

/** That a database holds exactly what an undisturbed replay comes to. Judges anew first, as of the same moment, without reading any log file again. */
export async function expectSame(expected: Dump, environment: Environment & { readonly DATABASE_URL: string }): Promise<void> {
  expect(await kmswatch(replayOf(await temporaryFolder()), environment)).toMatchObject({ code: 0 });
  expect(await violations(environment.DATABASE_URL)).toEqual([]);
  expect(differences(expected, await dump(environment.DATABASE_URL))).toEqual([]);
}
