/**
 * Lets a simulated time go by and writes down what detection finds at each moment. Findings are a function of the facts so far and of
 * the moment of judging (ADR 0001), so nothing that has been found need be kept: a story's subjects are judged when it does something
 * and at every full hour, as the service does, and everything at the end of every day.
 */
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { type ConfiguredDetector, relevanceFilter } from '../../services/detectors/configure.ts';
import type { Organization, Subject } from '../../services/detectors/contract.ts';
import { deriveFindings } from '../../services/detectors/engine.ts';
import type { LogFile } from '../../services/simulate/log-file.ts';
import { Channels } from './channels.ts';
import { daysOf } from './events.ts';
import { SubjectLedger } from './ledger.ts';
import { accountsOf, Calendar, hasOwnEvidence, type Judge, type Noise, NoiseCount, recognises, type Told } from './score.ts';

export interface Trial {
  /** Epoch milliseconds of a full hour. */
  readonly start: number;
  readonly days: number;
  /** So many days are for learning only. */
  readonly learnedDays: number;
  readonly accounts: readonly string[];
  readonly organization: Organization;
  readonly stories: readonly Told[];
  /** In order of time. */
  readonly files: Iterable<LogFile>;
}

export interface Recognition {
  readonly playbook: string;
  readonly variant: Told['variant'];
  readonly account: string;
  readonly recognised: boolean;
  /** From the event that makes the story recognisable to the first finding, event time; null = never. */
  readonly delayMs: number | null;
  /** The detectors that came first. */
  readonly by: readonly string[];
  /** Of the expected ones. */
  readonly expects: readonly string[];
  /** All detectors that found something in the story's own events, expected or not. */
  readonly foundBy: readonly string[];
  readonly startsAt: number;
  readonly recognisableAt: number;
  readonly keys: readonly string[];
  readonly actors: readonly string[];
}

export interface Verdict {
  readonly records: number;
  readonly events: number;
  /** Those that were judged. */
  readonly stories: readonly Recognition[];
  /** Stories that another one kept from the trail. */
  readonly hidden: number;
  readonly benignDays: number;
  readonly noise: readonly Noise[];
  /** Detectors that threw. */
  readonly failures: readonly string[];
  /** Of the last evaluation, in order of ids. */
  readonly findings: readonly DerivedFinding[];
}

export interface Means {
  readonly detectors: readonly ConfiguredDetector[];
  /** Leave out to judge no silence, as in a replay. */
  readonly silence?: boolean;
  /** Called at the end of every day, with the days that are done. */
  readonly onDay?: (day: number) => void;
}

/** Evaluations of a story on its own events; after them it is judged every hour only. */
const CLOSE_LOOKS = 200;
/** For so long after it became recognisable a story is judged every hour; then every day. */
const HOURLY_MS = DAY;

interface Case {
  readonly told: Told;
  readonly detectors: readonly ConfiguredDetector[];
  readonly subjects: Set<string>;
  readonly foundBy: Set<string>;
  looks: number;
  firstAt: number | null;
  by: string[];
}

export function judge(trial: Trial, means: Means): Verdict {
  const { start, days, learnedDays, accounts, organization, stories } = trial;
  const { detectors } = means;
  const end = start + days * DAY;
  const judges = new Map<string, Judge>(detectors.map(({ detector }) => [detector.id, detector]));
  const calendar = new Calendar({ start, learnedDays, days, accounts, stories });
  const count = new NoiseCount({ calendar, stories, judges });
  const ledger = new SubjectLedger(organization);
  const channels = new Channels(start);
  const failures = new Set<string>();
  const cases = stories.filter(({ hidden }) => hidden !== true).map((told): Case => caseOf(told, detectors));
  const byEvent = new Map(cases.flatMap((one) => [...one.told.eventIds].map((id): [string, Case] => [id, one])));
  const sums = { records: 0, events: 0 };
  let last: DerivedFinding[] = [];

  const findingsOf = (names: Iterable<string>, asOf: number, chosen: readonly ConfiguredDetector[]): DerivedFinding[] => {
    const found: DerivedFinding[] = [];
    for (const name of names) {
      const subject = ledger.subject(name) ?? silentAccount(name, means);
      if (subject === null) continue;
      const coverage = means.silence === true && subject.kind === 'account' ? channels.of(subject.account, asOf) : undefined;
      const derivation = deriveFindings(subject, chosen, { asOf, organization, now: () => 0, coverage });
      found.push(...derivation.findings);
      for (const { detector, message } of derivation.failures) failures.add(`${detector}: ${message}`);
    }
    return found;
  };
  const notice = (one: Case, findings: readonly DerivedFinding[], at: number): void => {
    if (one.firstAt !== null) return;
    const first = findings.filter((finding) => recognises(finding, one.told, judges.get(finding.detector) as Judge));
    if (first.length === 0) return;
    one.firstAt = at;
    one.by = [...new Set(first.map(({ detector }) => detector))].sort();
  };
  const look = (one: Case, at: number): void => notice(one, findingsOf(one.subjects, at, one.detectors), at);
  const isPending = (one: Case, at: number): boolean => one.firstAt === null && one.told.recognisableAt <= at;

  const everything = (asOf: number): void => {
    last = findingsOf(ledger.names(), asOf, detectors);
    count.take(last, Math.round((asOf - start) / DAY) - 1);
    for (const one of cases) if (one.told.startsAt <= asOf) notice(one, last, asOf);
    for (const finding of last) {
      const own = new Set(finding.evidence.flatMap((id) => byEvent.get(id) ?? []));
      for (const one of own) if (hasOwnEvidence(finding, one.told)) one.foundBy.add(finding.detector);
    }
  };

  let tick = start;
  /** Judges at every full hour before `until`. */
  const advance = (until: number): void => {
    for (; tick < until && tick <= end; tick += HOUR) {
      for (const one of cases) if (isPending(one, tick) && tick - one.told.recognisableAt <= HOURLY_MS) look(one, tick);
      if (tick === start || (tick - start) % DAY !== 0) continue;
      const day = (tick - start) / DAY;
      if (day >= learnedDays || day === days) everything(tick);
      means.onDay?.(day);
    }
  };

  for (const day of daysOf(trial.files, relevanceFilter(detectors, organization))) {
    sums.records += day.records;
    sums.events += day.events.length;
    channels.add(day);
    for (const moment of momentsOf(day.events)) {
      const at = moment[0]?.eventTime ?? 0;
      advance(at);
      const touched = ledger.add(moment);
      const active = new Set<Case>();
      for (const [index, event] of moment.entries()) {
        const one = byEvent.get(event.eventId);
        if (!one) continue;
        for (const name of touched[index] ?? []) one.subjects.add(name);
        active.add(one);
      }
      for (const one of active) if (isPending(one, at) && one.looks++ < CLOSE_LOOKS) look(one, at);
    }
  }
  advance(end + 1);
  return {
    ...sums,
    stories: cases.map(recognitionOf),
    hidden: stories.length - cases.length,
    benignDays: calendar.benignDays,
    noise: count.noise,
    failures: [...failures].sort(),
    findings: last.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function caseOf(told: Told, detectors: readonly ConfiguredDetector[]): Case {
  const { keys, actors, expects } = told;
  const subjects = new Set([
    ...keys.map((arn) => `key:${arn}`),
    ...actors.map((id) => `actor:${id}`),
    ...accountsOf(told).map((id) => `account:${id}`),
  ]);
  const chosen = detectors.filter(({ detector }) => expects.includes(detector.id));
  return { told, detectors: chosen, subjects, foundBy: new Set(), looks: 0, firstAt: null, by: [] };
}

function recognitionOf({ told, firstAt, by, foundBy }: Case): Recognition {
  const { playbook, variant, accounts, expects, startsAt, recognisableAt, keys, actors } = told;
  return {
    playbook,
    variant,
    account: accounts[0] ?? '',
    recognised: firstAt !== null,
    delayMs: firstAt === null ? null : Math.max(0, firstAt - recognisableAt),
    by,
    expects,
    foundBy: [...foundBy].sort(),
    startsAt,
    recognisableAt,
    keys,
    actors,
  };
}

/** An account of which nothing is on record but that it was heard of: silence is judged all the same. */
function silentAccount(name: string, { silence }: Means): Subject | null {
  if (silence !== true || !name.startsWith('account:')) return null;
  return { kind: 'account', account: name.slice('account:'.length), timeline: [], conflicts: [], throttled: [] };
}

/** Events in order, cut where the time changes. */
function* momentsOf<E extends { readonly eventTime: number }>(events: readonly E[]): Generator<E[], void, undefined> {
  let moment: E[] = [];
  for (const event of events) {
    if (moment[0] && moment[0].eventTime !== event.eventTime) {
      yield moment;
      moment = [];
    }
    moment.push(event);
  }
  if (moment.length > 0) yield moment;
}

/** What a person waits for at most by the target. */
export const TARGET_DELAY_MS = 5 * MINUTE;
