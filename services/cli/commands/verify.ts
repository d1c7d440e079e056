import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visible } from '../../api/text/visible.ts';
import { bytes as size, counted, number, when } from '../../api/text/words.ts';
import { type ObjectMetadata, parseManifest } from '../../compliance/integrity/object-metadata.ts';
import { PublicKeys } from '../../compliance/integrity/public-keys.ts';
import { type ChainTally, countDigests } from '../../compliance/integrity/tally.ts';
import type { Problem } from '../../compliance/integrity/verdict.ts';
import { type Verification, verifyTrails } from '../../compliance/integrity/verify.ts';
import { KmswatchError } from '../../core/errors.ts';
import { type App, Interrupted } from '../app.ts';
import { parseTime } from '../arguments.ts';
import { cannotBeRead } from '../cannot-be-read.ts';
import { printJson } from '../json.ts';
import { paint } from '../out.ts';
import { printRemark } from '../problem.ts';
import { table } from '../table.ts';
import { openTrailFolder } from '../trail-folder.ts';
import { verificationJson } from '../verification-json.ts';

/** Log files read and inflated side by side: zlib works on four threads, and while it does the last content is hashed. */
const CONCURRENCY = 4;

const PROBLEMS_SHOWN = 50;

/** `eu-west-1=keys.json` */
const OF_REGION = /^([a-z]{2,5}(?:-[a-z0-9]{1,12}){1,4})=(.+)$/s;

interface VerifyOptions {
  readonly path: string;
  readonly publicKeys: readonly string[];
  readonly metadata?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

export function registerVerify(program: Command, app: App): void {
  program
    .command('verify')
    .summary('prove that log files are as CloudTrail delivered them')
    .description(
      'Validates a downloaded copy of a trail: the signature of every digest, the chain of digests hour by hour, the hash of every log file, and that no file is missing or was added. Needs neither AWS nor a database. Exit code 0 only when everything is proven.',
    )
    .requiredOption('--path <folder>', 'the copy, in the layout of the bucket')
    .requiredOption(
      '--public-keys <file>',
      'output of "aws cloudtrail list-public-keys"; several files may be given, as REGION=FILE each for its Region alone',
      (file: string, before?: readonly string[]) => [...(before ?? []), file],
    )
    .option(
      '--metadata <file>',
      'JSON of object keys and their user metadata, for the signatures; without it they are taken from the next digest',
    )
    .option('--from <time>', 'validate what was delivered after this (default: from the first digest)', parseTime)
    .option(
      '--to <time>',
      'validate up to this, or "now"; until then there must be a digest every hour (default: to the last digest)',
      (text) => (text === 'now' ? app.clock.now() : parseTime(text)),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch verify --path ./copy --public-keys keys.json --metadata manifest.json
  $ kmswatch verify --path ./copy --public-keys eu-west-1=ireland.json --public-keys us-east-1=virginia.json --from 2026-03-01 --to 2026-04-01`,
    )
    .action(async (options: VerifyOptions, command: Command) => {
      if (options.from !== undefined && options.to !== undefined && options.from >= options.to)
        command.error('error: --from must be before --to');
      await verify(app, options);
    });
}

async function verify(app: App, options: VerifyOptions): Promise<void> {
  const { publicKeys, manifest } = await readInputs(app, options);
  const read = { digests: 0, bytes: 0 };
  let place = '…';
  const copy = await openTrailFolder(resolve(app.directory, options.path), {
    metadata: manifest,
    onRead: (kind, bytes) => {
      if (app.interrupt.aborted) throw new Interrupted();
      if (kind === 'digest') read.digests += 1;
      else read.bytes += bytes;
      app.status.show(`Verifying ${place}: ${counted(read.digests, 'digest')}, ${size(read.bytes)} of log files`);
    },
  });
  const period = { from: options.from ?? null, to: options.to ?? null };
  const onProgress = ({ area }: { area: { account: string; region: string } }): void => void (place = `${area.account} ${area.region}`);
  const result = await verifyTrails({ copy, publicKeys, period, concurrency: CONCURRENCY, onProgress });
  app.status.clear();
  if (result.chains.length === 0)
    throw new KmswatchError('SOURCE_UNREADABLE', `There are no CloudTrail files of this period in ${options.path}.`, {
      hint: 'Name the folder that holds AWSLogs/ACCOUNT/CloudTrail-Digest/REGION/… as in the bucket.',
    });
  if (options.json) printJson(app.out.stdout, verificationJson(result, { ...period, bytes: read.bytes }));
  else printResult(app, result, period.to);
  app.finish(result.verdict === 'verified' ? 0 : 1);
}

async function readInputs(
  app: App,
  { publicKeys, metadata }: VerifyOptions,
): Promise<{ publicKeys: PublicKeys; manifest: ReadonlyMap<string, ObjectMetadata> | null }> {
  const keys = new PublicKeys();
  for (const given of publicKeys) {
    const [, region = null, name = given] = OF_REGION.exec(given) ?? [];
    keys.add(await readJson(app, name), { name, region });
  }
  return { publicKeys: keys, manifest: metadata === undefined ? null : parseManifest(await readJson(app, metadata), metadata) };
}

async function readJson(app: App, name: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(resolve(app.directory, name), 'utf8');
  } catch (cause) {
    throw cannotBeRead(name, cause);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch (cause) {
    throw new KmswatchError('INPUT_INVALID', `${name} is not JSON.`, { cause });
  }
}

function printResult({ out: { stdout, stderr } }: App, result: Verification, to: number | null): void {
  const [digests, logs] = [total(result, (tally) => tally.digests.valid), total(result, (tally) => tally.logFiles.valid)];
  stdout.write(table(stdout, COLUMNS, result.chains.map(row)));
  stdout.write('\n');
  if (result.problems.length > 0) {
    stdout.write(
      table(
        stdout,
        [{ head: 'VERDICT' }, { head: 'OBJECT', least: 40 }, { head: 'WHAT', least: 30 }],
        result.problems.slice(0, PROBLEMS_SHOWN).map(problemRow),
      ),
    );
    if (result.found > PROBLEMS_SHOWN)
      stdout.write(`… and ${counted(result.found - PROBLEMS_SHOWN, 'more problem')}; --json tells more.\n`);
    stdout.write('\n');
  }
  const proven = `${counted(digests, 'digest')} and ${counted(logs, 'log file')} are proven`;
  if (result.verdict === 'verified') stdout.write(`${paint(stdout, 'green', 'Verified:')} ${proven}.\n`);
  else if (result.verdict === 'not enabled')
    stdout.write(`${paint(stdout, 'red', 'Not enabled:')} there is no digest to go by, so nothing is proven.\n`);
  else stdout.write(`${paint(stdout, 'red', 'Failed:')} ${proven}; ${counted(result.found, 'problem')}.\n`);
  if (to === null && result.verdict !== 'not enabled')
    printRemark(stderr, `Whether newer digests are gone was not asked: --to says until when there must be some.`);
}

const COLUMNS = [
  { head: 'ACCOUNT' },
  { head: 'REGION' },
  { head: 'TRAIL', least: 12 },
  { head: 'FROM' },
  { head: 'TO' },
  { head: 'DIGESTS', align: 'right' },
  { head: 'LOG FILES', align: 'right' },
  { head: 'OTHERS', least: 12 },
] as const;

function row(tally: ChainTally): string[] {
  const { trail, covered, digests, logFiles } = tally;
  const { valid, changed, missing, unproven, unlisted, pending } = logFiles;
  const others = Object.entries({ unproven, unlisted, pending }).filter(([, count]) => count > 0);
  return [
    visible(tally.account),
    visible(tally.region),
    trail === null ? '-' : visible(`${trail.name}${trail.backfill ? ' (backfill)' : ''}`, 140),
    when(covered?.from ?? null),
    when(covered?.to ?? null),
    `${number(digests.valid)} of ${number(countDigests(tally))}`,
    `${number(valid)} of ${number(valid + changed + missing)}`,
    others.map(([name, count]) => `${number(count)} ${name}`).join(', ') || '-',
  ];
}

function problemRow({ verdict, object, message }: Problem): string[] {
  return [verdict, visible(object, 1100), visible(message, 600)];
}

function total({ chains }: Verification, count: (tally: ChainTally) => number): number {
  return chains.reduce((sum, tally) => sum + count(tally), 0);
}
