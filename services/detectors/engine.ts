/**
 * Runs detectors on a subject: its findings as a pure function of what is known of it and of the moment of judging.
 * A detector that throws loses its own findings of this subject, and nobody else's.
 */
import type { StoredEvent } from '../core/event.ts';
import type { DerivedFinding } from '../core/finding.ts';
import { rotationOf } from '../keys/rotation.ts';
import { stateOf } from '../keys/state.ts';
import { atStake, withStake } from './at-stake.ts';
import { Cases, type Place } from './case.ts';
import type { ConfiguredDetector } from './configure.ts';
import type { Channel, Context, Detector, Match, Organization, Subject } from './contract.ts';
import { printable } from './printable.ts';
import { type Scene, sceneOf, type Step } from './scene.ts';

export interface Moment {
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly organization: Organization;
  /** Monotonic milliseconds, to measure what detectors cost. */
  now(): number;
  /** What sources have shown. Without it, absence is not judged: not knowing is not silence. */
  readonly coverage?: readonly Channel[] | undefined;
}

export interface Derivation {
  readonly findings: DerivedFinding[];
  /** Detectors that threw: what they had found of this subject before is neither confirmed nor refuted. */
  readonly failures: { detector: string; message: string }[];
  /** One for every detector of this kind of subject, the failed ones included. */
  readonly evaluations: { detector: string; matches: number; milliseconds: number }[];
}

// oxlint-disable-next-line typescript/no-explicit-any -- parameters are as the detector's own schema parsed them
type Params = any;

export function deriveFindings(subject: Subject, detectors: readonly ConfiguredDetector[], moment: Moment): Derivation {
  const derivation: Derivation = { findings: [], failures: [], evaluations: [] };
  const scene = sceneOf(subject);
  const aliases = subject.kind === 'key' ? subject.aliases : [];
  const stakes = new Map<string, string>();
  const explain = (finding: DerivedFinding): DerivedFinding => {
    const { keyArn } = finding;
    if (keyArn === null) return finding;
    const stake = stakes.get(keyArn) ?? atStake(subject, keyArn, moment.organization);
    stakes.set(keyArn, stake);
    return stake === '' ? finding : { ...finding, explanation: withStake(finding.explanation, stake) };
  };
  for (const { detector, params } of detectors) {
    if (detector.subject !== subject.kind) continue;
    const context: Context<Params> = {
      params,
      organization: moment.organization,
      asOf: moment.asOf,
      stateOf,
      rotationOf: (facts) => rotationOf(facts, aliases),
    };
    const began = moment.now();
    let matches = 0;
    try {
      const { cases, standing } = judge(detector, { subject, scene, context, coverage: moment.coverage });
      derivation.findings.push(...cases.findings(standing).map(explain));
      matches = cases.matches;
    } catch (error) {
      derivation.failures.push({ detector: detector.id, message: messageOf(error) });
    }
    derivation.evaluations.push({ detector: detector.id, matches, milliseconds: moment.now() - began });
  }
  return derivation;
}

interface Evaluation {
  readonly subject: Subject;
  readonly scene: Scene;
  readonly context: Context<Params>;
  readonly coverage: readonly Channel[] | undefined;
}

interface Judgement {
  readonly cases: Cases;
  readonly standing?: ((match: Match) => Match) | undefined;
}

function judge(detector: Detector, { subject, scene, context, coverage }: Evaluation): Judgement {
  const cases = new Cases(detector);
  switch (detector.kind) {
    case 'event':
      foldEvents(detector, { subject, scene, context }, cases);
      return { cases, standing: detector.standing && ((match) => detector.standing?.(match, subject, context) ?? match) };
    case 'state': {
      if (subject.kind !== 'key') return { cases };
      const match = detector.evaluate(subject, context);
      if (match) cases.findOrOpen(detector.dedupKey(subject)).add(match, { ...scene.place, actor: null });
      return { cases };
    }
    case 'window':
    case 'baseline': {
      const matches = detector.evaluate(subject, context);
      for (const match of matches.toSorted(byTime)) {
        const { keyArn = scene.place.keyArn, region = scene.place.region } = match;
        cases.findOrOpen(match.dedupKey).add(match, { ...scene.place, keyArn, region });
      }
      return { cases };
    }
    case 'absence': {
      if (coverage === undefined) return { cases };
      const { account } = scene.place;
      const matches = detector.evaluate(
        coverage.filter((channel) => channel.account === account),
        context,
      );
      for (const match of matches.toSorted(byTime)) {
        cases.findOrOpen(match.dedupKey).add(match, { keyArn: null, actor: null, account: match.account, region: match.region });
      }
      return { cases };
    }
  }
}

/**
 * Takes a subject's events in order. An event that mends an open case is not judged itself; every other one that the detector
 * listens to is. Costs nothing for a subject with no such event, and one walk otherwise.
 */
function foldEvents(detector: Extract<Detector, { kind: 'event' }>, evaluation: Omit<Evaluation, 'coverage'>, cases: Cases): void {
  const { subject, scene, context } = evaluation;
  const candidates = scene.stepsFor(detector.events);
  const first = candidates[0];
  if (first === undefined) return;
  const wanted = detector.outcome ?? 'success';
  let open = 0;
  let next = 0;

  const evaluate = (step: Step): void => {
    if (wanted !== 'any' && (step.event.outcome === 'ok') !== (wanted === 'success')) return;
    const match = detector.evaluate(step, subject, context);
    if (!match) return;
    const one = cases.findOrOpen(detector.dedupKey(step.event, subject));
    if (one.isOpen) open--;
    one.add(match, placeOf(scene, step));
    if (one.isOpen) open++;
  };
  const mends = (step: Step): boolean => {
    if (open === 0 || step.event.outcome !== 'ok') return false;
    const reason = detector.mends?.(step, subject, context) ?? null;
    if (reason === null) return false;
    const one = cases.find(detector.dedupKey(step.event, subject));
    if (!one?.isOpen) return false;
    one.mend(step.event.eventTime, reason);
    open--;
    return true;
  };

  if (!detector.mends) {
    for (const index of candidates) evaluate(scene.steps[index] as Step);
    return;
  }
  for (let index = first; index < scene.steps.length; index++) {
    const step = scene.steps[index] as Step;
    const listened = candidates[next] === index;
    if (listened) next++;
    if (!mends(step) && listened) evaluate(step);
    // Nothing open and nothing to come: no later event can matter.
    if (open === 0 && next === candidates.length) return;
  }
}

function placeOf(scene: Scene, step: Step): Place {
  const event: StoredEvent = step.event;
  return { ...scene.place, keyArn: scene.keyOf(step), actor: event.actor.id, region: scene.place.region || event.region };
}

function byTime(a: Match, b: Match): number {
  return a.at - b.at || (a.until ?? a.at) - (b.until ?? b.at);
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return printable(text, 500);
}
