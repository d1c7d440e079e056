import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { simulateMonth } from '../../services/simulate/company.ts';

/** Last moment of the month below, and the moment as of which it is judged. */
export const MONTH_END = Date.UTC(2026, 1, 1);
export const MONTH_AS_OF = new Date(MONTH_END).toISOString();

/** The last days of a simulated company's month with all that leads to them: some 5,500 records in which most detectors find something. */
const MONTH = { seed: 'faults', end: MONTH_END, days: 10, scale: 0.1, fileMinutes: 1440 };

/** An empty folder that goes away with the test; others than its owner may enter it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kmswatch-test-'));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The month's records, in the order in which log files have them. */
export function monthRecords(): object[] {
  return [...simulateMonth(MONTH)].flatMap((file) => file.records);
}

/** The month's records as log files in a folder, of about the same size each. */
export async function writeMonth(folder: string, files: number): Promise<void> {
  const records = monthRecords();
  const each = Math.ceil(records.length / files);
  for (let at = 0; at < files; at += 1) {
    const name = `111122223333_CloudTrail_${String(at).padStart(3, '0')}.json.gz`;
    await writeFile(join(folder, name), gzipSync(JSON.stringify({ Records: records.slice(at * each, (at + 1) * each) }), { level: 1 }));
  }
}
