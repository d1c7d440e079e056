import type pg from 'pg';
import type { ThrottledHour } from '../../detectors/contract.ts';
import { THROTTLED_FLOOR, throttledHours } from '../../detectors/throttled.ts';
import type { NameCache } from '../../store/names.ts';
import { callsInHours, throttledOfAccounts } from '../../store/uses.ts';

/** By id of the account's term. Two statements. */
export async function readThrottled(
  client: pg.ClientBase,
  accountIds: readonly number[],
  names: NameCache,
): Promise<Map<number, ThrottledHour[]>> {
  const rows = await throttledOfAccounts(client, accountIds, names);
  const hours = [...Map.groupBy(rows, ({ accountId, region, hour }) => `${accountId} ${region} ${hour}`)].flatMap(([name, same]) =>
    same[0] !== undefined && same.reduce((sum, row) => sum + row.count, 0) >= THROTTLED_FLOOR ? [{ name, row: same[0] }] : [],
  );
  if (hours.length === 0) return new Map();
  const calls = await callsInHours(
    client,
    hours.map(({ row: { account, region, hour } }) => ({ account, region, hour })),
  );
  const byHour = new Map(hours.map(({ name }, index) => [name, calls[index] ?? 0]));
  return new Map(
    [...Map.groupBy(rows, (row) => row.accountId)].map(([id, own]) => [
      id,
      throttledHours(own, (region, hour) => byHour.get(`${id} ${region} ${hour}`) ?? 0),
    ]),
  );
}
