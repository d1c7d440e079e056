/** A Sigma rule as a detector: what matched was found when the records were stored; here it becomes findings. */
import { z } from 'zod';
import { type Detector, defineWindowDetector, type RuleMatch } from '../contract.ts';
import { actorName, count, iso, keyId, listed, period, plain } from '../wording.ts';
import type { SigmaRule } from './rule.ts';

const STATUSES = ['experimental', 'test', 'stable', 'deprecated'] as const;

/** Rules have the ids of their authors; the prefix keeps them apart from our own. */
export function detectorId(ruleId: string): string {
  return `sigma-${ruleId}`;
}

export function isSigma(detector: string): boolean {
  return detector.startsWith('sigma-');
}

/** One finding for each caller, key and Region: a rule that matches often raises a count, not a flood. */
export function detectorOf(rule: SigmaRule): Detector {
  const id = detectorId(rule.id);
  return defineWindowDetector({
    id,
    title: rule.title,
    severity: rule.severity,
    status: STATUSES.find((status) => status === rule.status) ?? 'experimental',
    family: 'rule',
    kind: 'window',
    subject: 'account',
    // Its records are told from others by the rule itself, see `RuleSet`.
    events: [],
    params: z.strictObject({}),
    techniques: rule.techniques,
    blindSpots: ['Records that were stored before the rule was loaded.'],
    falsePositives: rule.falsePositives,

    evaluate(subject) {
      const own = (subject.ruleMatches ?? []).filter((match) => match.rule === rule.id);
      return [...Map.groupBy(own, (match) => JSON.stringify([match.region, match.actor.id, match.keyArn ?? '']))].map(
        ([place, matches]) => {
          const first = matches.reduce((a, b) => (earlier(b.firstAt, b.firstEventId, a.firstAt, a.firstEventId) ? b : a));
          const last = matches.reduce((a, b) => (earlier(a.lastAt, a.lastEventId, b.lastAt, b.lastEventId) ? b : a));
          const calls = matches.reduce((sum, match) => sum + match.count, 0);
          const operations = [...new Set(matches.map((match) => match.operation))].toSorted();
          const key = first.keyArn === null ? '' : ` on key ${keyId(first.keyArn)}`;
          return {
            dedupKey: JSON.parse(place) as string[],
            keyArn: first.keyArn,
            region: first.region,
            at: first.firstAt,
            until: last.lastAt,
            occurrences: calls,
            actor: first.actor.id,
            evidence: [...new Set([first.firstEventId, last.lastEventId])],
            explanation: {
              what: `${count(calls, 'record')} of ${actorName(first.actor)}${key} in ${plain(first.region, 32)} matched the rule, ${period(first.firstAt, last.lastAt)}: ${listed(operations)}.`,
              why: rule.description === '' ? 'A Sigma rule that was loaded from the rules folder says so.' : rule.description,
              benign: rule.falsePositives.length === 0 ? 'The rule names no false positives.' : listed(rule.falsePositives, 10),
              now: ['Look at the evidence records.', ...rule.references.slice(0, 5).map((reference) => `Read ${reference}`)],
            },
            details: { rule: rule.id, records: calls, operations, first_at: iso(first.firstAt), last_at: iso(last.lastAt) },
          };
        },
      );
    },
  });
}

function earlier(atA: number, idA: RuleMatch['firstEventId'], atB: number, idB: string): boolean {
  return atA !== atB ? atA < atB : idA < idB;
}
