/**
 * Matchers as Alertmanager writes them: `severity="critical"`, `account!=111122223333`, `detector=~"key-.*"`, `owner!~"team-(a|b)"`.
 * Regular expressions are RE2's, anchored at both ends, and take time in proportion to what they read, whatever they are.
 * https://prometheus.io/docs/alerting/latest/configuration/#matcher
 */
import { RE2JS } from 're2js';
import { LABEL_NAME, type Labels, labelValue } from './labels.ts';

export const MATCH_OPERATORS = ['=', '!=', '=~', '!~'] as const;

export type MatchOperator = (typeof MATCH_OPERATORS)[number];

/** As it is stored. */
export interface MatcherParts {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
}

export interface Matcher extends MatcherParts {
  matches(labels: Labels): boolean;
}

export type Parsed = { readonly ok: true; readonly matcher: Matcher } | { readonly ok: false; readonly problem: string };

const LIMIT = 1_000;
const FORM = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\["\\n])*)"|([^"'`{}\s,][^"'`{}\s]*)?)\s*$/;
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** @returns what is wrong with it in words, where it is no matcher */
export function parseMatcher(text: string): Parsed {
  if (text.length > LIMIT) return { ok: false, problem: `is longer than ${LIMIT} characters` };
  const [, name, operator, quoted, bare] = FORM.exec(text) ?? [];
  if (name === undefined || operator === undefined) {
    return { ok: false, problem: `must be a label, one of = != =~ !~, and a value, as in severity=~"critical|high"` };
  }
  const value = quoted === undefined ? (bare ?? '') : quoted.replace(/\\["\\n]/g, (escape) => ESCAPES[escape] ?? escape);
  return createMatcher({ name, operator: operator as MatchOperator, value });
}

export function createMatcher({ name, operator, value }: MatcherParts): Parsed {
  if (!LABEL_NAME.test(name)) return { ok: false, problem: `${JSON.stringify(name)} cannot be the name of a label` };
  if (value.length > LIMIT) return { ok: false, problem: `has a value of more than ${LIMIT} characters` };
  const isNegative = operator.startsWith('!');
  if (!operator.endsWith('~')) {
    const matches = (labels: Labels): boolean => (labelValue(labels, name) === value) !== isNegative;
    return { ok: true, matcher: { name, operator, value, matches } };
  }
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'it cannot be read';
    return { ok: false, problem: `has no valid regular expression: ${reason}` };
  }
  const matches = (labels: Labels): boolean => expression.matches(labelValue(labels, name)) !== isNegative;
  return { ok: true, matcher: { name, operator, value, matches } };
}

export function matcherText({ name, operator, value }: MatcherParts): string {
  return `${name}${operator}${JSON.stringify(value)}`;
}

export function matchAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels));
}
