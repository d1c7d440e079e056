import { createHash } from 'node:crypto';
import type { JsonObject } from './json.ts';
import type { Severity } from './severity.ts';

export const FINDING_STATUSES = ['open', 'acknowledged', 'resolved', 'suppressed'] as const;

export type FindingStatus = (typeof FINDING_STATUSES)[number];

/** The persisted result of matches that share a dedup key, as detection derives it from facts. */
export interface DerivedFinding {
  /** Stable across runs: derived from detector and dedup key. */
  readonly id: string;
  readonly detector: string;
  readonly dedupKey: readonly string[];
  readonly severity: Severity;
  readonly title: string;
  /** Derived standing; `acknowledged` and `suppressed` are people's words and are laid over it. */
  readonly open: boolean;
  readonly resolvedAt: number | null;
  /** Why it is resolved, one sentence. */
  readonly resolution: string | null;
  readonly keyArn: string | null;
  readonly actor: string | null;
  readonly account: string;
  readonly region: string;
  /** Event times, epoch milliseconds. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly occurrences: number;
  /** CloudTrail event ids, earliest first, at most `EVIDENCE_LIMIT`: the first and the last ones. */
  readonly evidence: readonly string[];
  readonly explanation: Explanation;
  /** Numbers and names behind the explanation, by stable keys. No encryption-context values. */
  readonly details: JsonObject;
}

/** What a person is told. No sentence says more than the data shows. */
export interface Explanation {
  readonly what: string;
  /** Why it is unusual or dangerous; observed against expected, with numbers. */
  readonly why: string;
  /** What would make it harmless. */
  readonly benign: string;
  /** What to do now, in order. */
  readonly now: readonly string[];
}

export const EVIDENCE_LIMIT = 20;

/** Finding ids are derived, so that evaluating again is no new finding: 16 hex digits of SHA-256 over detector and dedup key. */
export function findingId(detector: string, dedupKey: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([detector, ...dedupKey]))
    .digest('hex')
    .slice(0, 16);
}
