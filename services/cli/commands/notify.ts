import type { Command } from 'commander';
import type { App } from '../app.ts';

export function registerNotify(program: Command, app: App): void {
  const notify = program
    .command('notify')
    .summary('try out whom findings are told to')
    .description('Receivers of notifications, as the configuration says them.')
    .addHelpText('after', '\nExamples:\n  $ kmswatch notify test on-call');
  notify
    .command('test')
    .description('Sends a notification that says that it is a test, at once and once, and tells how it went.')
    .argument('<receiver>', 'name of a receiver of the configuration')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch notify test on-call\n  $ kmswatch notify test on-call --json')
    .action(async (receiver: string, options: { readonly json?: boolean }) =>
      (await import('../actions/notify-test.ts')).testReceiver(app, receiver, options),
    );
}
