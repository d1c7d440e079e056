/**
 * Checks the rooms of the architecture (docs/ARCHITECTURE.md): who may import whom, and who may touch the process, the
 * clock, the console and signals. Everything is allowed by being listed here, nothing by default.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { parseSync, Visitor } from 'vite';

/** Which rooms a room may import, besides itself. `*` = every room. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  normalize: ['core'],
  keys: ['core'],
  detectors: ['core', 'keys'],
  alerts: ['core'],
  compliance: ['core'],
  simulate: ['core'],
  platform: ['core'],
  sources: ['core', 'platform'],
  store: ['core', 'platform'],
  notifiers: ['core', 'platform'],
  workers: ['*'],
  api: ['*'],
  cli: ['*'],
};

/** Rooms without I/O, and all that they may import from outside. */
const PURE_ROOMS = new Set(['core', 'normalize', 'keys', 'detectors', 'alerts', 'compliance', 'simulate']);
const PURE_MODULES = new Set(['node:buffer', 'node:crypto', 'node:net', 'node:url', 'node:util', 'node:zlib', 're2js', 'yaml', 'zod']);

/** What only services/platform/ and the main.ts files may touch. */
const RESTRICTED_TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const RESTRICTED_MEMBERS = /^(process\.env|Date\.now|performance\.now|console\.\w+)$/;
const RESTRICTED_MODULES = /^(node:)?(console|perf_hooks|process|timers|timers\/promises)$/;

const VAGUE_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'manager', 'managers', 'common', 'misc']);

/**
 * @param sources text of every file of ours by its path from the repository's root
 * @returns one line per violation, `path:line: what is wrong`; empty = all is well
 */
export function checkImports(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([path, text]) => [...checkName(path), ...checkFile(path, text, sources)]);
}

function checkName(path: string): string[] {
  const vague = path.split(/[/.\-_]/).find((word) => VAGUE_WORDS.has(word.toLowerCase()));
  return vague === undefined ? [] : [`${path}:1: "${vague}" says nothing: name the file after the noun that it holds`];
}

function checkFile(path: string, text: string, sources: ReadonlyMap<string, string>): string[] {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) return [`${path}:1: cannot be parsed: ${errors[0]?.message}`];
  const violations: string[] = [];
  const complain = (node: { start: number }, what: string | null): void => {
    if (what !== null) violations.push(`${path}:${text.slice(0, node.start).split('\n').length}: ${what}`);
  };
  let endOfImports = 0;
  const checkImport = (node: { start: number; end: number; type: string }, specifier: unknown): void => {
    if (node.type === 'ImportDeclaration') endOfImports = node.end;
    if (typeof specifier !== 'string') return;
    complain(
      node,
      specifier.startsWith('.')
        ? forbiddenFile(path, normalize(join(dirname(path), specifier)), sources)
        : forbiddenModule(path, specifier),
    );
  };
  new Visitor({
    ImportDeclaration: (node) => checkImport(node, node.source.value),
    ExportNamedDeclaration: (node) => checkImport(node, node.source?.value),
    ExportAllDeclaration: (node) => checkImport(node, node.source.value),
    ImportExpression: (node) => checkImport(node, node.source.type === 'Literal' ? node.source.value : undefined),
    TSImportType: (node) => checkImport(node, node.source.value),
    Program: (node) => {
      for (const statement of node.body) if (runsAtImport(path, statement)) complain(statement, 'runs at import: only main.ts files may');
    },
    Identifier: (node) => {
      const isUse = node.start > endOfImports && isRestricted(path) && RESTRICTED_TIMERS.has(node.name) && isGlobalUse(text, node);
      if (isUse) complain(node, restricted(node.name));
    },
    MemberExpression: (node) => {
      const name = text
        .slice(node.start, node.end)
        .replace(/^globalThis\./, '')
        .replace(/\s/g, '');
      if (isRestricted(path) && RESTRICTED_MEMBERS.test(name)) complain(node, restricted(name));
    },
    NewExpression: (node) => {
      if (isRestricted(path) && node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
        complain(node, restricted('new Date()'));
    },
    CallExpression: (node) => {
      const call = text.slice(node.start, node.end);
      if (isProduct(path) && !isMain(path) && /^process\s*\.\s*(on|once|addListener|prependListener)\s*\(\s*['"`]SIG/.test(call)) {
        complain(node, 'only main.ts files listen to signals');
      }
    },
  }).visit(program);
  return violations;
}

/** Whether importing our file `target` from `path` is against the rooms: what is wrong, or null. */
function forbiddenFile(path: string, target: string, sources: ReadonlyMap<string, string>): string | null {
  const [from, room = '', folder = ''] = path.split('/');
  const [to, targetRoom = '', targetFolder = ''] = target.split('/');
  if (from === 'migrations' && to !== 'migrations') return 'migrations import nothing of ours, so that they never change';
  if (from !== 'services') return null;
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return `room ${room} is not listed in scripts/check-imports.ts`;
  if (to !== 'services') return `services may not import ${target}`;
  if (targetRoom !== room)
    return allowed.includes(targetRoom) || allowed.includes('*') ? null : `${room} may not import ${targetRoom} (${target})`;
  const isSibling = path.split('/').length > 3 && target.split('/').length > 3;
  if (!isSibling) return null;
  if (room === 'detectors' && /^export default /m.test(sources.get(target) ?? ''))
    return `a detector may not import a detector (${target})`;
  if ((room === 'sources' || room === 'notifiers') && folder !== targetFolder) return `${room} may not import each other (${target})`;
  return null;
}

function forbiddenModule(path: string, specifier: string): string | null {
  const [, room = ''] = path.split('/');
  if (isRestricted(path) && RESTRICTED_MODULES.test(specifier)) return restricted(specifier);
  if (isProduct(path) && PURE_ROOMS.has(room) && !PURE_MODULES.has(specifier)) return `${room} is pure: it may not import ${specifier}`;
  return null;
}

function runsAtImport(path: string, statement: { type: string }): boolean {
  return isProduct(path) && !isMain(path) && statement.type === 'ExpressionStatement';
}

/** Whether an identifier is the global itself, not a property, key or type of that name. */
function isGlobalUse(text: string, node: { start: number; end: number }): boolean {
  const before = text.slice(Math.max(0, node.start - 20), node.start).trimEnd();
  const after = text.slice(node.end, node.end + 20).trimStart();
  return (
    (!before.endsWith('.') || before.endsWith('globalThis.') || before.endsWith('...')) &&
    !before.endsWith('typeof') &&
    !/^\??:/.test(after)
  );
}

const isProduct = (path: string): boolean => path.startsWith('services/');
const isMain = (path: string): boolean => path.endsWith('/main.ts');
const isRestricted = (path: string): boolean => isProduct(path) && !path.startsWith('services/platform/') && !isMain(path);
const restricted = (name: string): string => `only services/platform/ may use ${name}`;

/** All our sources, by path from the repository's root. */
export function readSources(root: URL): Map<string, string> {
  const paths = globSync('{bench,bin,dashboards,migrations,scripts,services,test}/**/*.{ts,mjs}', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  });
  return new Map(paths.sort().map((path) => [path, readFileSync(new URL(path, root), 'utf8')]));
}

if (import.meta.main) {
  const violations = checkImports(readSources(new URL('../', import.meta.url)));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
