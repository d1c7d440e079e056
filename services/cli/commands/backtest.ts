import { type Command, InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import { number } from '../../api/text/words.ts';
import type { App } from '../app.ts';
import { parseTime } from '../arguments.ts';

export interface BacktestArguments {
  readonly detector: string;
  readonly from?: number;
  readonly to?: number;
  readonly set: Readonly<Record<string, unknown>>;
  readonly json?: boolean;
}

const SETTINGS_LIMIT = 50;

export function registerBacktest(program: Command, app: App): void {
  program
    .command('backtest')
    .summary('try a detector on stored history')
    .description(
      `Runs a detector over everything that is stored, with other parameters if you like, and shows what it would find beside what it finds as configured. Findings are not touched.
Judged as of --to, by all that is stored: what happened after --to is not shown, but known.`,
    )
    .requiredOption('--detector <id>', 'id of a detector, see "kmswatch detectors"')
    .option('--from <time>', 'only what occurred from then on', parseTime)
    .option('--to <time>', 'only what occurred until then; the moment as of which is judged (default now)', parseTime)
    .option('--set <parameter=value>', 'parameter to try; may be given again', parseSetting, {})
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch backtest --detector key-deletion-short-window --set minWindowDays=21
  $ kmswatch backtest --detector denied-burst --from 2026-10-01 --to 2026-11-01 --json`,
    )
    .action(async (options: BacktestArguments) => {
      await (await import('../actions/backtest.ts')).runBacktest(app, options);
    });
}

/** Values are written as in the configuration file. */
function parseSetting(text: string, before: Record<string, unknown>): Record<string, unknown> {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  if (at < 1 || !/^[a-zA-Z][a-zA-Z0-9_]{0,63}$/.test(name)) throw new InvalidArgumentError('Write it as parameter=value.');
  if (Object.keys(before).length >= SETTINGS_LIMIT) throw new InvalidArgumentError(`At most ${number(SETTINGS_LIMIT)} can be given.`);
  try {
    return { ...before, [name]: parse(text.slice(at + 1), { maxAliasCount: 0 }) as unknown };
  } catch {
    throw new InvalidArgumentError('The value is written as in the configuration file.');
  }
}
