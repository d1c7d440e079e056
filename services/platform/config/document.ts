/** The YAML file, with the line of everything in it. */
import { readFileSync, statSync } from 'node:fs';
import { isMap, isNode, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { KmswatchError } from '../../core/errors.ts';
import type { ConfigProblem } from './problems.ts';

const LIMIT_BYTES = 1_000_000;
const LIMIT_ALIASES = 100;

export interface ConfigDocument {
  readonly value: Record<string, unknown>;
  readonly problems: readonly ConfigProblem[];
  /** `kmswatch.yaml:12` for the line on which the path stands, or the nearest thing around it. */
  where(path: readonly PropertyKey[]): string;
}

/** @throws KmswatchError CONFIG_NOT_FOUND when the file cannot be read */
export function readDocument(file: string): ConfigDocument {
  let text: string;
  try {
    if (statSync(file).size > LIMIT_BYTES) throw new Error(`larger than ${LIMIT_BYTES} bytes`);
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KmswatchError('CONFIG_NOT_FOUND', `The configuration file ${file} cannot be read: ${reason}`, {
      hint: 'Give its name with --config or KMSWATCH_CONFIG; kmswatch.example.yaml is one to start from.',
      cause,
    });
  }
  return parseYaml(text, file);
}

export function parseYaml(text: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const problems: ConfigProblem[] = document.errors.map((error) => ({
    path: [],
    where: at(error.pos[0]),
    message: `not valid YAML: ${error.message}`,
  }));
  const where = (path: readonly PropertyKey[]): string => at(offsetOf(document.contents, path));
  if (problems.length > 0) return { value: {}, problems, where };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: LIMIT_ALIASES });
  } catch (error) {
    return { value: {}, problems: [{ path: [], where: file, message: error instanceof Error ? error.message : 'cannot be read' }], where };
  }
  if (value === null || value === undefined) return { value: {}, problems, where };
  if (typeof value === 'object' && !Array.isArray(value)) return { value: value as Record<string, unknown>, problems, where };
  return { value: {}, problems: [{ path: [], where: at(0), message: 'must be a mapping of keys to values' }], where };
}

function offsetOf(contents: unknown, path: readonly PropertyKey[]): number {
  let node: unknown = contents;
  let offset = start(node);
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isNode(item.key) && 'value' in item.key && item.key.value === step);
      if (!pair) return offset;
      offset = start(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = start(node) || offset;
    } else return offset;
  }
  return offset;
}

function start(node: unknown): number {
  return (isNode(node) ? (node as Node).range?.[0] : undefined) ?? 0;
}
