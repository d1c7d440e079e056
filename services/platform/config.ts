/**
 * Configuration: one YAML file, over it the environment, over that the flags. Strict: what the schema does not know is
 * refused. Everything that is wrong is told at once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { type ConfigDocument, readDocument } from './config/document.ts';
import { type Field, fieldsOf, flagOf, type SchemaNode, schemaNode } from './config/fields.ts';
import { type ConfigProblem, configInvalid, problemsOf, valueAt } from './config/problems.ts';
import { readSecretFile } from './secrets.ts';

export interface ConfigInput {
  /** Name of the YAML file; without one the environment and the flags are all there is. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By name, in any spelling: `data_dir`, `data-dir`, `dataDir`. Names that are no fields are passed over. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

const DEFAULT_FILE = 'kmswatch.yaml';

/** The configuration file to use: the flag's, the environment's, or `kmswatch.yaml` in the directory if there is one. */
export function findConfigFile(flag: string | undefined, env: ConfigInput['env'], directory: string): string | undefined {
  const named = flag ?? env['KMSWATCH_CONFIG'];
  if (named !== undefined && named !== '') return named;
  const usual = join(directory, DEFAULT_FILE);
  return existsSync(usual) ? usual : undefined;
}

/**
 * Reads, merges and checks. Secrets named by file are read: afterwards `redis_url` holds the value either way.
 *
 * @throws KmswatchError CONFIG_INVALID with every problem (see `configProblems`), CONFIG_NOT_FOUND
 */
export function loadConfig<S extends z.ZodType>(schema: S, input: ConfigInput): z.output<S> {
  const root = schemaNode(schema);
  const fields = fieldsOf(root);
  const document: ConfigDocument =
    input.file === undefined ? { value: {}, problems: [], where: () => 'configuration' } : readDocument(input.file);
  if (document.problems.length > 0) throw configInvalid(document.problems);
  const merged = merge(document, fields, input);
  const problems: ConfigProblem[] = [...merged.problems];
  const checked = schema.safeParse(merged.value);
  if (!checked.success) {
    const context = { root, value: merged.value, where: merged.where };
    problems.push(...checked.error.issues.flatMap((issue) => problemsOf(issue, context)));
  }
  if (!checked.success || problems.length > 0) throw configInvalid(problems);
  return checked.data;
}

interface Merged {
  readonly value: Record<string, unknown>;
  readonly problems: readonly ConfigProblem[];
  where(path: readonly PropertyKey[]): string;
}

function merge(document: ConfigDocument, fields: readonly Field[], input: ConfigInput): Merged {
  const value = structuredClone(document.value);
  const origins = new Map<string, string>();
  const where = (path: readonly PropertyKey[]): string => origins.get(path.join('.')) ?? document.where(path);
  const problems: ConfigProblem[] = [];
  const flags = new Map(Object.entries(input.flags ?? {}).map(([name, given]) => [snakeCase(name), given]));
  const layers = [
    {
      of: ({ node }: Field) => (node.env ? nonEmpty(input.env[node.env]) : undefined),
      origin: ({ node }: Field) => `environment variable ${node.env}`,
    },
    { of: ({ path }: Field) => flags.get(path.join('_')), origin: ({ path }: Field) => `flag ${flagOf(path)}` },
  ];
  problems.push(...bothSet(fields, (field) => valueAt(value, field.path), where));
  for (const layer of layers) {
    const set = fields.filter((field) => layer.of(field) !== undefined);
    problems.push(
      ...bothSet(set, layer.of, (path) =>
        layer.origin({ path: path.map(String), node: set.find((f) => f.path.join() === path.join())?.node ?? {}, required: false }),
      ),
    );
    for (const field of set) {
      // A value given here takes the place of a file named below, and the other way round.
      if (field.node.secret || field.node.secretFile) removeAt(value, twinOf(field));
      setAt(value, field.path, fromText(layer.of(field), field.node));
      origins.set(field.path.join('.'), layer.origin(field));
    }
  }
  problems.push(...openSecretFiles(value, fields, where));
  return { value, problems, where };
}

/** Puts what the named files hold in the place of the values. */
function openSecretFiles(value: Record<string, unknown>, fields: readonly Field[], where: Merged['where']): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const field of fields) {
    const named = field.node.secretFile ? valueAt(value, field.path) : undefined;
    if (typeof named !== 'string') continue;
    const read = readSecretFile(named);
    if ('problem' in read) problems.push({ path: field.path, where: where(field.path), message: `cannot be used: ${read.problem}` });
    else setAt(value, twinOf(field), read.value);
  }
  return problems;
}

function bothSet(
  fields: readonly Field[],
  of: (field: Field) => unknown,
  where: (path: readonly PropertyKey[]) => string,
): ConfigProblem[] {
  return fields.flatMap((field) => {
    const twin = field.node.secretFile && fields.find((other) => other.path.join('.') === twinOf(field).join('.'));
    if (!twin || of(field) === undefined || of(twin) === undefined) return [];
    const message = `and ${twin.path.join('.')} are both set; set one of them`;
    return [{ path: field.path, where: where(field.path), message }];
  });
}

/** The path of the value for a file's field, and of the file for a value's. */
function twinOf({ path, node }: Field): readonly string[] {
  const name = path.at(-1) ?? '';
  return [...path.slice(0, -1), node.secretFile ? name.slice(0, -'_file'.length) : `${name}_file`];
}

/** Environment variables and flags are text; a text that does not fit stays one, and the schema says what is wrong. */
function fromText(given: unknown, node: SchemaNode): unknown {
  if (typeof given !== 'string') return given;
  if (node.type === 'array')
    return given
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  if (node.type === 'boolean' && (given === 'true' || given === 'false')) return given === 'true';
  if ((node.type === 'integer' || node.type === 'number') && /^-?\d{1,15}(\.\d{1,15})?$/.test(given)) return Number(given);
  return given;
}

function setAt(value: Record<string, unknown>, path: readonly string[], given: unknown): void {
  const parent = parentOf(value, path, true);
  if (parent) parent[path.at(-1) ?? ''] = given;
}

function removeAt(value: Record<string, unknown>, path: readonly string[]): void {
  const parent = parentOf(value, path, false);
  if (parent) delete parent[path.at(-1) ?? ''];
}

/** The mapping that holds the path's last step. Paths come from the schema, never from the file. */
function parentOf(value: Record<string, unknown>, path: readonly string[], create: boolean): Record<string, unknown> | null {
  let at = value;
  for (const step of path.slice(0, -1)) {
    const next = Object.hasOwn(at, step) ? at[step] : undefined;
    if (next === undefined && !create) return null;
    if (next !== undefined && (typeof next !== 'object' || next === null || Array.isArray(next))) return null;
    const child = (next as Record<string, unknown> | undefined) ?? {};
    at[step] = child;
    at = child;
  }
  return at;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
