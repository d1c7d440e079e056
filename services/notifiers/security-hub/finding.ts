/**
 * A finding in the AWS Security Finding Format: https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html,
 * limits of texts by https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html.
 */
import type { AwsSecurityFinding } from '@aws-sdk/client-securityhub';
import type { Severity } from '../../core/severity.ts';
import type { AlertView } from '../contract.ts';
import { tell } from '../story.ts';
import { clean, isoTime } from '../text.ts';

export interface Hub {
  readonly partition: string;
  readonly region: string;
  /** Whose Security Hub it is; findings must be imported by the account that they are filed under. */
  readonly account: string;
}

const LABELS: Readonly<Record<Severity, 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'INFORMATIONAL'>> = {
  critical: 'CRITICAL',
  high: 'HIGH',
  medium: 'MEDIUM',
  low: 'LOW',
  info: 'INFORMATIONAL',
};

/** https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Types */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['deletion', 'Effects/Data Destruction'],
  ['exposure', 'Effects/Data Exposure'],
  ['access', 'Unusual Behaviors/User'],
  ['blinding', 'TTPs/Defense Evasion'],
  ['rotation', 'Software and Configuration Checks/AWS Security Best Practices'],
]);

/** @param at when the notification was decided: Security Hub passes over what is not newer than what it has */
export function securityFinding(alert: AlertView, { partition, region, account }: Hub, at: number): AwsSecurityFinding {
  const { what, why, benign, now, runbookUrl, url } = tell(alert);
  const description =
    clean([what, why, benign].filter((sentence) => sentence !== '').join(' '), 1_024) || clean(alert.title, 1_024) || 'kmswatch';
  const types = [TYPES.get(alert.family) ?? 'Unusual Behaviors/User'];
  const severity = { Label: LABELS[alert.severity], Original: alert.severity };
  const recommendation = clean(now.join(' '), 512);
  return {
    SchemaVersion: '2018-10-08',
    Id: `${region}/${account}/kmswatch/${alert.findingId}`,
    ProductArn: `arn:${partition}:securityhub:${region}:${account}:product/${account}/default`,
    ProductName: 'kmswatch',
    CompanyName: 'kmswatch',
    GeneratorId: `kmswatch/${clean(alert.detector, 200)}`,
    AwsAccountId: account,
    Types: types,
    FirstObservedAt: time(alert.firstSeen),
    LastObservedAt: time(alert.lastSeen),
    CreatedAt: time(alert.firstSeen),
    UpdatedAt: time(at),
    Severity: severity,
    Title: clean(alert.title, 256) || 'kmswatch finding',
    Description: description,
    ...((recommendation !== '' || runbookUrl !== null) && {
      Remediation: {
        Recommendation: { ...(recommendation !== '' && { Text: recommendation }), ...(runbookUrl !== null && { Url: runbookUrl }) },
      },
    }),
    ...(url !== null && { SourceUrl: url }),
    ProductFields: fields(alert),
    Resources: [
      {
        Type: alert.keyArn === null ? 'AwsAccount' : 'AwsKmsKey',
        Id: alert.keyArn === null ? `AWS::::Account:${clean(alert.account, 60)}` : clean(alert.keyArn, 512),
        Partition: partition === 'aws-cn' || partition === 'aws-us-gov' ? partition : 'aws',
        Region: clean(alert.region, 64) || region,
      },
    ],
    RecordState: alert.status === 'resolved' ? 'ARCHIVED' : 'ACTIVE',
    // What is said of a finding again is taken from here, and not from the fields above; its workflow belongs to Security Hub's users:
    // https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
    FindingProviderFields: { Severity: severity, Types: types },
  };
}

function fields(alert: AlertView): Record<string, string> {
  const all = {
    'kmswatch/FindingId': alert.findingId,
    'kmswatch/Detector': alert.detector,
    'kmswatch/Status': alert.status,
    'kmswatch/Account': alert.account,
    'kmswatch/Occurrences': String(alert.occurrences),
    'kmswatch/Actor': alert.actor ?? '',
    'kmswatch/KeyName': alert.keyName ?? '',
  };
  return Object.fromEntries(
    Object.entries(all)
      .map(([name, value]) => [name, clean(value, 1_000)] as const)
      .filter(([, value]) => value !== ''),
  );
}

function time(at: number): string {
  return isoTime(at) ?? new Date(0).toISOString();
}
