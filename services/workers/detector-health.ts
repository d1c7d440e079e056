import type pg from 'pg';
import type { ConfiguredDetector } from '../detectors/configure.ts';
import { lastSeenOperations, readDetectorRecords } from '../store/detector-health.ts';
import { openFindings } from '../store/totals.ts';
import { type Arrival, arrivalOf } from './arrival.ts';
import type { Config } from './config.ts';

export interface DetectorHealth {
  readonly detector: string;
  /** Epoch milliseconds; null = never. */
  readonly evaluatedAt: number | null;
  readonly firedAt: number | null;
  readonly open: number;
  readonly evaluations: number;
  /** Of judging one subject. */
  readonly meanMilliseconds: number | null;
  readonly arrival: Arrival;
}

/** Findings that say that trails record less than they did: what others need may be missing then. */
const BLINDING = ['kms-events-excluded', 'management-events-narrowed', 'trail-stopped', 'trail-deleted'];

/** Of every detector given. @param since how far back events are looked for, epoch milliseconds */
export async function detectorHealth(
  pool: pg.Pool,
  {
    detectors,
    sources,
    since,
  }: { readonly detectors: readonly ConfiguredDetector[]; readonly sources: Config['sources']; readonly since: number },
): Promise<DetectorHealth[]> {
  const [records, seen, open] = await Promise.all([readDetectorRecords(pool), lastSeenOperations(pool, since), openFindings(pool)]);
  const blinded = BLINDING.filter((id) => open.some((row) => row.detector === id && row.count > 0));
  return detectors.map(({ detector }) => {
    const record = records.get(detector.id);
    return {
      detector: detector.id,
      evaluatedAt: record?.evaluatedAt ?? null,
      firedAt: record?.firedAt ?? null,
      open: record?.open ?? 0,
      evaluations: record?.evaluations ?? 0,
      meanMilliseconds: record && record.evaluations > 0 ? record.milliseconds / record.evaluations : null,
      arrival: arrivalOf(detector, { sources, seen, blinded }),
    };
  });
}
