/** A configuration schema as data: what its fields are called, mean and may hold. Read off zod's own JSON Schema. */
import { z } from 'zod';

/** The part of JSON Schema that zod makes of a configuration, and what our `.meta()` adds to it. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Environment variable that sets this field. */
  readonly env?: string;
  /** The value must not be shown. */
  readonly secret?: boolean;
  /** The value is the name of a file that holds the secret called as this field without `_file`. */
  readonly secretFile?: boolean;
}

export interface Field {
  readonly path: readonly string[];
  readonly node: SchemaNode;
  readonly required: boolean;
}

export function schemaNode(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as SchemaNode;
}

/** Every field that has a name of its own, mappings before what is in them, in the order of the schema. */
export function fieldsOf(node: SchemaNode, path: readonly string[] = []): Field[] {
  const fields: Field[] = [];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const at = [...path, name];
    fields.push({ path: at, node: child, required: node.required?.includes(name) ?? false }, ...fieldsOf(child, at));
  }
  return fields;
}

/** The schema of what lies at a path, through lists and free-form mappings too; undefined where the schema says nothing. */
export function nodeAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const step of path) {
    if (!node) return undefined;
    const free: SchemaNode | undefined = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
    const known: SchemaNode | undefined = Object.hasOwn(node.properties ?? {}, step) ? node.properties?.[String(step)] : free;
    node = typeof step === 'number' ? node.items : known;
  }
  return node;
}

/** What a field may hold, in words: `an integer from 1 to 5`, `one of a, b`. */
export function expectation(node: SchemaNode): string {
  if (node.enum) return `one of ${node.enum.map(String).join(', ')}`;
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.anyOf) return node.anyOf.map(expectation).join(' or ');
  const type = typeof node.type === 'string' ? node.type : (node.type ?? []).find((name) => name !== 'null');
  if (type === 'integer' || type === 'number') return `${type === 'integer' ? 'an integer' : 'a number'}${range(node)}`;
  if (type === 'string') return 'text';
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return node.items ? `a list, each entry ${expectation(node.items)}` : 'a list';
  if (type === 'object') return 'a mapping';
  return 'another value';
}

function range(node: SchemaNode): string {
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number;
  const low = node.minimum === undefined || node.minimum <= MIN_SAFE_INTEGER ? undefined : node.minimum;
  const high = node.maximum === undefined || node.maximum >= MAX_SAFE_INTEGER ? undefined : node.maximum;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? '' : `, at most ${high}`;
}

/** `log.level` → `--log-level`. */
export function flagOf(path: readonly string[]): string {
  return `--${path.join('-').replaceAll('_', '-')}`;
}
