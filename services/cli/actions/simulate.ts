import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bytes, counted, iso, number } from '../../api/text/words.ts';
import { DAY } from '../../core/clock.ts';
import { KmswatchError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { simulateMonth } from '../../simulate/company.ts';
import { DigestChains } from '../../simulate/digests.ts';
import type { LogFile } from '../../simulate/log-file.ts';
import type { Part } from '../../simulate/organization/casting.ts';
import { VARIANTS } from '../../simulate/organization/contract.ts';
import { planOrganization, USUAL_RECORDS } from '../../simulate/organization/plan.ts';
import { PLAYBOOKS } from '../../simulate/organization/playbooks.ts';
import { storyJson } from '../../simulate/organization/story-json.ts';
import { type App, Interrupted } from '../app.ts';
import { printJson } from '../json.ts';
import { type WrittenMonth, writeLogFiles } from '../month-files.ts';

export interface SimulateOptions {
  readonly out: string;
  readonly seed: string;
  readonly world: 'company' | 'organization';
  readonly days?: number;
  readonly end?: number;
  readonly scale: number;
  readonly accounts: number;
  readonly keys: number;
  readonly playbook?: readonly string[];
  readonly digests?: boolean;
  readonly json?: boolean;
}

const DAYS = { company: 30, organization: 90 } as const;
const TRAIL = { trail: 'larkspur-org', bucket: 'larkspur-org-trail', homeRegion: 'us-east-1' } as const;

interface Simulated {
  readonly files: Iterable<LogFile>;
  /** What `--json` tells besides; labels of injected stories, null for a world that has none. */
  readonly about: JsonObject;
  readonly stories: readonly JsonObject[] | null;
}

/** Writes a simulated world as files: log files, digests, and beside them what only a judge should know. */
export async function simulate(app: App, options: SimulateOptions): Promise<void> {
  const { seed, world, scale, days = DAYS[world] } = options;
  const end = Math.floor((options.end ?? app.clock.now()) / 1000) * 1000;
  const folder = resolve(app.directory, options.out);
  const { files, about, stories } = world === 'company' ? company(options, { days, end }) : organization(options, { days, end });
  const digests = options.digests ? chains(end - days * DAY, end) : null;
  const written = await write(folder, async () => {
    const found = await writeLogFiles(folder, files, {
      signal: app.interrupt,
      onFile: (soFar) => app.status.show(`${number(soFar.files)} files, ${number(soFar.records)} records`),
      ...(digests ? { digests } : {}),
    });
    if (stories) await writeJson(folder, 'stories.json', { stories });
    if (digests) await writeJson(folder, 'public-keys.json', digests.publicKeys());
    if (digests) await writeJson(folder, 'digest-metadata.json', digests.metadata());
    return found;
  });
  app.status.clear();
  if (app.interrupt.aborted) throw new Interrupted();
  const result = { out: folder, seed, world, end: iso(end), days, scale, ...about, ...written };
  if (options.json) printJson(app.out.stdout, result);
  else app.out.stdout.write(summary(folder, written, stories));
}

function company({ seed, scale }: SimulateOptions, { days, end }: { days: number; end: number }): Simulated {
  return { files: simulateMonth({ seed, days, scale, end }), about: {}, stories: null };
}

function organization(options: SimulateOptions, { days, end }: { days: number; end: number }): Simulated {
  const { seed, scale, accounts, keys } = options;
  const records = Math.round(USUAL_RECORDS * keys * days * scale);
  const plan = refusing(() =>
    planOrganization({ seed, end, days, accounts, keys, records, stories: partsOf(options.playbook ?? []), playbooks: PLAYBOOKS }),
  );
  const about = { accounts, keys, stories: plan.stories.length };
  return { files: plan.files(), about, stories: plan.stories.map(storyJson) };
}

/** `all`, `all:quiet`, `ID` (loud), `ID:evasive`, `none`. */
function partsOf(named: readonly string[]): Part[] {
  return named.flatMap((text) => {
    if (text === 'none') return [];
    const [id = '', given] = text.split(':');
    const variants = VARIANTS.filter((variant) => (given === undefined ? id === 'all' || variant === 'loud' : variant === given));
    const playbooks = PLAYBOOKS.filter((playbook) => id === 'all' || playbook.id === id);
    if (playbooks.length === 0)
      throw new KmswatchError('INPUT_INVALID', `There is no playbook ${id}.`, {
        hint: `There are: ${PLAYBOOKS.map((one) => one.id).join(', ')}.`,
      });
    if (variants.length === 0)
      throw new KmswatchError('INPUT_INVALID', `There is no variant ${given}.`, { hint: `There are: ${VARIANTS.join(', ')}.` });
    return playbooks.flatMap((playbook) => variants.map((variant) => ({ playbook: playbook.id, variant })));
  });
}

function refusing<T>(plan: () => T): T {
  try {
    return plan();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new KmswatchError('INPUT_INVALID', `There is no such organization: ${cause.message}.`, { cause });
  }
}

/** The key pair is new each time: nothing that signs here is worth keeping. */
function chains(start: number, end: number): DigestChains {
  return new DigestChains({ ...TRAIL, start, end, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) });
}

async function write<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof Error && 'syscall' in cause
      ? new KmswatchError('DATA_DIR_UNUSABLE', `Cannot write to ${folder}: ${cause.message}`, {
          hint: 'Choose another directory with --out.',
          cause,
        })
      : cause;
  }
}

async function writeJson(folder: string, name: string, content: object): Promise<void> {
  await writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
}

function summary(folder: string, written: WrittenMonth, stories: Simulated['stories']): string {
  const { records, files, digests } = written;
  const proven = digests === 0 ? '' : `, ${counted(digests, 'digest')}`;
  const told = stories === null ? '' : `${counted(stories.length, 'injected story', 'injected stories')} in stories.json\n`;
  return `${counted(records, 'record')} in ${counted(files, 'file')}${proven} (${bytes(written.bytes)}) below ${folder}\n${told}`;
}
