import type { Json, JsonObject } from '../core/json.ts';
import { isObject, type Lost, lose } from './fields.ts';
import { clean, NAME_LIMIT, TEXT_LIMIT } from './text.ts';

/** Far above any grant constraint or event selector, far below what would weigh on a row. */
const NODE_LIMIT = 4096;
const DEPTH_LIMIT = 12;

/** A storable copy of a JSON object out of a record; null (and lost) when it is none, or too deep or too large to keep. */
export function copyObject(value: unknown, path: string, lost: Lost): JsonObject | null {
  if (value === undefined || value === null) return null;
  const copy = isObject(value) ? copyValue(value, DEPTH_LIMIT, { left: NODE_LIMIT }) : undefined;
  if (copy === undefined) lose(path, lost);
  return (copy as JsonObject | undefined) ?? null;
}

/** The objects of an array; null where there is no array. */
export function copyObjects(value: unknown, path: string, lost: Lost): readonly JsonObject[] | null {
  if (value === undefined || value === null) return null;
  const copy = Array.isArray(value) ? copyValue(value, DEPTH_LIMIT, { left: NODE_LIMIT }) : undefined;
  if (copy === undefined) lose(path, lost);
  return Array.isArray(copy) ? copy.filter(isObject).map((item) => item as JsonObject) : null;
}

/** Undefined as soon as a limit is passed: half a selector says something else than the whole. */
function copyValue(value: unknown, depth: number, budget: { left: number }): Json | undefined {
  if (depth === 0 || --budget.left < 0) return undefined;
  if (typeof value === 'string') return clean(value, TEXT_LIMIT);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) {
      const copy = copyValue(item, depth - 1, budget);
      if (copy === undefined) return undefined;
      items.push(copy);
    }
    return items;
  }
  const object: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [name, member] of Object.entries(value)) {
    const copy = copyValue(member, depth - 1, budget);
    if (copy === undefined) return undefined;
    object[clean(name, NAME_LIMIT)] = copy;
  }
  return object;
}
