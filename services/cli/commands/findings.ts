import type { Command } from 'commander';
import type pg from 'pg';
import { findingJson } from '../../api/json/finding.ts';
import { counted, number } from '../../api/text/words.ts';
import { FINDING_STATUSES } from '../../core/finding.ts';
import type { Json } from '../../core/json.ts';
import { SEVERITIES } from '../../core/severity.ts';
import { DETECTORS } from '../../detectors/registry.ts';
import { countFindings, type FindingCursor, type FindingFilter, readFindings } from '../../store/read/findings.ts';
import { findKeys } from '../../store/read/keys.ts';
import type { App } from '../app.ts';
import { parseCount, parseList } from '../arguments.ts';
import { findingsTable } from '../findings-table.ts';
import { printJsonArray } from '../json.ts';
import { withReader } from '../reader.ts';

const PAGE = 500;
const TABLE_ROWS = 50;
const MOST = 1_000_000_000;

interface FindingsOptions {
  readonly severity?: readonly string[];
  readonly detector?: readonly string[];
  readonly status?: readonly string[];
  readonly key?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export function registerFindings(program: Command, app: App): void {
  program
    .command('findings')
    .summary('what was found')
    .description('Lists findings, the most urgent first. A filter takes several values, with commas or given again.')
    .option('--severity <severity>', SEVERITIES.join(', '), parseList(SEVERITIES, 'severity'))
    .option(
      '--detector <id>',
      'id of a detector, see "kmswatch detectors"',
      parseList(
        DETECTORS.map(({ id }) => id),
        'detector',
      ),
    )
    .option('--key <key>', 'ARN, id or alias of a key')
    .option('--status <status>', FINDING_STATUSES.join(', '), parseList(FINDING_STATUSES, 'status'))
    .option('--limit <n>', `at most so many (default ${TABLE_ROWS} in a table, all as JSON)`, parseCount(1, MOST))
    .option('--json', 'print them as a JSON array')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch findings --severity critical,high --status open
  $ kmswatch findings --key alias/payments
  $ kmswatch findings --detector rotation-overdue --json`,
    )
    .action((options: FindingsOptions) => withReader(app, ({ pool }) => list(app, pool, options)));
}

async function list(app: App, pool: pg.Pool, options: FindingsOptions): Promise<void> {
  const { stdout, stderr } = app.out;
  const filter: FindingFilter = {
    severities: options.severity ?? [],
    detectors: options.detector ?? [],
    statuses: options.status ?? [],
    keyArns: options.key === undefined ? [] : await arnsOf(pool, options.key),
  };
  if (options.json) {
    await printJsonArray(stdout, findingsJson(pool, filter, options.limit ?? MOST));
    return;
  }
  const limit = options.limit ?? TABLE_ROWS;
  const [{ findings, next }, count] = [await readFindings(pool, filter, { limit }), await countFindings(pool, filter)];
  if (findings.length === 0) {
    stderr.write('No findings.\n');
    return;
  }
  stdout.write(findingsTable(stdout, findings, { ids: true }));
  if (next !== null) stderr.write(`${number(findings.length)} of ${counted(count, 'finding')}; --limit shows more.\n`);
}

async function* findingsJson(pool: pg.Pool, filter: FindingFilter, limit: number): AsyncGenerator<Json> {
  let after: FindingCursor | null = null;
  let left = limit;
  do {
    const page = await readFindings(pool, filter, { limit: Math.min(PAGE, left), after });
    for (const finding of page.findings) yield findingJson(finding);
    left -= page.findings.length;
    after = page.next;
  } while (after !== null && left > 0);
}

/** The ARNs that a name may stand for: several where accounts or Regions share it. A name that nobody knows is looked for as it is. */
async function arnsOf(pool: pg.Pool, named: string): Promise<string[]> {
  const found = await findKeys(pool, named, 100);
  return [...new Set([named, ...found.flatMap(({ arn, alias }) => [arn, alias].filter((each) => each !== null))])];
}
