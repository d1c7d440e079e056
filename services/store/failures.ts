import type pg from 'pg';
import { textArray } from './array.ts';

/**
 * Keeps which detector failed on which subject, so that a mended detector can be run again there and the failure shows until then;
 * subjects evaluated without failure are cleared.
 */
export async function noteDetectorFailures(
  client: pg.ClientBase,
  outcome: { subjects: readonly string[]; failures: readonly { detector: string; subject: string; message: string }[]; at: number },
): Promise<void> {
  const failed = outcome.failures.map((failure) => `${failure.subject} ${failure.detector}`);
  await client.query(
    `UPDATE detector_failure SET resolved_at = $3
     WHERE resolved_at IS NULL AND subject = ANY($1::text[]) AND NOT (subject || ' ' || detector) = ANY($2::text[])`,
    [outcome.subjects, failed, new Date(outcome.at)],
  );
  if (outcome.failures.length === 0) return;
  await client.query(
    `INSERT INTO detector_failure (detector, subject, message, failed_at)
     SELECT d, s, m, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS i(d, s, m)
     ON CONFLICT (detector, subject) DO UPDATE SET message = excluded.message, failed_at = excluded.failed_at, resolved_at = NULL`,
    [
      textArray(outcome.failures.map((failure) => failure.detector)),
      textArray(outcome.failures.map((failure) => failure.subject)),
      textArray(outcome.failures.map((failure) => failure.message.slice(0, 1000))),
      new Date(outcome.at),
    ],
  );
}
