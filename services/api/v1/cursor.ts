import { z } from 'zod';
import { Problem } from './problem.ts';

/** Cursors are opaque to callers; what they hold is checked when they come back. */
export const cursorParameter = z
  .string()
  .max(400)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be a cursor that this API gave')
  .optional()
  .meta({ description: '`next` of the page before.' });

export function encodeCursor(value: readonly unknown[] | null): string | null {
  return value === null ? null : Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** @throws Problem invalid-request */
export function decodeCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | null {
  if (cursor === undefined) return null;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new Problem('invalid-request', 'The cursor is none that this API gave.');
  }
}
