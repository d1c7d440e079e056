import { counted } from '../api/text/words.ts';
import type pg from 'pg';
import { readFindings } from '../store/read/findings.ts';
import { openFindings } from '../store/totals.ts';
import { bySeverity, findingsTable } from './findings-table.ts';
import type { OutStream } from './out.ts';

/** Prints the most urgent open findings and how many there are in all. */
export async function printFound(stream: OutStream, pool: pg.Pool, limit: number): Promise<void> {
  const [{ findings, next }, totals] = await Promise.all([
    readFindings(pool, { statuses: ['open', 'acknowledged'] }, { limit }),
    openFindings(pool),
  ]);
  const open = totals.reduce((sum, { count }) => sum + count, 0);
  if (open === 0) {
    stream.write('No findings are open.\n');
    return;
  }
  if (findings.length > 0) stream.write(`\n${findingsTable(stream, findings, { ids: false })}\n`);
  const more = next === null ? '' : `; the ${findings.length} most urgent are shown`;
  stream.write(`${counted(open, 'finding is', 'findings are')} open: ${bySeverity(totals)}${more}.\n`);
}
