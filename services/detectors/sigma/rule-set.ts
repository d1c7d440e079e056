/** The rules that are in force: which of them a record matches. */
import { printable } from '../printable.ts';
import { textOf } from './fields.ts';
import type { SigmaRule } from './rule.ts';

export interface RuleSet {
  readonly rules: readonly SigmaRule[];
  /** Ids of the rules that the parsed record matches, in the set's order. */
  matches(record: Readonly<Record<string, unknown>>): readonly string[];
}

const NONE: readonly string[] = [];

export const NO_RULES: RuleSet = { rules: [], matches: () => NONE };

/** Rules that name the operations they are about are only tried on those. Of rules with the same id the first counts. */
export function ruleSetOf(all: readonly SigmaRule[]): RuleSet {
  const rules = [...new Map(all.toReversed().map((rule) => [rule.id, rule])).values()].toReversed();
  if (rules.length === 0) return NO_RULES;
  const byName = new Map<string, SigmaRule[]>();
  const always: SigmaRule[] = [];
  for (const rule of rules) {
    if (rule.match.names === null) always.push(rule);
    for (const name of rule.match.names ?? []) byName.set(name, [...(byName.get(name) ?? []), rule]);
  }
  return {
    rules,
    matches(record) {
      const named = byName.get(textOf(record['eventName'] ?? '').toLowerCase());
      if (!named && always.length === 0) return NONE;
      const matching = [...(named ?? []), ...always].filter((rule) => rule.match.test(record)).map((rule) => rule.id);
      return matching.length > 0 ? matching : NONE;
    },
  };
}

/** AWS services that the rules name, as in `iam`; a rule that names none is not among them. */
export function servicesOf({ rules }: RuleSet): string[] {
  const sources = rules.flatMap(({ match }) => [...(match.sources ?? [])]);
  return [
    ...new Set(
      sources.filter((source) => /^[a-z0-9-]+\.amazonaws\.com$/.test(source)).map((source) => printable(source.split('.')[0] ?? '', 64)),
    ),
  ].toSorted();
}
