/**
 * What a detector would find in stored history with other parameters. Reads subjects as detection does, in transactions that are rolled back:
 * nothing of it stays.
 */
import type { DerivedFinding } from '../core/finding.ts';
import type { ConfiguredDetector } from '../detectors/configure.ts';
import type { SubjectKind } from '../detectors/contract.ts';
import { deriveFindings } from '../detectors/engine.ts';
import { monotonicMs } from '../platform/clock.ts';
import { subjectIds } from '../store/subject-ids.ts';
import type { Deps } from './deps.ts';
import { readSubjects } from './subjects.ts';

const PAGE = 250;

export interface BacktestOptions {
  /** The same detector as it is configured, and with the parameters to try. */
  readonly configured: ConfiguredDetector;
  readonly tried: ConfiguredDetector;
  /** Only what occurred between these moments is told; epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
  onProgress?(done: number): void;
}

export interface Backtest {
  readonly subjects: number;
  /** By finding id, the latest last. */
  readonly findings: readonly BacktestFinding[];
  /** Subjects on which the detector threw. */
  readonly failures: readonly string[];
}

export interface BacktestFinding {
  /** As tried, or as configured where trying does not find it. */
  readonly finding: DerivedFinding;
  readonly tried: boolean;
  readonly configured: boolean;
}

/** @throws what the signal was aborted with */
export async function backtest(deps: Deps, options: BacktestOptions): Promise<Backtest> {
  const { configured, tried, from, to, signal } = options;
  const kind: SubjectKind = tried.detector.subject;
  const moment = { asOf: to, organization: deps.organization, now: monotonicMs };
  const findings: BacktestFinding[] = [];
  const failures: string[] = [];
  let subjects = 0;
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const ids = await subjectIds(deps.pool, kind, { after, limit: PAGE });
    if (ids.length === 0) break;
    for (const { name, subject } of await readAndForget(deps, kind, ids)) {
      if (subject.kind !== kind) continue;
      subjects++;
      const before = deriveFindings(subject, [configured], moment);
      const now = deriveFindings(subject, [tried], moment);
      for (const { message } of now.failures) failures.push(`${name}: ${message}`);
      const known = new Map(before.findings.map((finding) => [finding.id, finding]));
      const found = new Set(now.findings.map(({ id }) => id));
      for (const finding of now.findings) findings.push({ finding, tried: true, configured: known.has(finding.id) });
      for (const finding of before.findings) if (!found.has(finding.id)) findings.push({ finding, tried: false, configured: true });
    }
    after = ids.at(-1) ?? after;
    options.onProgress?.(subjects);
  }
  return {
    subjects,
    failures,
    findings: findings
      .filter(({ finding }) => finding.lastSeen >= from && finding.firstSeen <= to)
      .toSorted((a, b) => a.finding.lastSeen - b.finding.lastSeen || (a.finding.id < b.finding.id ? -1 : 1)),
  };
}

/** Reading also writes what aliases point to; that is taken back. */
async function readAndForget(deps: Deps, kind: SubjectKind, ids: readonly number[]): ReturnType<typeof readSubjects> {
  const nothing = { keys: [], aliases: [], accounts: [], actors: [] };
  const wanted = { key: 'keys', alias: 'aliases', account: 'accounts', actor: 'actors' } as const;
  const client = await deps.pool.connect();
  try {
    await client.query('BEGIN');
    return await readSubjects(client, { ...nothing, [wanted[kind]]: ids }, deps);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}
