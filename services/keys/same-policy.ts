/**
 * Whether two key policies say the same. KMS gives a policy back with other white space and may reorder it, so texts are no measure.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */

/** KMS takes 32 KB; beyond this nothing is compared but the text. */
const MAX_CHARACTERS = 262_144;
const MAX_DEPTH = 20;
const ROOT_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):root$/;

/** @param a policy as text; null = the default policy of a key made by the API */
export function samePolicy(a: string | null, b: string | null, account: string): boolean {
  if (a === b) return true;
  if (a === null || b === null) return isDefault(a ?? b ?? '', account);
  const [x, y] = [normalForm(a), normalForm(b)];
  return x !== null && x === y;
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
function isDefault(policy: string, account: string): boolean {
  const statement = { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' };
  return normalForm(policy, LABELS) === normalForm(JSON.stringify({ Version: '2012-10-17', Statement: statement }));
}

const LABELS: ReadonlySet<string> = new Set(['Id', 'Sid']);

/** Text that is the same for policies that say the same; null where it cannot be told. */
function normalForm(policy: string, without: ReadonlySet<string> = new Set()): string | null {
  if (policy.length > MAX_CHARACTERS) return null;
  try {
    return normal(JSON.parse(policy), { depth: 0, without, isPrincipal: false });
  } catch {
    return null;
  }
}

interface Where {
  readonly depth: number;
  readonly without: ReadonlySet<string>;
  readonly isPrincipal: boolean;
}

/** Order of fields and of lists does not matter, a list of one is its element, and an account's root is the account. */
function normal(value: unknown, where: Where): string {
  if (where.depth > MAX_DEPTH) throw new RangeError('too deep');
  const within = { ...where, depth: where.depth + 1 };
  if (Array.isArray(value)) {
    const items = [...new Set(value.map((item) => normal(item, within)))].toSorted();
    return items.length === 1 ? (items[0] ?? '') : `[${items.join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).flatMap(([name, item]) => (where.without.has(name) ? [] : [field(name, item, within)]));
    return `{${fields.toSorted().join(',')}}`;
  }
  const root = where.isPrincipal && typeof value === 'string' ? ROOT_ARN.exec(value) : null;
  return JSON.stringify(root?.[1] ?? value);
}

function field(name: string, value: unknown, where: Where): string {
  const isPrincipal = name === 'Principal' || name === 'NotPrincipal';
  // `"*"` alone is everybody, as `{"AWS": "*"}` is.
  const whole = isPrincipal && typeof value === 'string' ? { AWS: value } : value;
  return `${JSON.stringify(name)}:${normal(whole, { ...where, isPrincipal: where.isPrincipal || isPrincipal })}`;
}
