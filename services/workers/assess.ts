/** The assess step: what time alone changes. Judges every key, every caller with habits and every subject that has findings, as of a moment. */
import type pg from 'pg';
import { subjectsWithFindings } from '../store/findings.ts';
import { callersToAssess } from '../store/habits-read.ts';
import { keysToAssess } from '../store/keys.ts';
import { accountsWithCoverage } from '../store/read/coverage.ts';
import { TERM } from '../store/terms.ts';
import { inTransaction } from '../store/transaction.ts';
import type { Deps } from './deps.ts';
import { derive } from './derive.ts';
import { lockSubjects } from './locks.ts';
import type { SubjectIds } from './subjects.ts';
import { judgesSilence } from './subjects/channels.ts';

/** Subjects judged in one transaction. */
const CHUNK = 250;

/** @param asOf epoch milliseconds; the replay's newest event, or now */
export async function assess(deps: Deps, asOf: number): Promise<void> {
  await deps.telemetry.timed('assess', async () => {
    for (let after = 0; ; ) {
      const keys = await keysToAssess(deps.pool, after, CHUNK);
      if (keys.length === 0) break;
      await judge(deps, { keys, aliases: [], accounts: [], actors: [] }, asOf);
      after = keys.at(-1) ?? after;
    }
    for (let after = 0; ; ) {
      const actors = await callersToAssess(deps.pool, after, CHUNK);
      if (actors.length === 0) break;
      await judge(deps, { keys: [], aliases: [], accounts: [], actors }, asOf);
      after = actors.at(-1) ?? after;
    }
    for (let after = ''; ; ) {
      const subjects = await subjectsWithFindings(deps.pool, after, CHUNK);
      if (subjects.length === 0) break;
      await judge(deps, idsOf(subjects), asOf);
      after = subjects.at(-1) ?? after;
    }
    if (judgesSilence(deps)) await assessCoverage(deps, asOf);
  });
  await deps.queues.add('notify', {});
}

/** Accounts of which sources have shown something, be it that nothing happened: silence is a change that no event brings. */
async function assessCoverage(deps: Deps, asOf: number): Promise<void> {
  for (let after = ''; ; ) {
    const names = await accountsWithCoverage(deps.pool, { after, limit: CHUNK, asOf });
    if (names.length === 0) return;
    const terms = deps.terms();
    for (const account of names) terms.wantTerm(TERM.account, account);
    await terms.resolve();
    const accounts = names.map((account) => terms.term(TERM.account, account)).toSorted((a, b) => a - b);
    await judge(deps, { keys: [], aliases: [], accounts, actors: [] }, asOf);
    after = names.at(-1) ?? after;
  }
}

async function judge(deps: Deps, ids: SubjectIds, asOf: number): Promise<void> {
  await inTransaction(deps.pool, async (client: pg.ClientBase) => {
    await lockSubjects(client, {
      exclusiveKeys: ids.keys,
      sharedKeys: [],
      accounts: ids.accounts,
      actors: ids.actors,
      everything: ids.aliases.length > 0,
    });
    await derive(deps, client, { ids, asOf });
  });
}

function idsOf(subjects: readonly string[]): SubjectIds {
  const of = (kind: string): number[] =>
    subjects.filter((name) => name.startsWith(`${kind}:`)).map((name) => Number(name.slice(kind.length + 1)));
  return { keys: of('key'), aliases: of('alias'), accounts: of('account'), actors: of('actor') };
}
