/** Sigma rules from YAML text: compiled once, or refused with line and reason. */
import { isAlias, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Severity } from '../../core/severity.ts';
import { printable } from '../printable.ts';
import { anyOf, conditionOf } from './condition.ts';
import { Refusal } from './refusal.ts';
import { type Selection, selectionOf } from './selection.ts';

export interface SigmaRule {
  /** As written: a UUID, stable over the rule's life. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly severity: Severity;
  readonly falsePositives: readonly string[];
  readonly references: readonly string[];
  /** ATT&CK technique ids from its tags, `T1485`. */
  readonly techniques: readonly string[];
  readonly match: Selection;
}

export interface RefusedRule {
  /** 1-based. */
  readonly line: number;
  readonly reason: string;
}

export interface ReadRules {
  readonly rules: readonly SigmaRule[];
  readonly refused: readonly RefusedRule[];
}

const LEVELS: Readonly<Record<string, Severity>> = {
  informational: 'info',
  low: 'low',
  medium: 'medium',
  high: 'high',
  critical: 'critical',
};
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DEPTH_LIMIT = 40;

/** All rules of a file, which may hold several documents. Never throws. */
export function readRules(text: string): ReadRules {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, maxAliasCount: 0 } as object);
  const rules: SigmaRule[] = [];
  const refused: RefusedRule[] = [];
  if (!Array.isArray(documents)) return { rules, refused: [{ line: 1, reason: 'the file is empty' }] };
  for (const document of documents) {
    const [error] = document.errors;
    if (error) {
      refused.push({ line: error.linePos?.[0].line ?? 1, reason: `no valid YAML: ${error.message.split('\n')[0]}` });
      continue;
    }
    try {
      let tooDeep = false;
      visit(document, (_key, node, ancestors) => {
        if (isAlias(node)) throw new Refusal([], 'YAML aliases are not supported');
        tooDeep ||= ancestors.length > DEPTH_LIMIT;
        return tooDeep ? visit.BREAK : undefined;
      });
      if (tooDeep) throw new Refusal([], `nested deeper than ${DEPTH_LIMIT}`);
      rules.push(ruleOf(document.toJS() as unknown));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      refused.push({ line: lineOf(refusal.path), reason: refusal.message });
    }

    function lineOf(path: readonly (string | number)[]): number {
      for (let length = path.length; length >= 0; length--) {
        const node = (length === 0 ? document.contents : document.getIn(path.slice(0, length), true)) as {
          range?: [number, number, number];
        } | null;
        if (node?.range) return lines.linePos(node.range[0]).line;
      }
      return 1;
    }
  }
  return { rules, refused };
}

function ruleOf(document: unknown): SigmaRule {
  if (!isMap(document)) throw new Refusal([], 'a rule must be a map');
  if (document['correlation'] !== undefined || document['action'] !== undefined)
    throw new Refusal(
      document['correlation'] === undefined ? ['action'] : ['correlation'],
      'correlations and rule collections are not supported',
    );
  const id = text(document['id'], 40);
  if (!ID.test(id)) throw new Refusal(['id'], 'the rule needs an id, a UUID: findings are filed under it');
  const title = text(document['title'], 100);
  if (title === '') throw new Refusal(['title'], 'the rule needs a title');
  const source = document['logsource'];
  if (!isMap(source) || source['product'] !== 'aws' || source['service'] !== 'cloudtrail')
    throw new Refusal(['logsource'], 'the log source is not product: aws, service: cloudtrail');
  const level = document['level'] === undefined ? 'medium' : text(document['level'], 40);
  const severity = Object.hasOwn(LEVELS, level) ? LEVELS[level] : undefined;
  if (severity === undefined) throw new Refusal(['level'], `the level "${level}" is none of ${Object.keys(LEVELS).join(', ')}`);
  const status = document['status'] === undefined ? 'experimental' : text(document['status'], 40);
  if (status === 'unsupported') throw new Refusal(['status'], 'its author says that it is unsupported');
  return {
    id: id.toLowerCase(),
    title,
    description: text(document['description'], 1_000),
    status,
    severity,
    falsePositives: texts(document['falsepositives']),
    references: texts(document['references']),
    techniques: texts(document['tags']).flatMap((tag) =>
      /^attack\.t\d{4}(\.\d{3})?$/i.test(tag) ? [tag.slice('attack.'.length).toUpperCase()] : [],
    ),
    match: detectionOf(document['detection']),
  };
}

function detectionOf(detection: unknown): Selection {
  if (!isMap(detection)) throw new Refusal(['detection'], 'the rule needs a detection');
  const selections = new Map<string, Selection>();
  for (const [name, definition] of Object.entries(detection)) {
    if (name !== 'condition' && name !== 'timeframe') selections.set(name, selectionOf(definition, ['detection', name]));
  }
  const { condition } = detection;
  const conditions: unknown[] = Array.isArray(condition) ? condition : [condition];
  if (conditions.length === 0 || !conditions.every((each) => typeof each === 'string'))
    throw new Refusal(['detection', 'condition'], 'the detection needs a condition');
  return anyOf(conditions.map((each) => conditionOf(each, selections, ['detection', 'condition'])));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown, limit: number): string {
  return typeof value === 'string' ? printable(value, limit).trim() : '';
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((each) => text(each, 300) || []).slice(0, 20);
}
