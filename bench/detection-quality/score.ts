/** What counts as recognised, what as noise, and which account-days are benign. */
import { DAY } from '../../services/core/clock.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { severityRank, type Severity } from '../../services/core/severity.ts';
import type { Detector } from '../../services/detectors/contract.ts';
import type { Story } from '../../services/simulate/organization/contract.ts';

/** A story and the CloudTrail ids of its own records. */
export interface Told extends Story {
  readonly eventIds: ReadonlySet<string>;
  /** Another story kept some of its records from the trail, so that nobody could recognise it as it was told: it is not judged. */
  readonly hidden?: boolean;
}

/** As far as it says how findings relate to events. */
export type Judge = Pick<Detector, 'id' | 'kind' | 'subject'>;

/** From a story's first record to the end of what it does to others. */
export function span({ startsAt, endsAt, aftermath, unseen }: Story): { readonly from: number; readonly to: number } {
  return { from: startsAt, to: Math.max(endsAt, ...aftermath.map(({ to }) => to), ...unseen.map(({ to }) => to)) };
}

/** Ids of the accounts that it happens in, or of which the trail shows nothing because of it. */
export function accountsOf({ accounts, unseen }: Story): string[] {
  return [...new Set([...accounts, ...unseen.map(({ account }) => account)])];
}

/**
 * A finding recognises a story when one of the detectors that it expects made it, on one of its keys, actors or (detectors that judge
 * accounts) accounts, out of the story's own events. Volume and silence name no single event: there the finding's latest time must
 * lie within the story, the last day or hour of it included.
 */
export function recognises(finding: DerivedFinding, story: Told, judge: Judge): boolean {
  if (!story.expects.includes(finding.detector) || !isOnSubjects(finding, story, judge)) return false;
  if (hasOwnEvidence(finding, story)) return true;
  if (judge.kind !== 'absence' && judge.kind !== 'baseline') return false;
  const { from, to } = span(story);
  return finding.lastSeen > from && finding.lastSeen <= to + DAY;
}

/** Whose findings are a story's: made of its events, or about its subjects while it lasts. */
export function isOfStory(finding: DerivedFinding, story: Told, judge: Judge): boolean {
  if (hasOwnEvidence(finding, story)) return true;
  const { from, to } = span(story);
  return isOnSubjects(finding, story, judge) && finding.lastSeen >= from && finding.firstSeen <= to;
}

export function hasOwnEvidence(finding: DerivedFinding, story: Told): boolean {
  return finding.evidence.some((id) => story.eventIds.has(id));
}

function isOnSubjects({ keyArn, actor, account }: DerivedFinding, story: Told, { subject }: Judge): boolean {
  if (keyArn !== null && story.keys.includes(keyArn)) return true;
  if (actor !== null && story.actors.includes(actor)) return true;
  return (subject === 'account' || subject === 'alias') && accountsOf(story).includes(account);
}

/** A finding that nothing but ordinary work has brought about. */
export interface Noise {
  readonly id: string;
  readonly detector: string;
  /** The highest that it had. */
  severity: Severity;
  readonly account: string;
  /** Day of the trial on which it first stood, from 0. */
  readonly day: number;
  readonly keyArn: string | null;
  readonly actor: string | null;
  readonly title: string;
  readonly what: string;
  readonly why: string;
}

export interface Period {
  readonly start: number;
  /** First day that counts, from 0. */
  readonly learnedDays: number;
  readonly days: number;
  readonly accounts: readonly string[];
  readonly stories: readonly Story[];
}

/** Account-days after learning in which no story is under way. */
export class Calendar {
  readonly #benign = new Set<string>();
  readonly #accounts: ReadonlySet<string>;
  readonly #learnedDays: number;

  constructor({ start, learnedDays, days, accounts, stories }: Period) {
    this.#accounts = new Set(accounts);
    this.#learnedDays = learnedDays;
    for (const account of accounts) for (let day = learnedDays; day < days; day++) this.#benign.add(`${account} ${day}`);
    for (const story of stories) {
      const { from, to } = span(story);
      for (let day = Math.floor((from - start) / DAY); day <= Math.floor((to - start) / DAY); day++) {
        for (const account of accountsOf(story)) this.#benign.delete(`${account} ${day}`);
      }
    }
  }

  get benignDays(): number {
    return this.#benign.size;
  }

  /** A finding about an account that is not ours counts on every day after learning. */
  isBenign(account: string, day: number): boolean {
    return this.#accounts.has(account) ? this.#benign.has(`${account} ${day}`) : day >= this.#learnedDays;
  }
}

/** Takes the findings of evaluation after evaluation, and keeps those that are noise. */
export class NoiseCount {
  readonly #calendar: Calendar;
  readonly #stories: readonly Told[];
  readonly #judges: ReadonlyMap<string, Judge>;
  /** How each finding stood last. */
  readonly #known = new Map<string, { readonly lastSeen: number; readonly open: boolean; readonly noise: Noise | null }>();
  readonly #noise: Noise[] = [];

  constructor(of: { readonly calendar: Calendar; readonly stories: readonly Told[]; readonly judges: ReadonlyMap<string, Judge> }) {
    this.#calendar = of.calendar;
    this.#stories = of.stories;
    this.#judges = of.judges;
  }

  /**
   * A finding counts once when it first stands, and again each time that it comes back after it was over.
   * @param day that the evaluation ends; what stood before it counts, and what comes on a day of a story, is never counted
   */
  take(findings: readonly DerivedFinding[], day: number): void {
    for (const finding of findings) {
      const { id, severity, lastSeen, open } = finding;
      const known = this.#known.get(id);
      const isNews = known === undefined || (!known.open && lastSeen > known.lastSeen);
      const noise = isNews ? this.#noiseOf(finding, day) : known.noise;
      if (isNews && noise) this.#noise.push(noise);
      if (noise && severityRank(severity) < severityRank(noise.severity)) noise.severity = severity;
      this.#known.set(id, { lastSeen, open, noise });
    }
  }

  get noise(): readonly Noise[] {
    return this.#noise;
  }

  #noiseOf(finding: DerivedFinding, day: number): Noise | null {
    if (!this.#calendar.isBenign(finding.account, day) || this.#isOfAnyStory(finding)) return null;
    const { id, detector, severity, account, keyArn, actor, title, explanation } = finding;
    return { id, detector, severity, account, day, keyArn, actor, title, what: explanation.what, why: explanation.why };
  }

  #isOfAnyStory(finding: DerivedFinding): boolean {
    const judge = this.#judges.get(finding.detector);
    return judge !== undefined && this.#stories.some((story) => isOfStory(finding, story, judge));
  }
}
