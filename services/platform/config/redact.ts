import type { z } from 'zod';
import { withoutCredentials } from '../logger.ts';
import { fieldsOf, schemaNode } from './fields.ts';
import { valueAt } from './problems.ts';

/** The configuration as it may be shown: URLs without their passwords, other secrets as `***`. */
export function redactConfig<T extends Record<string, unknown>>(schema: z.ZodType, config: T): T {
  // Secrets that are values of their own kind say themselves how they are shown.
  const shown = JSON.parse(JSON.stringify(config)) as T;
  for (const { path, node } of fieldsOf(schemaNode(schema))) {
    const value = node.secret ? valueAt(shown, path) : undefined;
    if (typeof value !== 'string') continue;
    const parent = valueAt(shown, path.slice(0, -1)) as Record<string, unknown>;
    parent[path.at(-1) ?? ''] = value.includes('://') ? withoutCredentials(value) : '***';
  }
  return shown;
}
