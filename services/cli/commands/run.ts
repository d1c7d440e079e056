import type { Command } from 'commander';
import { ROLES } from '../../workers/roles.ts';
import type { RunOptions } from '../actions/run.ts';
import type { App } from '../app.ts';
import { parseList } from '../arguments.ts';

export function registerRun(program: Command, app: App): void {
  program
    .command('run')
    .summary('start the service and keep it up')
    .description(
      'Starts the service and keeps it up: works on what is queued, judges, serves the status page and the metrics. The first start of a database replays a month of sample records.',
    )
    .option('--role <role>', `part to start, may be given several times: ${ROLES.join(', ')} (default all)`, parseList(ROLES, 'role'))
    .option('--no-sample', 'do not replay the sample records on the first start')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch run                                    everything in one process
  $ kmswatch run --no-sample --listen 0.0.0.0:8787
  $ kmswatch run --role ingest --role detect        a worker; start as many as you like
  $ kmswatch run --role api                         status page and metrics only`,
    )
    .action(async (options: RunOptions) => (await import('../actions/run.ts')).run(app, options));
}
