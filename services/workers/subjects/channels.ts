/** What sources have shown of accounts, for detectors that judge silence. */
import type pg from 'pg';
import { HOUR } from '../../core/clock.ts';
import type { Channel } from '../../detectors/contract.ts';
import { COVERAGE_JUDGED_MS, readChannels, readListened } from '../../store/read/coverage.ts';
import type { Deps } from '../deps.ts';
import type { NamedSubject } from '../subjects.ts';

export function judgesSilence({ detectors }: Pick<Deps, 'detectors'>): boolean {
  return detectors.some(({ detector }) => detector.kind === 'absence');
}

/** @returns undefined when nobody asks for it */
export async function channelsOf(
  deps: Deps,
  client: pg.ClientBase,
  { subjects, asOf }: { readonly subjects: readonly NamedSubject[]; readonly asOf: number },
): Promise<Channel[] | undefined> {
  const accounts = subjects.flatMap(({ subject }) => (subject.kind === 'account' ? [subject.account] : []));
  if (accounts.length === 0 || !judgesSilence(deps)) return undefined;
  const rows = await readChannels(client, accounts, asOf);
  if (rows.length === 0) return [];
  const listened = await readListened(client, { from: asOf - COVERAGE_JUDGED_MS - HOUR, to: asOf });
  const ids = rows.flatMap(({ lastEvent }) => lastEvent ?? []);
  const { eventId } = await deps.names.resolve(client, { terms: [], keys: [], actors: [], eventIds: ids });
  return rows.map(({ lastEvent, source, ...row }) => ({
    ...row,
    source,
    listened: listened.get(source) ?? [],
    lastEventId: lastEvent === null ? null : eventId(lastEvent),
  }));
}
