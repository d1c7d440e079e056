/** Who was let into keys of accounts around the time in which those shared snapshots. */
import type pg from 'pg';
import type { AccountSubject } from '../../detectors/contract.ts';
import { sharingPeriod } from '../../detectors/sharing.ts';
import type { NameCache } from '../../store/names.ts';
import { openingsOfAccounts, type TimelineRow } from '../../store/timeline.ts';
import { groupBy } from './group.ts';

/** By account id; of accounts that shared no snapshot, nothing. */
export async function readOpenings(
  client: pg.ClientBase,
  timelines: ReadonlyMap<number, readonly TimelineRow[]>,
  names: NameCache,
): Promise<Map<number, Pick<AccountSubject, 'openings'>>> {
  const periods = [...timelines].flatMap(([accountId, rows]) => {
    const period = sharingPeriod(rows.map(({ event }) => event));
    return period === null ? [] : [{ accountId, ...period }];
  });
  const rows = groupBy(await openingsOfAccounts(client, periods, names), (row) => [row.accountId]);
  return new Map(periods.map(({ accountId }) => [accountId, { openings: (rows.get(accountId) ?? []).map(({ event }) => event) }]));
}
