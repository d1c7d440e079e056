import { z } from 'zod';
import { partitionOf } from '../../platform/aws.ts';
import { awsNotDelivered, placeOf } from '../aws-call.ts';
import type { Delivery, Notifier } from '../contract.ts';
import { roleShape } from '../target.ts';
import { batches } from './batches.ts';
import { securityFinding } from './finding.ts';

const settings = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be a Region, as in eu-west-1')
    .meta({ description: 'Region of the Security Hub.', examples: ['eu-west-1'] }),
  account: z
    .string()
    .regex(/^\d{12}$/, 'must be a 12-digit AWS account number')
    .optional()
    .meta({ description: 'Account of the Security Hub. Without it the account of the credentials.' }),
  ...roleShape,
});

/** https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html: ten requests a second; importing twice is once. */
export const securityHub: Notifier<z.output<typeof settings>> = {
  kind: 'security_hub',
  settings,
  paceMs: 100,
  async send(notification, { region, account, ...role }, context) {
    const place = placeOf(region, role);
    const { BatchImportFindingsCommand, SecurityHubClient } = await import('@aws-sdk/client-securityhub');
    const client = new SecurityHubClient(context.aws.settings(place));
    try {
      const hub = { partition: partitionOf(region), region, account: account ?? (await context.aws.accountOf(place)) };
      const findings = notification.alerts.map((alert) => securityFinding(alert, hub, notification.at));
      const errors: string[] = [];
      for (const batch of batches(findings)) {
        const { FailedFindings = [] } = await client.send(new BatchImportFindingsCommand({ Findings: batch }), {
          abortSignal: context.signal,
        });
        errors.push(...FailedFindings.map(({ ErrorCode }) => ErrorCode ?? ''));
      }
      return outcome(errors);
    } catch (error) {
      return awsNotDelivered(error, place, context);
    } finally {
      client.destroy();
    }
  },
};

/** Codes of single findings; those that time may mend are tried again, with all others, which does no harm. */
const RETRYABLE = new Set(['InternalException', 'InternalFailure', 'LimitExceededException', 'ThrottlingException']);
const PERMANENT = new Set(['InvalidAccessException', 'InvalidAccess', 'InvalidInputException', 'InvalidInput', 'AccessDeniedException']);

function outcome(errors: readonly string[]): Delivery {
  const [first] = errors;
  if (first === undefined) return { ok: true };
  const retryable = errors.find((error) => RETRYABLE.has(error));
  const known = retryable ?? errors.find((error) => PERMANENT.has(error));
  return { ok: false, code: known ?? 'finding-refused', reason: 'partial', retryable: retryable !== undefined };
}
