import type { JsonObject } from '../../core/json.ts';
import type { Suppression } from '../../store/suppressions.ts';
import { iso } from '../text/words.ts';

/** A suppression, as `kmswatch suppress list --json` and the API show it. */
export function suppressionJson({
  id,
  detector,
  keyArn,
  actor,
  account,
  tag,
  reason,
  author,
  findings,
  ...times
}: Suppression): JsonObject {
  return {
    id,
    detector,
    key_arn: keyArn,
    actor,
    account,
    tag,
    reason,
    author,
    findings,
    created_at: iso(times.createdAt),
    ends_at: iso(times.endsAt),
    ended_at: iso(times.endedAt),
    ended_by: times.endedBy,
  };
}
