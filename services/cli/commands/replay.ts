import type { Command } from 'commander';
import type { AsOf } from '../../workers/replay.ts';
import type { ReplayOptions } from '../actions/replay.ts';
import type { App } from '../app.ts';
import { parseAsOf } from '../arguments.ts';

export function registerReplay(program: Command, app: App): void {
  program
    .command('replay')
    .summary('ingest CloudTrail files and judge them')
    .description(
      `Ingests CloudTrail records from files and folders: log files ({"Records":[…]}), plain or gzip, NDJSON, single records, arrays, output of "aws cloudtrail lookup-events", EventBridge envelopes. Returns when all of it has been judged. What is known already is not stored twice.`,
    )
    .argument('<path...>', 'files, folders, or - for standard input')
    .option(
      '--as-of <moment>',
      'moment as of which is judged: newest (event of this replay), now, or a time',
      parseAsOf,
      'newest' satisfies AsOf,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch replay ./AWSLogs
  $ kmswatch replay trail.json.gz more.ndjson --as-of now
  $ aws cloudtrail lookup-events --output json | kmswatch replay - --json`,
    )
    .action(async (paths: string[], options: ReplayOptions) => (await import('../actions/replay.ts')).replayPaths(app, paths, options));
}
