import type { JsonObject } from '../../core/json.ts';
import type { FindingBrief } from '../../store/read/findings.ts';

/** A finding as `kmswatch findings --json` and the API show it: names stay, fields may be added. */
export function findingJson(finding: FindingBrief): JsonObject {
  return {
    id: finding.id,
    detector: finding.detector,
    severity: finding.severity,
    status: finding.status,
    title: finding.title,
    key_arn: finding.keyArn,
    actor: finding.actor,
    account: finding.account,
    region: finding.region,
    first_seen: new Date(finding.firstSeen).toISOString(),
    last_seen: new Date(finding.lastSeen).toISOString(),
    occurrences: finding.occurrences,
    evidence: finding.evidence,
    details: finding.details,
  };
}
