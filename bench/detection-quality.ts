/**
 * `npm run bench -- detection-quality [--count N | --seeds a,b] [--days N] [--accounts N] [--keys N] [--records N] [--json] [--write]`:
 * how many attacks detection recognises, how soon, and how much it says about ordinary work. docs/detection-quality.md tells the method;
 * `--write` puts the tables there, `--gaps FILE` writes what was missed and what was noise, one by one, as JSON.
 */
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { qualityOf, type SeedVerdict, tables } from './detection-quality/report.ts';
import type { Message } from './detection-quality/seed.ts';
import { FULL, type Size } from './detection-quality/trial.ts';

const PROCESSES = 2;
const PAGE = fileURLToPath(new URL('../docs/detection-quality.md', import.meta.url));

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    count: { type: 'string', default: '20' },
    seeds: { type: 'string' },
    days: { type: 'string', default: String(FULL.days) },
    accounts: { type: 'string', default: String(FULL.accounts) },
    keys: { type: 'string', default: String(FULL.keys) },
    records: { type: 'string', default: String(FULL.records) },
    gaps: { type: 'string' },
  },
});
/** Those before have been looked at: docs/detection-quality.md tells when and why. */
const FIRST_SEED = 21;
const seeds = values.seeds?.split(',') ?? Array.from({ length: Number(values.count) }, (_, at) => `report-${FIRST_SEED + at}`);
const size = { days: Number(values.days), accounts: Number(values.accounts), keys: Number(values.keys), records: Number(values.records) };
const began = performance.now();
const days = new Map<string, number>();
const verdicts = new Map<string, SeedVerdict>();

const waiting = [...seeds];
await Promise.all(Array.from({ length: PROCESSES }, takeSeeds));
const ordered = seeds.flatMap((seed) => verdicts.get(seed) ?? []);
const quality = qualityOf(ordered);
const text = tables(quality);
if (values.gaps !== undefined) {
  const missed = ordered.flatMap(({ seed, stories }) =>
    stories.filter(({ recognised }) => !recognised).map((story) => ({ seed, ...story })),
  );
  const noise = ordered.flatMap(({ seed, noise: findings }) => findings.map((finding) => ({ seed, ...finding })));
  const stories = ordered.flatMap(({ seed, stories: all }) => all.map((story) => ({ seed, ...story })));
  writeFileSync(values.gaps, JSON.stringify({ quality, missed, noise, stories }, null, 1));
}
if (values.write) writeFileSync(PAGE, between(readFileSync(PAGE, 'utf8'), `${text}\n\n${told()}`));
process.stdout.write(values.json ? `${JSON.stringify(quality)}\n` : `${text}\n`);
say(`done in ${minutes(performance.now() - began)}`);

async function takeSeeds(): Promise<void> {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) verdicts.set(seed, await judged(seed));
}

function judged(seed: string): Promise<SeedVerdict> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL('./detection-quality/seed.ts', import.meta.url));
    const child = fork(script, [JSON.stringify({ seed, ...size } satisfies Size)], { execArgv: ['--max-old-space-size=6000'] });
    let verdict: SeedVerdict | undefined;
    child.on('message', (message: Message) => {
      if ('verdict' in message) verdict = message.verdict;
      else days.set(seed, message.day);
      if ('day' in message && message.day % 10 === 0) say(progress(seed, message.day));
    });
    child.on('error', reject);
    child.on('close', (code) => (verdict ? resolve(verdict) : reject(new Error(`seed ${seed} ended with ${code}`))));
  });
}

function progress(seed: string, day: number): string {
  const spent = performance.now() - began;
  const done = [...days.values()].reduce((sum, each) => sum + each, 0) / (seeds.length * size.days);
  return `${seed}: day ${day} of ${size.days}; ${verdicts.size} of ${seeds.length} seeds done, ${minutes(spent)} spent, some ${minutes(spent / done - spent)} left`;
}

/** When and how the tables came about. */
function told(): string {
  const how = `${size.days} days, ${size.accounts} accounts, ${size.keys} keys and some ${size.records.toLocaleString('en-US')} records a seed`;
  const cost = `${minutes(performance.now() - began)} in all, ${minutes(quality.cpuMsPerSeed)} of processor time and at most ${quality.rssMb} MB a seed`;
  return `Measured ${new Date().toISOString().slice(0, 10)}: ${how}; ${cost}.`;
}

/** The page with other tables. */
function between(page: string, inner: string): string {
  const [begin, end] = ['<!-- tables: npm run bench -- detection-quality --write -->', '<!-- end of tables -->'];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks its markers`);
  return `${page.slice(0, from + begin.length)}\n\n${inner}\n\n${page.slice(to)}`;
}

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} min`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
