import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BackfillOptions } from '../actions/backfill.ts';
import type { App } from '../app.ts';
import { parseCount, parseTime } from '../arguments.ts';

const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z]{2,8}(-[a-z]{1,16}){1,4}-\d{1,2}$/;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
const PREFIX = /^[^\p{C}]{1,512}$/u;

export function registerBackfill(program: Command, app: App): void {
  const command = program
    .command('backfill')
    .summary('take records of the past from AWS')
    .description(
      "Takes CloudTrail records of whole days (UTC) of the past: log files from a trail's bucket, listed by account, Region and day, or the event history of the last 90 days. What is stored already is not read again; a run that was cut off goes on where it was when it is given the same again. Live sources go first.",
    )
    .requiredOption('--from <time>', 'first day', parseTime)
    .requiredOption('--to <time>', 'end of the last day, exclusive, or "now"', (text: string) =>
      text === 'now' ? app.clock.now() : parseTime(text),
    )
    .addOption(new Option('--source <source>', 's3: log files; lookup: event history').choices(['s3', 'lookup']).makeOptionMandatory())
    .option('--accounts <ids>', 'only these accounts, with commas', parseEach(ACCOUNT, '12-digit account numbers'))
    .option('--regions <names>', 'only these Regions, with commas', parseEach(REGION, 'Regions as in eu-west-1'))
    .option('--bucket <name>', 'bucket of the trail (s3; default: the one in the configuration)', parseOne(BUCKET, 'the name of a bucket'))
    .option('--prefix <prefix>', 'what comes before AWSLogs in the bucket (s3)', parseOne(PREFIX, 'a prefix of object keys'))
    .option(
      '--organization-id <id>',
      "of an organization's trail (s3; default: what is there)",
      parseOne(ORGANIZATION, 'an id as in o-abcde12345'),
    )
    .option('--bucket-region <region>', 'Region of the bucket (s3; default: found out)', parseOne(REGION, 'a Region as in eu-west-1'))
    .option('--parallel <n>', 'days (s3) or accounts and Regions (lookup) that are read at a time', parseCount(1, 64), 4)
    .option('--again', 'also days that an earlier run has done')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch backfill --from 2026-01-01 --to 2026-04-01 --source s3 --bucket org-cloudtrail-logs
  $ kmswatch backfill --from 2026-03-01 --to now --source s3 --accounts 111122223333 --regions eu-west-1,us-east-1
  $ kmswatch backfill --from 2026-03-01 --to now --source lookup --json`,
    )
    .action(async (options: BackfillOptions) => {
      if (options.from >= options.to) command.error('error: --from must be before --to');
      const forTrails = [options.bucket, options.prefix, options.organizationId, options.bucketRegion];
      if (options.source === 'lookup' && forTrails.some((value) => value !== undefined))
        command.error('error: --bucket, --prefix, --organization-id and --bucket-region are for --source s3');
      const { backfill, oldestPossible } = await import('../actions/backfill.ts');
      const problem = options.source === 'lookup' ? oldestPossible(options.from, app.clock.now()) : null;
      if (problem !== null) command.error(`error: ${problem}`);
      await backfill(app, options);
    });
}

/** A list, given with commas or by repeating the option. @throws InvalidArgumentError */
function parseEach(pattern: RegExp, what: string): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    const words = text.split(',').map((word) => word.trim());
    if (!words.every((word) => pattern.test(word))) throw new InvalidArgumentError(`Give ${what}, with commas between them.`);
    return [...new Set([...before, ...words])];
  };
}

function parseOne(pattern: RegExp, what: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`Give ${what}.`);
    return text;
  };
}
