import type { JsonObject } from '../../../core/json.ts';

export type Statement = JsonObject;

/** A key policy as the organization's modules write it, with more statements behind. */
export function policyWith(account: string, ...more: readonly Statement[]): string {
  const administration = {
    Sid: 'EnableIAMPolicies',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  return policyOf([administration, ...more]);
}

export function policyOf(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'larkspur-key', Statement: statements });
}

/** A statement under a name that nobody stumbles over. */
export function allow(sid: string, principal: Statement[string], actions: readonly string[], condition?: JsonObject): Statement {
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principal,
    Action: actions,
    Resource: '*',
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

export const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
export const rootArn = (account: string): string => `arn:aws:iam::${account}:root`;
