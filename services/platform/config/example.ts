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
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => [...field(name, child, indent), ...(indent === '' ? [''] : [])]);
}

function field(name: string, node: SchemaNode, indent: string): string[] {
  const comment = wrap(node.description ?? '', WIDTH - indent.length - 2);
  if (node.env) comment.push(`Environment: ${node.env}`);
  const lines = comment.map((line) => `${indent}# ${line}`);
  if (node.properties) return [...lines, `${indent}${name}:`, ...mapping(node, `${indent}  `)];
  const example = node.examples?.[0];
  const shown = node.default === undefined || node.default === null ? example : node.default;
  const entry = stringify({ [name]: shown ?? null }, { lineWidth: 0 })
    .trimEnd()
    .split('\n');
  const isDefault = node.default !== undefined && node.default !== null;
  return [...lines, ...entry.map((line) => `${indent}${isDefault ? '' : '# '}${shown === undefined ? line.replace(/ null$/, '') : line}`)];
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
