/** https://schema.ocsf.io/1.5.0/classes/detection_finding with the profile `cloud`. */
import type { FindingStatus } from '../../core/finding.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Severity } from '../../core/severity.ts';
import type { AlertView, Notification } from '../contract.ts';
import { shortHash } from '../hash.ts';
import { tell } from '../story.ts';
import { clean } from '../text.ts';

const CLASS = 2004;
const ACTIVITIES = { create: [1, 'Create'], update: [2, 'Update'], close: [3, 'Close'] } as const;

const SEVERITIES: Readonly<Record<Severity, readonly [number, string]>> = {
  info: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};

const STATUSES: Readonly<Record<FindingStatus, readonly [number, string]>> = {
  open: [1, 'New'],
  acknowledged: [2, 'In Progress'],
  suppressed: [3, 'Suppressed'],
  resolved: [4, 'Resolved'],
};

export function detectionFinding(alert: AlertView, notification: Notification, version: string): JsonObject {
  const { what, why, benign, now, url, runbookUrl } = tell(alert);
  const [activityId, activity] = ACTIVITIES[activityOf(alert, notification)];
  const [severityId, severity] = SEVERITIES[alert.severity];
  const [statusId, status] = STATUSES[alert.status];
  const account = clean(alert.account, 60);
  return {
    activity_id: activityId,
    activity_name: activity,
    category_uid: 2,
    category_name: 'Findings',
    class_uid: CLASS,
    class_name: 'Detection Finding',
    type_uid: CLASS * 100 + activityId,
    type_name: `Detection Finding: ${activity}`,
    time: notification.at,
    start_time: alert.firstSeen,
    end_time: alert.lastSeen,
    count: alert.occurrences,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    is_alert: alert.status !== 'resolved',
    message: clean(alert.title, 500),
    metadata: {
      version: '1.5.0',
      profiles: ['cloud'],
      // The same for the same telling, so that what arrives twice is known.
      uid: shortHash(`${notification.idempotencyKey}/${alert.findingId}`),
      logged_time: notification.at,
      product: { name: 'kmswatch', vendor_name: 'kmswatch', version },
    },
    finding_info: {
      uid: alert.findingId,
      title: clean(alert.title, 500),
      desc: [what, why, benign].filter((sentence) => sentence !== '').join(' '),
      first_seen_time: alert.firstSeen,
      last_seen_time: alert.lastSeen,
      created_time: alert.firstSeen,
      modified_time: notification.at,
      types: [alert.family],
      analytic: { type_id: 1, type: 'Rule', uid: alert.detector, name: alert.detector, category: alert.family },
      ...(url !== null && { src_url: url }),
    },
    cloud: { provider: 'AWS', region: clean(alert.region, 60), account: { uid: account, type_id: 10, type: 'AWS Account' } },
    resources: [
      alert.keyArn === null
        ? { uid: account, type: 'AWS Account' }
        : {
            uid: clean(alert.keyArn, 500),
            type: 'AWS::KMS::Key',
            cloud_partition: alert.keyArn.split(':', 2)[1] ?? 'aws',
            region: clean(alert.region, 60),
            ...(alert.keyName !== null && { name: clean(alert.keyName, 300) }),
          },
    ],
    ...(alert.actor !== null && { evidences: [{ actor: { user: { name: clean(alert.actor, 300) } } }] }),
    remediation: { desc: now.join(' ') || 'See the runbook.', ...(runbookUrl !== null && { references: [runbookUrl] }) },
  };
}

function activityOf(alert: AlertView, { reason }: Notification): keyof typeof ACTIVITIES {
  if (alert.status === 'resolved') return 'close';
  return reason === 'new-group' ? 'create' : 'update';
}
