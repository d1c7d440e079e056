/** Snapshots that an account shared with others, and the time around them in which it matters who got access to keys. */
import { DAY } from '../core/clock.ts';
import type { StoredEvent } from '../core/event.ts';

/** Calls that let other accounts restore a snapshot. */
export const SHARING: ReadonlyMap<string, string> = new Map([
  ['ec2:ModifySnapshotAttribute', 'EBS snapshot'],
  ['rds:ModifyDBSnapshotAttribute', 'RDS snapshot'],
  ['rds:ModifyDBClusterSnapshotAttribute', 'RDS cluster snapshot'],
]);

/** The furthest that a share and an access to a key may lie apart to be seen together. */
export const SHARING_REACH = 7 * DAY;

export function isSharing(event: StoredEvent): boolean {
  const { service, operation, outcome, detail } = event;
  return outcome === 'ok' && detail?.sharedWith !== undefined && SHARING.has(`${service}:${operation}`);
}

/** From so long before an account's first share to so long after its last; null where it shared nothing. Epoch milliseconds. */
export function sharingPeriod(timeline: readonly StoredEvent[]): { readonly from: number; readonly to: number } | null {
  const shares = timeline.filter(isSharing);
  const [first, last] = [shares[0], shares.at(-1)];
  return first && last ? { from: first.eventTime - SHARING_REACH, to: last.eventTime + SHARING_REACH } : null;
}
