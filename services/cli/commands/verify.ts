import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visible } from '../../api/text/visible.ts';
import { bytes as size, counted, number, when } from '../../api/text/words.ts';
import { type ObjectMetadata, parseManifest } from '../../compliance/integrity/object-metadata.ts';
import { PublicKeys } from '../../compliance/integrity/public-keys.ts';
import { type ChainTally, countDigests } from '../../compliance/integrity/tally.ts';
import type { Problem } from '../../compliance/integrity/verdict.ts';
import { ofTrail, together, type Verification, verifyTrails } from '../../compliance/integrity/verify.ts';
import { DAY, MINUTE } from '../../core/clock.ts';
import { KmswatchError } from '../../core/errors.ts';
import { createAws } from '../../platform/aws.ts';
import { DEFAULT_LIMITS } from '../../sources/limits.ts';
import { VERSION } from '../../workers/version.ts';
import { type App, Interrupted, readConfig } from '../app.ts';
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
  readonly path?: string;
  readonly publicKeys?: readonly string[];
  readonly metadata?: string;
  readonly trail?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

export function registerVerify(program: Command, app: App): void {
  program
    .command('verify')
    .summary('prove that log files are as CloudTrail delivered them')
    .description(
      'Validates a trail: the signature of every digest, the chain of digests hour by hour, the hash of every log file, and that no file is missing or was added. With --path it reads a downloaded copy and needs neither AWS nor a database; without, it reads the buckets of the configuration (integrity.trails). Exit code 0 only when everything is proven.',
    )
    .option('--path <folder>', 'a copy in the layout of the bucket, instead of the bucket')
    .option(
      '--public-keys <file>',
      'with --path: output of "aws cloudtrail list-public-keys"; several files may be given, as REGION=FILE each for its Region alone',
      (file: string, before?: readonly string[]) => [...(before ?? []), file],
    )
    .option(
      '--metadata <file>',
      'with --path: JSON of object keys and their user metadata, for the signatures; without it they are taken from the next digest',
    )
    .option('--trail <name>', 'only the chains of this trail, by name or ARN')
    .option(
      '--from <time>',
      'validate what was delivered after this (default: from the first digest of a copy; a day before --to in a bucket)',
      parseTime,
    )
    .option(
      '--to <time>',
      'validate up to this, or "now"; until then there must be a digest every hour (default: to the last digest of a copy; now in a bucket)',
      (text) => (text === 'now' ? app.clock.now() : parseTime(text)),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch verify --from 2026-03-01 --to 2026-04-01
  $ kmswatch verify --trail org-trail --json
  $ kmswatch verify --path ./copy --public-keys keys.json --metadata manifest.json
  $ kmswatch verify --path ./copy --public-keys eu-west-1=ireland.json --public-keys us-east-1=virginia.json --from 2026-03-01 --to 2026-04-01`,
    )
    .action(async (options: VerifyOptions, command: Command) => {
      if (options.from !== undefined && options.to !== undefined && options.from >= options.to)
        command.error('error: --from must be before --to');
      if (options.path !== undefined && options.publicKeys === undefined) command.error('error: --path needs --public-keys');
      if (options.path === undefined && (options.publicKeys ?? options.metadata) !== undefined)
        command.error('error: --public-keys and --metadata need --path');
      await verify(app, options);
    });
}

interface Verified {
  readonly result: Verification;
  readonly period: { readonly from: number | null; readonly to: number | null };
  /** Where nothing was found, when nothing was. */
  readonly place: string;
  readonly hint: string;
}

async function verify(app: App, options: VerifyOptions): Promise<void> {
  const read = { digests: 0, bytes: 0 };
  let place = '…';
  const watch: Watch = {
    onProgress: ({ area }) => void (place = `${area.account} ${area.region}`),
    onRead(kind, bytes) {
      if (app.interrupt.aborted) throw new Interrupted();
      if (kind === 'digest') read.digests += 1;
      else read.bytes += bytes;
      app.status.show(`Verifying ${place}: ${counted(read.digests, 'digest')}, ${size(read.bytes)} of log files`);
    },
  };
  const verified = options.path === undefined ? await verifyBuckets(app, options, watch) : await verifyFolder(app, options, watch);
  app.status.clear();
  const { period, hint } = verified;
  const name = options.trail === undefined ? null : nameOf(options.trail);
  const result = name === null ? verified.result : ofTrail(verified.result, name);
  if (result.chains.length === 0) {
    const what = name === null ? 'no CloudTrail files' : `no digests of a trail ${name}`;
    throw new KmswatchError('SOURCE_UNREADABLE', `There are ${what} of this period in ${verified.place}.`, { hint });
  }
  if (options.json) printJson(app.out.stdout, verificationJson(result, { ...period, bytes: read.bytes }));
  else printResult(app, result, period.to);
  app.finish(result.verdict === 'verified' ? 0 : 1);
}

interface Watch {
  readonly onProgress: (progress: { readonly area: { readonly account: string; readonly region: string } }) => void;
  readonly onRead: (kind: 'digest' | 'log', bytes: number) => void;
}

async function verifyFolder(app: App, options: VerifyOptions, { onProgress, onRead }: Watch): Promise<Verified> {
  const { path = '' } = options;
  const { publicKeys, manifest } = await readInputs(app, options);
  const copy = await openTrailFolder(resolve(app.directory, path), { metadata: manifest, onRead });
  const period = { from: options.from ?? null, to: options.to ?? null };
  const result = await verifyTrails({ copy, publicKeys, period, concurrency: CONCURRENCY, onProgress });
  return { result, period, place: path, hint: 'Name the folder that holds AWSLogs/ACCOUNT/CloudTrail-Digest/REGION/… as in the bucket.' };
}

/** Reads and hashes what lies in the buckets now, whatever is known of it: nothing is taken from the database. */
async function verifyBuckets(app: App, options: VerifyOptions, { onProgress, onRead }: Watch): Promise<Verified> {
  const { integrity } = readConfig(app, { quiet: true });
  if (!integrity)
    throw new KmswatchError('CONFIG_INVALID', 'No trail is configured.', {
      hint: 'Name its bucket under integrity.trails in the configuration, or a downloaded copy with --path.',
    });
  // The clients take long to load, and a copy needs none.
  const [{ openTrailBucket }, { LiveKeys }, { liveTrail }] = await Promise.all([
    import('../../sources/s3-trail/trail-bucket.ts'),
    import('../../workers/integrity/live-keys.ts'),
    import('../trail-live.ts'),
  ]);
  const aws = createAws({ clock: app.clock, version: VERSION });
  // A digest that is not due yet is not missing.
  const to = Math.min(options.to ?? Infinity, app.clock.now() - integrity.grace_minutes * MINUTE);
  const period = { from: options.from ?? to - DAY, to };
  const results: Verification[] = [];
  for (const trail of integrity.trails) {
    const bucket = openTrailBucket(trail, { aws, limits: DEFAULT_LIMITS });
    try {
      const copy = liveTrail(bucket, { period, onRead });
      const publicKeys = new LiveKeys({ aws, trail, kept: null });
      results.push(await verifyTrails({ copy, publicKeys, period, concurrency: CONCURRENCY, onProgress }));
    } finally {
      bucket.close();
    }
  }
  const place = integrity.trails.map(({ bucket }) => `s3://${bucket}`).join(', ');
  return { result: together(results), period, place, hint: 'Look at prefix and organization_id of integrity.trails in the configuration.' };
}

/** `arn:aws:cloudtrail:eu-west-1:111122223333:trail/NAME` is told by its name. */
function nameOf(trail: string): string {
  return trail.startsWith('arn:') ? trail.slice(trail.indexOf('/') + 1) : trail;
}

async function readInputs(
  app: App,
  { publicKeys = [], metadata }: VerifyOptions,
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
  else if (result.verdict === 'unknown')
    stdout.write(
      `${paint(stdout, 'red', 'Unknown:')} ${proven}; nothing is wrong, but ${counted(result.found, 'file')} could not be read.\n`,
    );
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
  const { valid, changed, missing, unreadable, unproven, unlisted, pending } = logFiles;
  const others = Object.entries({ unreadable, unproven, unlisted, pending }).filter(([, count]) => count > 0);
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
