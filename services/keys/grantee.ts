/** Who a grant lets use a key: a name is all that there is of one. */
import { awsPrincipal } from './policy-names.ts';

export interface Grantee {
  /** `role orders of account 111122223333`, `AWS service dynamodb.amazonaws.com`. */
  readonly text: string;
  /** 12-digit account, where the name tells one. */
  readonly account: string | null;
  /** Short name of the AWS service that it is, or that acts under it: `dynamodb`, `ec2`, `autoscaling`; null for others. */
  readonly service: string | null;
}

const SERVICE = /^([a-z0-9][a-z0-9.-]{0,100})\.amazonaws\.com(\.cn)?$/i;
const REGION = /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/;
/** What EC2 acts as for an instance or a volume; no role of ours can have a colon in its name. Older records leave `arn` away. */
const INFRASTRUCTURE = /^(?:arn:aws[a-z-]*:sts::)?(\d{12}):(?:assumed-role\/)?aws:([a-z0-9]+)-infrastructure[/:]/;
const SERVICE_LINKED = /^arn:aws[a-z-]*:iam::\d{12}:role\/aws-service-role\/([^/]+)\//;

/**
 * A grantee or retiring principal: an ARN, a service's name, what a service acts as, or, where its principal is gone, a bare id.
 * Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 */
export function granteeOf(name: string | null): Grantee {
  if (name === null) return { text: 'a grantee that the record does not name', account: null, service: null };
  const [, account = null, acting] = INFRASTRUCTURE.exec(name) ?? [];
  // One name for all instances: each has its own, and there are many.
  if (acting !== undefined) return { text: `AWS service ${acting} for resources of account ${account}`, account, service: acting };
  const principal = awsPrincipal(name);
  if (principal !== null && principal !== 'nobody')
    return { text: principal.text, account: principal.account, service: shortName(SERVICE_LINKED.exec(name)?.[1] ?? '') };
  const service = shortName(name);
  return { text: service === null ? `principal ${name.slice(0, 100)}` : `AWS service ${name}`, account: null, service };
}

/** `dynamodb` of `dynamodb.us-west-2.amazonaws.com`. */
function shortName(name: string): string | null {
  const labels = SERVICE.exec(name)?.[1]?.toLowerCase().split('.') ?? [];
  return labels.filter((label) => !REGION.test(label)).join('.') || null;
}
