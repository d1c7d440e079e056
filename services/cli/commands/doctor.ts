import type { Command } from 'commander';
import type { App } from '../app.ts';

export function registerDoctor(program: Command, app: App): void {
  program
    .command('doctor')
    .summary('check that everything it needs is there')
    .description(
      'Checks Node, configuration, disk, database, migrations, clock, queues and what went wrong with the data, and says how to mend it. Exit code 1 when something fails.',
    )
    .option('--json', 'print the checks as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch doctor\n  $ kmswatch doctor --json')
    .action(async (options: { readonly json?: boolean }) => (await import('../actions/doctor.ts')).examine(app, options));
}
