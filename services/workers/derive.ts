/** Reads subjects, derives what is known and found of them, and writes both. The caller holds the subjects' locks. */
import type pg from 'pg';
import { deriveFindings } from '../detectors/engine.ts';
import { rotationStanding } from '../keys/rotation.ts';
import { stateOf } from '../keys/state.ts';
import { monotonicMs } from '../platform/clock.ts';
import { noteDetectorFailures } from '../store/failures.ts';
import { replaceFindings } from '../store/findings.ts';
import { type KeyProjection, saveProjections } from '../store/keys.ts';
import type { Deps } from './deps.ts';
import { channelsOf } from './subjects/channels.ts';
import { type NamedSubject, readSubjects, type SubjectIds } from './subjects.ts';

export interface DeriveWork {
  readonly ids: SubjectIds;
  /** Moment of judging, epoch milliseconds. */
  readonly asOf: number;
  /** When the earliest of the events that are judged anew was committed; left out where time alone brings the changes. */
  readonly committedAt?: number;
}

/** @returns the number of findings that changed */
export async function derive(deps: Deps, client: pg.ClientBase, work: DeriveWork): Promise<number> {
  const subjects = await readSubjects(client, work.ids, deps);
  if (subjects.length === 0) return 0;
  await saveProjections(
    client,
    subjects.flatMap((subject) => projectionOf(deps, subject, work.asOf)),
  );

  const coverage = await channelsOf(deps, client, { subjects, asOf: work.asOf });
  const findings: { subject: string; finding: ReturnType<typeof deriveFindings>['findings'][number] }[] = [];
  const failures: { detector: string; subject: string; message: string }[] = [];
  for (const { name, subject } of subjects) {
    const derived = deriveFindings(subject, deps.detectors, {
      asOf: work.asOf,
      organization: deps.organization,
      now: monotonicMs,
      coverage,
    });
    for (const finding of derived.findings) findings.push({ subject: name, finding });
    for (const failure of derived.failures) failures.push({ ...failure, subject: name });
    deps.telemetry.evaluated(derived.evaluations);
  }
  if (failures.length > 0) deps.telemetry.detectorsFailed(failures);
  const at = deps.clock.now();
  await noteDetectorFailures(client, { subjects: subjects.map(({ name }) => name), failures, at });
  const changes = await replaceFindings(client, {
    subjects: subjects.map(({ name }) => name),
    findings,
    at,
    ...(work.committedAt !== undefined && { committedAt: work.committedAt }),
    keep: new Set(failures.map((failure) => `${failure.subject} ${failure.detector}`)),
  });
  return changes.length;
}

function projectionOf(deps: Deps, named: NamedSubject, asOf: number): KeyProjection[] {
  if (named.subject.kind !== 'key') return [];
  const { facts } = named.subject;
  return [
    {
      id: named.id,
      facts,
      state: stateOf(facts),
      rotationStanding: rotationStanding(facts, asOf, deps.rotationPolicy),
      useMatters: named.useMatters,
    },
  ];
}
