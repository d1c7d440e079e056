/** The user's Sigma rules: read from a folder when the process starts, and again when files there change. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { KmswatchError } from '../core/errors.ts';
import type { ConfiguredDetector } from '../detectors/configure.ts';
import { detectorOf } from '../detectors/sigma/detector.ts';
import { readRules, type RefusedRule, type SigmaRule } from '../detectors/sigma/rule.ts';
import { type RuleSet, ruleSetOf } from '../detectors/sigma/rule-set.ts';
import type { Logger } from '../platform/logger.ts';

const FILES_LIMIT = 20_000;
const BYTES_LIMIT = 1_000_000;
const DEPTH_LIMIT = 20;

export interface RuleFile {
  /** Relative to the folder. */
  readonly file: string;
  readonly rules: readonly SigmaRule[];
  readonly refused: readonly RefusedRule[];
}

export interface Rules {
  readonly current: RuleSet;
  readonly detectors: readonly ConfiguredDetector[];
  /** Reads the folder again when something in it has changed. A file that no longer holds keeps its former rules in force. */
  reload(): Promise<void>;
}

/** Every `.yml` and `.yaml` file beneath the folder, in order of name. @throws KmswatchError CONFIG_INVALID when the folder cannot be read */
export async function loadRules(folder: string): Promise<RuleFile[]> {
  const files: RuleFile[] = [];
  const owners = new Map<string, string>();
  for (const { path, bytes } of await ruleFiles(folder)) {
    const file = relative(folder, path);
    if (bytes > BYTES_LIMIT) {
      files.push({ file, rules: [], refused: [{ line: 1, reason: `the file is larger than ${BYTES_LIMIT} bytes` }] });
      continue;
    }
    const { rules, refused } = readRules(await readFile(path, 'utf8'));
    const twice = rules.filter(({ id }) => owners.has(id));
    for (const { id } of rules) if (!owners.has(id)) owners.set(id, file);
    files.push({
      file,
      rules: rules.filter((rule) => !twice.includes(rule)),
      refused: [...refused, ...twice.map(({ id }) => ({ line: 1, reason: `the id ${id} is that of a rule in ${owners.get(id) ?? ''}` }))],
    });
  }
  return files;
}

/** @throws KmswatchError CONFIG_INVALID when the folder cannot be read; rules that are refused are logged, the others are in force */
export async function openRules(folder: string, logger: Logger): Promise<Rules> {
  let files = new Map<string, RuleFile>();
  let print = '';
  let current: RuleSet = ruleSetOf([]);
  let detectors: readonly ConfiguredDetector[] = [];

  async function reload(): Promise<void> {
    const now = (await ruleFiles(folder)).map(({ path, bytes, changedAt }) => `${path} ${bytes} ${changedAt}`).join('\n');
    if (now === print) return;
    const loaded = await loadRules(folder);
    files = new Map(
      loaded.map((each) => [each.file, each.refused.length > 0 && each.rules.length === 0 ? (files.get(each.file) ?? each) : each]),
    );
    current = ruleSetOf([...files.values()].flatMap(({ rules }) => rules));
    detectors = current.rules.map((rule) => ({ detector: detectorOf(rule), params: {} }));
    print = now;
    for (const { file, refused } of loaded) for (const { line, reason } of refused) logger.warn({ file, line, reason }, 'rule refused');
    logger.info({ rules: current.rules.length, refused: loaded.reduce((sum, { refused }) => sum + refused.length, 0) }, 'rules loaded');
  }

  await reload();
  return {
    get current() {
      return current;
    },
    get detectors() {
      return detectors;
    },
    reload,
  };
}

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly changedAt: number;
}

async function ruleFiles(folder: string): Promise<Found[]> {
  const found: Found[] = [];
  const waiting = [{ path: folder, depth: 0 }];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    for (const entry of await entriesOf(next.path)) {
      const path = join(next.path, entry.name);
      if (entry.isDirectory() && next.depth < DEPTH_LIMIT) waiting.push({ path, depth: next.depth + 1 });
      if (!entry.isFile() || !/\.ya?ml$/i.test(entry.name)) continue;
      const { size, mtimeMs } = await stat(path);
      found.push({ path, bytes: size, changedAt: mtimeMs });
      if (found.length > FILES_LIMIT)
        throw new KmswatchError('CONFIG_INVALID', `sigma.folder: more than ${FILES_LIMIT} rule files under ${folder}`);
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new KmswatchError(
      'CONFIG_INVALID',
      `the rules folder ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
