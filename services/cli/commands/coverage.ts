import { type Command, InvalidArgumentError } from 'commander';
import { lagText, sourceWarnings } from '../../api/text/sources.ts';
import { iso, number, when } from '../../api/text/words.ts';
import { DAY, HOUR } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import { SOURCE_NAMES } from '../../sources/contract.ts';
import { type CoverageRow, readCoverage } from '../../store/read/coverage.ts';
import { type SourceStanding, sourceStandings } from '../../workers/source-standings.ts';
import type { App } from '../app.ts';
import { parseTime } from '../arguments.ts';
import { coverageMap, isPartial, stateOf } from '../coverage-map.ts';
import { printJson } from '../json.ts';
import type { OutStream } from '../out.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';

interface CoverageOptions {
  readonly account?: string;
  readonly region?: string;
  readonly source?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

/** Hours of accounts × Regions × sources; more than anybody looks at. */
const MOST_ROWS = 500_000;
const DEFAULT_SPAN = 3 * DAY;

export function registerCoverage(program: Command, app: App): void {
  const coverage = program
    .command('coverage')
    .summary('what is known of which hour, and what is missing')
    .description(
      'Draws for every account and Region which hours were verified, ingested, read and found quiet, seen in part, or are missing; and how late and how completely each source delivers.',
    )
    .option('--account <id>', 'of this account only')
    .option('--region <region>', 'of this Region only')
    .option('--source <source>', SOURCE_NAMES.join(', '), parseSource)
    .option('--from <time>', 'ISO 8601, UTC unless it says otherwise (default: three days before the end)', parseTime)
    .option('--to <time>', 'the same (default: now)', parseTime)
    .option('--json', 'print {"from","to","sources":[…],"hours":[…]}')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch coverage
  $ kmswatch coverage --account 111122223333 --from 2026-03-01 --to 2026-04-01
  $ kmswatch coverage --source s3-trail --json`,
    )
    .action(async (options: CoverageOptions) => {
      const to = Math.ceil((options.to ?? app.clock.now()) / HOUR) * HOUR;
      const from = Math.floor((options.from ?? to - DEFAULT_SPAN) / HOUR) * HOUR;
      if (from >= to) coverage.error('error: --from must be before --to');
      await show(app, options, { from, to });
    });
}

function parseSource(text: string): string {
  if ((SOURCE_NAMES as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`There is no source ${JSON.stringify(text)}; it is one of ${SOURCE_NAMES.join(', ')}.`);
}

async function show(
  app: App,
  { account, region, source, json }: CoverageOptions,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const { stdout, stderr } = app.out;
  await withReader(app, async ({ pool }) => {
    const rows = await readCoverage(pool, { account, region, source, from, to }, MOST_ROWS + 1);
    const standings = (await sourceStandings(pool, app.clock.now())).filter((each) => source === undefined || each.source === source);
    const shown = rows.slice(0, MOST_ROWS);
    if (rows.length > MOST_ROWS) {
      stderr.write(`Only the first ${number(MOST_ROWS)} hours are told: name an account, a Region, a source or a shorter time.\n`);
    }
    if (json) printJson(stdout, { from: iso(from), to: iso(to), sources: standings.map(standingJson), hours: hoursJson(shown) });
    else draw(stdout, { rows: shown, standings, from, to });
  });
}

interface Picture {
  readonly rows: readonly CoverageRow[];
  readonly standings: readonly SourceStanding[];
  readonly from: number;
  readonly to: number;
}

function draw(stdout: OutStream, { rows, standings, from, to }: Picture): void {
  if (rows.length === 0) stdout.write('Nothing is known of this time.\n');
  else stdout.write(coverageMap(stdout, rows, { from, to }));
  if (standings.length === 0) return;
  stdout.write(`\n${standingsTable(stdout, standings)}`);
  for (const warning of standings.flatMap(sourceWarnings)) stdout.write(`! ${warning}\n`);
}

function standingsTable(stdout: OutStream, standings: readonly SourceStanding[]): string {
  return table(
    stdout,
    [
      { head: 'SOURCE' },
      { head: 'NEWEST EVENT' },
      { head: 'LAST HEARD' },
      { head: 'HALF WITHIN', align: 'right' },
      { head: '95 % WITHIN', align: 'right' },
      { head: 'ACCOUNTS × REGIONS', align: 'right' },
      { head: 'HOURS MISSING (7 D)', align: 'right' },
    ],
    standings.map(({ source, newestEvent, lastSuccess, lag, channels, missingHours }) => [
      source,
      when(newestEvent),
      when(lastSuccess),
      lagText(lag?.p50),
      lagText(lag?.p95),
      number(channels),
      number(missingHours),
    ]),
  );
}

function standingJson({ source, newestEvent, lastSuccess, lag, channels, missingHours, lacksReads, overCapacity }: SourceStanding): Json {
  const seconds = (value: number | undefined): number | null => (value === undefined || !Number.isFinite(value) ? null : value);
  return {
    source,
    newest_event: iso(newestEvent),
    last_heard: iso(lastSuccess),
    lag_seconds: lag && { p50: seconds(lag.p50), p95: seconds(lag.p95) },
    accounts_regions: channels,
    missing_hours_7d: missingHours,
    lacks_reads: lacksReads,
    over_capacity: overCapacity.map(({ account, region, eventsPerSecond }) => ({ account, region, events_per_second: eventsPerSecond })),
  };
}

function hoursJson(rows: readonly CoverageRow[]): Json[] {
  const states = new Map([...Map.groupBy(rows, nameOf)].map(([name, own]) => [name, stateOf(own)]));
  return rows.map((row) => ({
    account: row.account,
    region: row.region,
    hour: iso(row.hour),
    source: row.source,
    state: states.get(nameOf(row)) ?? 'unknown',
    deliveries: row.deliveries,
    events: row.events,
    verified: row.verified,
    missing: row.missing,
    gap: row.gap,
    complete: row.complete,
    partial: isPartial(row),
  }));
}

function nameOf({ account, region, hour }: CoverageRow): string {
  return `${account} ${region} ${hour}`;
}
