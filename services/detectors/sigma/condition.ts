/**
 * The condition of a rule: `selection and not 1 of filter_*`. Grammar, loosest first: or, and, not, then a name, `1 of` / `all of` /
 * `any of` a pattern or `them`, or parentheses.
 */
import { Refusal } from './refusal.ts';
import { intersection, type Selection, union } from './selection.ts';

type Where = readonly (string | number)[];

const TOKENS_LIMIT = 500;
const DEPTH_LIMIT = 50;

/** @throws Refusal when it cannot be read, or speaks of a selection that is not there */
export function conditionOf(text: string, selections: ReadonlyMap<string, Selection>, path: Where): Selection {
  if (text.includes('|')) throw new Refusal(path, 'aggregations in conditions ("| count()", "| near") are not supported');
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  if (tokens.length > TOKENS_LIMIT) throw new Refusal(path, `the condition has more than ${TOKENS_LIMIT} words`);
  let at = 0;

  const next = (): string | undefined => tokens[at]?.toLowerCase();
  const take = (word: string): boolean => {
    const is = next() === word;
    if (is) at++;
    return is;
  };
  const fail = (reason: string): never => {
    throw new Refusal(path, reason);
  };

  function either(depth: number): Selection {
    const parts = [both(depth)];
    while (take('or')) parts.push(both(depth));
    return parts.length === 1 ? (parts[0] as Selection) : anyOf(parts);
  }

  function both(depth: number): Selection {
    const parts = [negated(depth)];
    while (take('and')) parts.push(negated(depth));
    return parts.length === 1 ? (parts[0] as Selection) : allOf(parts);
  }

  function negated(depth: number): Selection {
    if (depth > DEPTH_LIMIT) fail(`the condition is nested deeper than ${DEPTH_LIMIT}`);
    if (!take('not')) return primary(depth);
    const part = negated(depth + 1);
    return { test: (record) => !part.test(record), names: null, sources: null };
  }

  function primary(depth: number): Selection {
    if (take('(')) {
      const inner = either(depth + 1);
      return take(')') ? inner : fail('a parenthesis is not closed');
    }
    const word = tokens[at++];
    if (word === undefined) return fail('the condition ends too early');
    if (['1', 'any', 'all'].includes(word.toLowerCase()) && next() === 'of') {
      at++;
      const parts = matching(tokens[at++] ?? fail('"of" needs a name'));
      return word.toLowerCase() === 'all' ? allOf(parts) : anyOf(parts);
    }
    return selections.get(word) ?? fail(`the condition names "${word}", which is not defined`);
  }

  /** `them` means all that do not begin with an underscore. */
  function matching(pattern: string): Selection[] {
    const them = pattern.toLowerCase() === 'them';
    const found = [...selections]
      .filter(([name]) => (them ? !name.startsWith('_') : glob(pattern, name)))
      .map(([, selection]) => selection);
    return found.length > 0 ? found : fail(`no selection is named "${pattern}"`);
  }

  const whole = either(0);
  if (at < tokens.length) fail(`"${tokens[at]}" is not expected there`);
  return whole;
}

export function anyOf(parts: readonly Selection[]): Selection {
  return {
    test: (record) => parts.some((part) => part.test(record)),
    names: union(parts.map((part) => part.names)),
    sources: union(parts.map((part) => part.sources)),
  };
}

function allOf(parts: readonly Selection[]): Selection {
  return {
    test: (record) => parts.every((part) => part.test(record)),
    names: intersection(parts.map((part) => part.names)),
    sources: intersection(parts.map((part) => part.sources)),
  };
}

/** `selection_*`; the star stands for any text, wherever it is. */
function glob(pattern: string, name: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  if (others.length === 0) return name === pattern;
  const last = others.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > name.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
