import { type Command, InvalidArgumentError } from 'commander';
import type { SimulateOptions } from '../actions/simulate.ts';
import type { App } from '../app.ts';
import { parseCount, parseTime } from '../arguments.ts';

export function registerSimulate(program: Command, app: App): void {
  program
    .command('simulate')
    .summary('write made-up CloudTrail files')
    .description(
      "Writes a month of one made-up company's KMS life as CloudTrail log files in the S3 layout. The same options write the same files.",
    )
    .requiredOption('--out <dir>', 'directory to write to')
    .option('--seed <text>', 'what chance begins with', 'kmswatch')
    .option('--days <n>', 'how long', parseCount(1, 366), 30)
    .option('--end <time>', 'its last moment (default now)', parseTime)
    .option('--scale <factor>', 'how much use: 1 gives some 30,000 records in 30 days', parseScale, 1)
    .option('--json', 'print what was written as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ kmswatch simulate --out ./sample\n  $ kmswatch simulate --out ./big --scale 10 --seed another --end 2026-03-01',
    )
    .action(async (options: SimulateOptions) => (await import('../actions/simulate.ts')).simulate(app, options));
}

function parseScale(text: string): number {
  const value = Number(text);
  if (!/^\d{1,4}(\.\d{1,6})?$/.test(text) || value <= 0 || value > 1000)
    throw new InvalidArgumentError('Give a number above 0, at most 1000.');
  return value;
}
