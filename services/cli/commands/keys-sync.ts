import { type Command, InvalidArgumentError } from 'commander';
import type { SyncOptions } from '../actions/keys-sync.ts';
import type { App } from '../app.ts';

export function registerKeysSync(keys: Command, app: App): void {
  keys
    .command('sync')
    .summary('read from KMS how keys stand')
    .description(
      'Asks KMS which keys there are and how each stands: state, rotation, policy, grants, aliases, tags, last use. Reads the accounts and Regions of the inventory section of the configuration; without one, --region reads the account of the credentials at hand. What was cut off is gone on with.',
    )
    .option('--account <id>', 'only this account', parse(/^\d{12}$/, 'Give a 12-digit AWS account number.'))
    .option(
      '--region <region>',
      'only this Region',
      parse(/^[a-z]{2,5}(-[a-z]{2,10}){1,3}-\d{1,2}$/, 'Give an AWS Region, as in eu-west-1.'),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch keys sync
  $ kmswatch keys sync --account 111122223333 --json
  $ AWS_PROFILE=audit kmswatch keys sync --region eu-west-1`,
    )
    // The list of keys has a --json too, which takes what is given here.
    .action(async (_own: SyncOptions, command: Command) =>
      (await import('../actions/keys-sync.ts')).syncKeys(app, command.optsWithGlobals<SyncOptions>()),
    );
}

function parse(pattern: RegExp, otherwise: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InvalidArgumentError(otherwise);
    return text;
  };
}
