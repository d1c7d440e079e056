/** What is wrong with a configuration, in words that say what would be right. */
import type { z } from 'zod';
import { KmswatchError } from '../../core/errors.ts';
import { expectation, nodeAt, type SchemaNode } from './fields.ts';
import { suggest } from './suggest.ts';

export interface ConfigProblem {
  readonly path: readonly PropertyKey[];
  /** `kmswatch.yaml:12`, `environment variable REDIS_URL`, `flag --listen`, or `configuration`. */
  readonly where: string;
  readonly message: string;
}

export interface ProblemContext {
  readonly root: SchemaNode;
  readonly value: unknown;
  where(path: readonly PropertyKey[]): string;
}

/** All of them in one error; the list itself is its `cause`. */
export function configInvalid(problems: readonly ConfigProblem[]): KmswatchError {
  const lines = problems.map(
    ({ where, path, message }) => `  ${where}: ${path.length > 0 ? `${path.map(String).join('.')} ` : ''}${message}`,
  );
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new KmswatchError('CONFIG_INVALID', `The configuration has ${count}:\n${lines.join('\n')}`, {
    hint: 'kmswatch.example.yaml shows every key with its meaning; `kmswatch config check` checks again.',
    cause: problems,
  });
}

/** The list behind a CONFIG_INVALID error; empty for any other. */
export function configProblems(error: unknown): readonly ConfigProblem[] {
  const isOurs = error instanceof KmswatchError && error.code === 'CONFIG_INVALID' && Array.isArray(error.cause);
  return isOurs ? (error.cause as ConfigProblem[]) : [];
}

export function problemsOf(issue: z.core.$ZodIssue, context: ProblemContext): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key], context));
  const path = issue.path;
  return [{ path, where: context.where(path), message: messageOf(issue, context) }];
}

function unknownKey(path: readonly PropertyKey[], { root, where }: ProblemContext): ConfigProblem {
  const known = Object.keys(nodeAt(root, path.slice(0, -1))?.properties ?? {});
  const nearest = suggest(String(path.at(-1)), known);
  const advice = nearest === null ? `the keys here are ${known.join(', ')}` : `did you mean ${nearest}?`;
  return { path, where: where(path), message: `is not a known key; ${advice}` };
}

function messageOf(issue: z.core.$ZodIssue, { root, value }: ProblemContext): string {
  const node = nodeAt(root, issue.path);
  const given = valueAt(value, issue.path);
  // Checks of our own say best what they want.
  if (!node || issue.code === 'custom' || issue.code === 'invalid_format') return issue.message;
  if (given === undefined) return `is missing; it must be ${expectation(node)}`;
  const nearest = typeof given === 'string' && node.enum ? suggest(given, node.enum.map(String)) : null;
  const shown = node.secret || node.secretFile ? 'something else' : show(given);
  return `must be ${expectation(node)}, not ${shown}${nearest === null ? '' : `; did you mean ${nearest}?`}`;
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}

function show(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
