import type { JsonObject } from '../../core/json.ts';
import { SEVERITIES } from '../../core/severity.ts';
import type { GroupListed } from '../../store/alerts-read.ts';
import { iso } from '../text/words.ts';

/** A group of alerts, as `kmswatch alerts --json` and the API show it. */
export function alertGroupJson(group: GroupListed): JsonObject {
  const { groupKey, receiver, labels, title, open, acknowledged, suppressed, resolved, last } = group;
  return {
    group_key: groupKey,
    receiver,
    labels,
    severity: SEVERITIES[group.rank] ?? 'info',
    title,
    open,
    acknowledged,
    suppressed,
    resolved,
    next_at: iso(group.wakeAt),
    last_told: last && {
      state: last.state,
      reason: last.reason,
      attempts: last.attempts,
      created_at: iso(last.createdAt),
      settled_at: iso(last.settledAt),
      next_attempt_at: last.state === 'pending' ? iso(last.nextAttemptAt) : null,
      error: last.error,
    },
  };
}
