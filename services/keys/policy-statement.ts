/** Limits of what is looked at; AWS allows a key policy of 32 KiB. */
export const POLICY_LIMITS = { characters: 65_536, statements: 300, conditions: 100 } as const;

/** One statement of a policy document, its forms made alike. */
export interface Statement {
  /** `statement 2 ("Allow use")`, for sentences. */
  readonly name: string;
  readonly allow: boolean;
  readonly principal: unknown;
  /** `principal` is what `NotPrincipal` holds. */
  readonly principalNegated: boolean;
  readonly actions: readonly string[];
  /** `actions` is what `NotAction` holds. */
  readonly actionsNegated: boolean;
  /** The statement speaks of every resource, which in a key policy is the key itself. */
  readonly wholeKey: boolean;
  readonly conditions: readonly Condition[];
}

export interface Condition {
  /** Lower case, e.g. `stringequals`, `foranyvalue:stringlike`, `stringequalsifexists`. */
  readonly operator: string;
  /** Lower case, as AWS compares condition keys. */
  readonly key: string;
  readonly values: readonly string[];
}

/** A statement in plain form, or null when a part that decides cannot be read. */
export function readStatement(raw: unknown, position: number): Statement | null {
  if (!isObject(raw)) return null;
  const effect = own(raw, 'Effect');
  if (effect !== 'Allow' && effect !== 'Deny') return null;
  const principalNegated = Object.hasOwn(raw, 'NotPrincipal');
  const actionsNegated = Object.hasOwn(raw, 'NotAction');
  const actions = textsOf(own(raw, actionsNegated ? 'NotAction' : 'Action'));
  const principal = own(raw, principalNegated ? 'NotPrincipal' : 'Principal');
  const conditions = readConditions(own(raw, 'Condition'));
  if (principal === undefined || actions === null || conditions === null) return null;
  return {
    name: nameOf(own(raw, 'Sid'), position),
    allow: effect === 'Allow',
    principal,
    principalNegated,
    actions,
    actionsNegated,
    wholeKey: !Object.hasOwn(raw, 'NotResource') && (textsOf(own(raw, 'Resource')) ?? []).includes('*'),
    conditions,
  };
}

/** A text or an array of texts as an array; null for anything else. */
export function textsOf(value: unknown): readonly string[] | null {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return null;
  return value.every((item): item is string => typeof item === 'string') ? value : null;
}

function readConditions(raw: unknown): readonly Condition[] | null {
  if (raw === undefined) return [];
  if (!isObject(raw)) return null;
  const conditions: Condition[] = [];
  for (const [operator, block] of Object.entries(raw)) {
    if (!isObject(block)) return null;
    for (const [key, value] of Object.entries(block)) {
      // Bool, Null and numbers may be written bare.
      const values = textsOf(typeof value === 'boolean' || typeof value === 'number' ? String(value) : value);
      if (values === null || conditions.length >= POLICY_LIMITS.conditions) return null;
      conditions.push({ operator: operator.toLowerCase(), key: key.toLowerCase(), values });
    }
  }
  return conditions;
}

function nameOf(sid: unknown, position: number): string {
  const words = typeof sid === 'string' ? sid.replace(/[^\w .,:()/-]/g, '').slice(0, 60) : '';
  return words === '' ? `statement ${position}` : `statement ${position} ("${words}")`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
