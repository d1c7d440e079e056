import { type DerivedFinding, EVIDENCE_LIMIT, type Explanation, findingId } from '../core/finding.ts';
import { moreSevere, type Severity } from '../core/severity.ts';
import type { Detector, Match } from './contract.ts';
import { printable, printableJson } from './printable.ts';

/** Where a match was found; what its finding is filed under. */
export interface Place {
  readonly keyArn: string | null;
  readonly actor: string | null;
  readonly account: string;
  readonly region: string;
}

/**
 * All matches of one detector under one dedup key, taken in event order, becoming one finding. A mend ends an episode; the next
 * match begins another one. Times, count and evidence are of all episodes; severity is of the last one, and the words are of its last match.
 */
export class Case {
  readonly #detector: Detector;
  readonly #dedupKey: readonly string[];
  readonly #evidence = new Set<string>();
  #matches = 0;
  #occurrences = 0;
  #firstSeen = Number.POSITIVE_INFINITY;
  #lastSeen = Number.NEGATIVE_INFINITY;
  #episode: Severity | null = null;
  #latest: { match: Match; place: Place } | null = null;
  #mended: { readonly at: number; readonly reason: string } | null = null;

  constructor(detector: Detector, dedupKey: readonly string[]) {
    this.#detector = detector;
    this.#dedupKey = dedupKey;
  }

  get matches(): number {
    return this.#matches;
  }

  get isOpen(): boolean {
    return this.#latest !== null && this.#mended === null;
  }

  add(match: Match, place: Place): void {
    if (this.#latest !== null) this.#settle(this.#latest.match);
    if (this.#mended !== null) this.#episode = null;
    this.#matches++;
    this.#latest = { match, place };
    this.#mended = match.resolved ?? null;
  }

  mend(at: number, reason: string): void {
    this.#mended = { at, reason };
  }

  /**
   * @param standing what the moment of judging makes of the latest match while nothing has mended it
   * @returns null when nothing was added
   */
  finding(standing?: (match: Match) => Match): DerivedFinding | null {
    if (this.#latest === null) return null;
    const { place } = this.#latest;
    const match = standing && this.#mended === null ? standing(this.#latest.match) : this.#latest.match;
    this.#settle(match);
    this.#latest = null;
    const mended = this.#mended ?? match.resolved ?? null;
    const detector = this.#detector;
    return {
      id: findingId(detector.id, this.#dedupKey),
      detector: detector.id,
      dedupKey: this.#dedupKey,
      severity: this.#episode ?? detector.severity,
      title: printable(match.title ?? detector.title, 300),
      open: mended === null,
      resolvedAt: mended?.at ?? null,
      resolution: mended === null ? null : printable(mended.reason, 1000),
      keyArn: clean(place.keyArn),
      actor: clean(match.actor === undefined ? place.actor : match.actor),
      account: printable(place.account),
      region: printable(place.region),
      firstSeen: this.#firstSeen,
      lastSeen: this.#lastSeen,
      occurrences: this.#occurrences,
      evidence: firstAndLast([...this.#evidence]),
      explanation: explain(match.explanation),
      details: printableJson(match.details),
    };
  }

  #settle(match: Match): void {
    const severity = match.severity ?? this.#detector.severity;
    this.#episode = this.#episode === null ? severity : moreSevere(this.#episode, severity);
    this.#occurrences += match.occurrences ?? 1;
    this.#firstSeen = Math.min(this.#firstSeen, match.at);
    this.#lastSeen = Math.max(this.#lastSeen, match.until ?? match.at);
    for (const eventId of match.evidence) this.#evidence.add(eventId);
  }
}

/** The cases of one detector and subject, by dedup key. */
export class Cases {
  readonly #detector: Detector;
  readonly #byKey = new Map<string, Case>();

  constructor(detector: Detector) {
    this.#detector = detector;
  }

  find(dedupKey: readonly string[]): Case | undefined {
    return this.#byKey.get(JSON.stringify(dedupKey.map((part) => printable(part))));
  }

  findOrOpen(dedupKey: readonly string[]): Case {
    const parts = dedupKey.map((part) => printable(part));
    const name = JSON.stringify(parts);
    const known = this.#byKey.get(name) ?? new Case(this.#detector, parts);
    this.#byKey.set(name, known);
    return known;
  }

  get matches(): number {
    let sum = 0;
    for (const one of this.#byKey.values()) sum += one.matches;
    return sum;
  }

  /** In order of dedup keys. */
  findings(standing?: (match: Match) => Match): DerivedFinding[] {
    const named = [...this.#byKey].sort(([a], [b]) => (a < b ? -1 : 1));
    return named.flatMap(([, one]) => one.finding(standing) ?? []);
  }
}

function clean(text: string | null): string | null {
  return text === null ? null : printable(text);
}

function firstAndLast(ids: readonly string[]): string[] {
  if (ids.length <= EVIDENCE_LIMIT) return [...ids];
  return [...ids.slice(0, EVIDENCE_LIMIT / 2), ...ids.slice(-EVIDENCE_LIMIT / 2)];
}

function explain({ what, why, benign, now }: Explanation): Explanation {
  return { what: printable(what), why: printable(why), benign: printable(benign), now: now.map((step) => printable(step)) };
}
