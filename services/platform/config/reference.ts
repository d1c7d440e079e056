import type { z } from 'zod';
import { expectation, fieldsOf, flagOf, type SchemaNode, schemaNode } from './fields.ts';

/** The reference of all fields as a Markdown table. The same schema gives the same text. */
export function configReference(schema: z.ZodType): string {
  const rows = fieldsOf(schemaNode(schema)).map(({ path, node, required }) => {
    const cells = [`\`${path.join('.')}\``, expectation(node), defaultOf(node, required), setBy(path, node), node.description ?? ''];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  });
  return ['| key | value | default | also set by | meaning |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}

function defaultOf(node: SchemaNode, required: boolean): string {
  if (node.properties) return '';
  if (node.default !== undefined && node.default !== null) return `\`${JSON.stringify(node.default).replace(/^"(.*)"$/, '$1')}\``;
  return required ? 'required' : 'none';
}

function setBy(path: readonly string[], node: SchemaNode): string {
  return node.env ? `\`${node.env}\`, \`${flagOf(path)}\`` : '';
}
