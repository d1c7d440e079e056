/** How long a group waits, when the route does not say: by the most severe alert in it. */
import { DAY, HOUR, MINUTE } from '../core/clock.ts';
import { SEVERITIES, type Severity } from '../core/severity.ts';

/** Milliseconds, with Alertmanager's names. */
export interface Timing {
  /** From the first alert of a new group until the group is told. */
  readonly groupWait: number;
  /** From one telling until what is new or over is told. */
  readonly groupInterval: number;
  /** From one telling until the same is told again. */
  readonly repeatInterval: number;
}

const SECOND = 1_000;

/**
 * Findings of one subject are derived together and come together, so that waiting gathers little: it is left out where minutes count.
 * What has been so for months, such as a rotation that is overdue, is not said every four hours.
 */
export const DEFAULT_TIMING: Readonly<Record<Severity, Timing>> = {
  critical: { groupWait: 0, groupInterval: MINUTE, repeatInterval: 4 * HOUR },
  high: { groupWait: 0, groupInterval: 5 * MINUTE, repeatInterval: DAY },
  medium: { groupWait: 30 * SECOND, groupInterval: 5 * MINUTE, repeatInterval: 7 * DAY },
  low: { groupWait: 30 * SECOND, groupInterval: 5 * MINUTE, repeatInterval: 7 * DAY },
  info: { groupWait: 30 * SECOND, groupInterval: 5 * MINUTE, repeatInterval: 7 * DAY },
};

/** What a route says, over the default of the severity. @param rank of the most severe alert, as `severityRank` */
export function timingOf(said: Partial<Timing>, rank: number): Timing {
  return { ...DEFAULT_TIMING[SEVERITIES[rank] ?? 'info'], ...said };
}
