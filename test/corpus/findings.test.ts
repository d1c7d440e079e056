import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import type { KmsEvent } from '../../services/core/event.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { configureDetectors, relevanceFilter } from '../../services/detectors/configure.ts';
import type { Organization } from '../../services/detectors/contract.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { normalize } from '../../services/normalize/normalize.ts';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import { openBytes } from '../../services/sources/read.ts';
import { judge } from '../../services/workers/fixtures/run.ts';

/**
 * Recorded and documented CloudTrail records lie outside the repository, because they are not ours to give away. What every detector
 * finds in each file of them, judged by itself, and in all together is kept in `test/fixtures/golden/corpus.txt`: names and counts,
 * for a person to read. When it changes for a reason, write it anew and read the difference:
 *
 *     npm run test:unit -- test/corpus/findings.test.ts -u
 */
const FOLDER = join(import.meta.dirname, '../../../shared/corpus');
const PRESENT = existsSync(FOLDER);
const GOLDEN = '../fixtures/golden/corpus.txt';

/** Nothing is known of who they are about. */
const NOBODY: Organization = { ownAccounts: new Set(), logKeys: new Set() };
const CONFIGURED = configureDetectors(DETECTORS);
const RELEVANT = relevanceFilter(CONFIGURED, NOBODY);

test(`what is found in the corpus of recorded records is ${PRESENT ? 'what the golden file lists' : 'not compared: it is not on this machine'}`, async () => {
  expect(existsSync(FOLDER)).toBe(PRESENT);
  if (!PRESENT) return;
  const files = await Promise.all(filesOf(FOLDER).map(async (path) => ({ path, events: await eventsIn(join(FOLDER, path)) })));
  const all = { path: 'all together', events: files.flatMap(({ events }) => events) };
  expect(all.events.length).toBeGreaterThan(100);
  const text = [...files, all].map(({ path, events }) => `${path}: ${events.length} events\n${linesOf(findingsOf(events))}`).join('\n');
  await expect(text).toMatchFileSnapshot(GOLDEN);
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Those that the service would store; what it drops or puts aside is left out. */
async function eventsIn(path: string): Promise<KmsEvent[]> {
  const { records } = await openBytes(readFileSync(path), DEFAULT_LIMITS);
  return records.flatMap(({ bytes }) => {
    const result = normalize(bytes, RELEVANT);
    return result.outcome === 'ok' ? [result.event] : [];
  });
}

function findingsOf(events: readonly KmsEvent[]): DerivedFinding[] {
  const asOf = events.reduce((latest, { eventTime }) => Math.max(latest, eventTime), 0);
  return judge(subjectsOf(events, NOBODY), CONFIGURED, { asOf, organization: NOBODY });
}

/** One line for each detector that fires: `  key-disabled: 2 open, 1 resolved`. */
function linesOf(findings: readonly DerivedFinding[]): string {
  const byDetector = [...Map.groupBy(findings, ({ detector }) => detector)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = byDetector.map(([detector, found]) => {
    const open = found.filter((finding) => finding.open).length;
    const counts = [open > 0 ? `${open} open` : '', open < found.length ? `${found.length - open} resolved` : ''];
    return `  ${detector}: ${counts.filter((part) => part !== '').join(', ')}\n`;
  });
  return lines.length === 0 ? '  nothing\n' : lines.join('');
}
