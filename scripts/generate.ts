/**
 * `npm run generate` writes every file that is derived from code; `npm run generate:check` compares them without writing,
 * and fails where one is stale or left over.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliReference } from './generators/cli.ts';
import { configurationReference } from './generators/config.ts';
import { grafanaDashboards } from './generators/dashboards.ts';
import { detectorsReference } from './generators/detectors.ts';
import { metricsReference } from './generators/metrics.ts';
import { playbooksReference } from './generators/playbooks.ts';

/** Derives files. Keys are paths from the repository's root, values are whole contents. */
export type Generator = () => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>;

const GENERATORS: readonly Generator[] = [
  metricsReference,
  detectorsReference,
  configurationReference,
  cliReference,
  playbooksReference,
  grafanaDashboards,
];

/** Folders that hold generated files only. */
const GENERATED_FOLDERS = ['docs/reference/**/*', '**/generated/**/*'];

/**
 * @param write whether to bring the files up to date, rather than only compare
 * @returns paths, from the root, of the files that differ or should not be there
 */
export async function generate(root: string, generators: readonly Generator[], write: boolean): Promise<string[]> {
  const files = new Map<string, string>();
  for (const generator of generators) for (const [path, content] of await generator()) files.set(path, content);
  const stale = [...files].filter(([path, content]) => read(`${root}/${path}`) !== content);
  const present = globSync(GENERATED_FOLDERS, { cwd: root, exclude: ['**/node_modules/**', '.kmswatch/**'], withFileTypes: true });
  const leftOver = present
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length + 1))
    .filter((path) => !files.has(path));
  if (write) {
    for (const [path, content] of stale) {
      mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      writeFileSync(`${root}/${path}`, content);
    }
    for (const path of leftOver) rmSync(`${root}/${path}`);
  }
  return [...stale.map(([path]) => path), ...leftOver].sort();
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const write = !process.argv.includes('--check');
  const changed = await generate(fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, ''), GENERATORS, write);
  for (const path of changed) console.log(`${write ? 'wrote' : 'stale'} ${path}`);
  if (!write && changed.length > 0) console.log('Run "npm run generate" and commit what it writes.');
  process.exitCode = !write && changed.length > 0 ? 1 : 0;
}
