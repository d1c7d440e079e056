/** Reading a record by the field names of rules: `userIdentity.sessionContext.sessionIssuer.type`. */

/** Values under one name; more would be an attack on our time rather than a record. */
const VALUES_LIMIT = 1_000;

export type Path = readonly string[];

export function pathOf(field: string): Path {
  return field.split('.');
}

/** All values at the path, arrays taken apart wherever they stand. Missing and null values are left out. */
export function valuesAt(record: unknown, path: Path): unknown[] {
  let level: unknown[] = spread(record);
  for (const name of path) {
    level = level.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? spread(value[name]) : [])).slice(0, VALUES_LIMIT);
    if (level.length === 0) break;
  }
  return level;
}

/** Every text and number in the record, for rules that search without naming a field. */
export function leavesOf(record: unknown): unknown[] {
  const leaves: unknown[] = [];
  const waiting: unknown[] = [record];
  while (waiting.length > 0 && leaves.length < VALUES_LIMIT) {
    const value = waiting.pop();
    if (Array.isArray(value)) waiting.push(...(value as unknown[]).slice(0, VALUES_LIMIT));
    else if (isObject(value)) waiting.push(...Object.values(value).slice(0, VALUES_LIMIT));
    else if (value !== null && value !== undefined) leaves.push(value);
  }
  return leaves;
}

/** As text: objects as the JSON that CloudTrail wrote, for rules that look into a whole field such as `requestParameters|contains`. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? '';
}

function spread(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [value];
  return (value as unknown[]).slice(0, VALUES_LIMIT).flatMap((each) => (Array.isArray(each) ? [] : spread(each)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
