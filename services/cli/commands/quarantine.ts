import { type Command, InvalidArgumentError } from 'commander';
import type { Kysely } from 'kysely';
import { visible } from '../../api/text/visible.ts';
import { bytes, iso, number, when } from '../../api/text/words.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { QUARANTINE_REASONS } from '../../core/quarantine.ts';
import { listQuarantine, type QuarantineEntry } from '../../store/quarantine.ts';
import type { Database } from '../../store/schema.ts';
import type { AsOf } from '../../workers/replay.ts';
import type { RetryOptions } from '../actions/retry.ts';
import type { App } from '../app.ts';
import { parseAsOf, parseCount, parseList } from '../arguments.ts';
import { printJson } from '../json.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';

const LIST_LIMIT = 100;

interface ListOptions {
  readonly reason?: readonly string[];
  readonly limit: number;
  readonly json?: boolean;
}

export function registerQuarantine(program: Command, app: App): void {
  const quarantine = program
    .command('quarantine')
    .summary('inputs that could not be processed')
    .description('Inputs that could not be processed are put aside whole, with the reason.')
    .addHelpText('after', '\nExamples:\n  $ kmswatch quarantine list\n  $ kmswatch quarantine retry --all');
  quarantine
    .command('list')
    .description('Lists what waits in quarantine, newest first.')
    .option('--reason <reason>', Object.keys(QUARANTINE_REASONS).join(', '), parseList(Object.keys(QUARANTINE_REASONS), 'reason'))
    .option('--limit <n>', 'at most so many', parseCount(1, 100_000), LIST_LIMIT)
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch quarantine list\n  $ kmswatch quarantine list --reason truncated --json')
    .action((options: ListOptions) => withReader(app, ({ db }) => list(app, db, options)));
  const retry = quarantine
    .command('retry')
    .description('Processes what waits in quarantine again, from the bytes that were kept; what goes through leaves the quarantine.')
    .argument('[id...]', 'ids, as "kmswatch quarantine list" shows them', parseIds)
    .option('--all', 'everything that waits')
    .option('--as-of <moment>', 'moment as of which is judged: newest (stored event), now, or a time', parseAsOf, 'newest' satisfies AsOf)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch quarantine retry 12 13\n  $ kmswatch quarantine retry --all')
    .action(async (ids: readonly number[] | undefined, options: RetryOptions) => {
      const given = ids ?? [];
      if (given.length > 0 === (options.all === true)) retry.error('error: give ids, or --all');
      await (await import('../actions/retry.ts')).retry(app, options.all ? null : given, options);
    });
}

async function list(app: App, db: Kysely<Database>, { reason = [], limit, json }: ListOptions): Promise<void> {
  const { stdout, stderr } = app.out;
  const lists =
    reason.length === 0
      ? [await listQuarantine(db, { limit })]
      : await Promise.all(reason.map((each) => listQuarantine(db, { reason: each, limit })));
  const entries = lists
    .flat()
    .toSorted((a, b) => b.id - a.id)
    .slice(0, limit);
  if (json) {
    printJson(stdout, entries.map(entryJson));
    return;
  }
  if (entries.length === 0) {
    stderr.write('Nothing waits in quarantine.\n');
    return;
  }
  const columns = [
    { head: 'ID', align: 'right' },
    { head: 'WHEN' },
    { head: 'REASON' },
    { head: 'WHERE', least: 24 },
    { head: 'KEPT' },
    { head: 'SEEN', align: 'right' },
    { head: 'WHAT', least: 24 },
  ] as const;
  const rows = entries.map((entry) => [
    String(entry.id),
    when(entry.quarantinedAt),
    entry.reason,
    visible(place(entry), 300),
    `${bytes(entry.bytes)}${entry.complete ? '' : ' (part)'}`,
    number(entry.seen),
    visible(entry.message, 300),
  ]);
  stdout.write(table(stdout, columns, rows));
}

function entryJson(entry: QuarantineEntry): JsonObject {
  return {
    id: entry.id,
    reason: entry.reason,
    message: entry.message,
    source: entry.source,
    locator: entry.locator,
    ordinal: entry.ordinal,
    offset: entry.byteOffset,
    length: entry.byteLength,
    kept_bytes: entry.bytes,
    complete: entry.complete,
    seen: entry.seen,
    quarantined_at: iso(entry.quarantinedAt),
  };
}

function place({ source, locator, ordinal, byteOffset }: QuarantineEntry): string {
  const path: Json | undefined = locator['path'];
  const where = typeof path === 'string' ? (path === '-' ? 'standard input' : path) : `${source} ${JSON.stringify(locator)}`;
  return `${where}${ordinal === null ? '' : `, record ${ordinal}`}${byteOffset === null ? '' : `, byte ${byteOffset}`}`;
}

function parseIds(text: string, before: readonly number[] = []): readonly number[] {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Ids are whole numbers.');
  return [...before, Number(text)];
}
