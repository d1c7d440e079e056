import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SimulateOptions } from '../actions/simulate.ts';
import type { App } from '../app.ts';
import { parseCount, parseTime } from '../arguments.ts';

export function registerSimulate(program: Command, app: App): void {
  program
    .command('simulate')
    .summary('write made-up CloudTrail files')
    .description(
      'Writes made-up KMS life as CloudTrail log files in the S3 layout: a month of one company, or months of an organization with labelled attacks. The same options write the same log files. See docs/simulate.md.',
    )
    .requiredOption('--out <dir>', 'directory to write to')
    .addOption(new Option('--world <world>', 'what to simulate').choices(['company', 'organization']).default('company'))
    .option('--seed <text>', 'what chance begins with', 'kmswatch')
    .option('--days <n>', 'how long (default: 30; an organization 90)', parseCount(1, 366))
    .option('--end <time>', 'its last moment (default now)', parseTime)
    .option(
      '--scale <factor>',
      'how much use: 1 gives a company some 40,000 records in 30 days, an organization 28 a key and day',
      parseScale,
      1,
    )
    .option('--accounts <n>', 'of the organization, with the security account', parseCount(2, 500), 40)
    .option('--keys <n>', 'of the organization', parseCount(2, 20_000), 400)
    .option(
      '--playbook <id[:variant]>',
      'an attack to tell in the organization, labelled in stories.json: one by name, "all" or "none"; variants loud, quiet, evasive; may be given several times',
      (text: string, before?: readonly string[]) => [...(before ?? []), text],
    )
    .option('--digests', 'write digest files as well, for kmswatch verify, with public-keys.json and digest-metadata.json')
    .option('--json', 'print what was written as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch simulate --out ./sample
  $ kmswatch simulate --out ./big --scale 10 --seed another --end 2026-03-01
  $ kmswatch simulate --out ./org --world organization --accounts 6 --keys 30 --playbook all:quiet
  $ kmswatch simulate --out ./proven --days 3 --digests
  $ kmswatch verify --path ./proven --public-keys ./proven/public-keys.json --metadata ./proven/digest-metadata.json`,
    )
    .action(async (options: SimulateOptions) => (await import('../actions/simulate.ts')).simulate(app, options));
}

function parseScale(text: string): number {
  const value = Number(text);
  if (!/^\d{1,4}(\.\d{1,6})?$/.test(text) || value <= 0 || value > 1000)
    throw new InvalidArgumentError('Give a number above 0, at most 1000.');
  return value;
}
