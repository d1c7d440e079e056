import { stringify } from 'yaml';
import type { z } from 'zod';
import { type SchemaNode, schemaNode } from './fields.ts';

const WIDTH = 110;

/** An example file with every field, its meaning and its default. Fields without a default are commented out. */
export function exampleYaml(schema: z.ZodType, heading: readonly string[] = []): string {
  const lines = [...heading.map((line) => `# ${line}`.trimEnd()), ...(heading.length > 0 ? [''] : []), ...mapping(schemaNode(schema), '')];
  return `${lines.join('\n').trimEnd()}\n`;
}

function mapping(node: SchemaNode, indent: string): string[] {
  const required = new Set(node.required);
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    ...field(name, child, { indent, isRequired: required.has(name) }),
    ...(indent === '' ? [''] : []),
  ]);
}

function field(
  name: string,
  node: SchemaNode,
  { indent, isRequired }: { readonly indent: string; readonly isRequired: boolean },
): string[] {
  const comment = wrap(node.description ?? '', WIDTH - indent.length - 2);
  if (node.env) comment.push(`Environment: ${node.env}`);
  const lines = comment.map((line) => `${indent}# ${line}`);
  if (node.properties) {
    const head = `${indent}${name}:`;
    const body = mapping(node, `${indent}  `);
    // A mapping without a default is one that may be left out as a whole; one of nothing but comments would be null.
    if (node.default === undefined) return [...lines, ...[head, ...body].map((line) => commented(line, indent))];
    return [...lines, body.every((line) => line.trimStart().startsWith('#')) ? commented(head, indent) : head, ...body];
  }
  const example = node.examples?.[0];
  const shown = node.default === undefined || node.default === null ? example : node.default;
  const entry = stringify({ [name]: shown ?? null }, { lineWidth: 0 })
    .trimEnd()
    .split('\n');
  const isSet = (node.default !== undefined && node.default !== null) || (isRequired && example !== undefined);
  return [...lines, ...entry.map((line) => `${indent}${isSet ? '' : '# '}${shown === undefined ? line.replace(/ null$/, '') : line}`)];
}

/** A line of a section that is not there, its `#` under those of its neighbours. */
function commented(line: string, indent: string): string {
  return line === '' ? line : `${indent}# ${line.slice(indent.length)}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
