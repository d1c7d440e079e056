/**
 * KMS names. A canonical key reference is the key's ARN; an alias is a reference of its own that is resolved
 * to a key as of a moment. Source: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
 */
export interface KeyRef {
  /** `arn:PARTITION:kms:REGION:ACCOUNT:key/ID` or `…:alias/NAME`. */
  readonly arn: string;
  readonly kind: 'key' | 'alias';
  readonly account: string;
  readonly region: string;
  /** Key id (UUID, `mrk-…`, whatever the record says) or alias name with its `alias/` prefix. */
  readonly id: string;
}

const KMS_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]*):([^:/\s]*):(key\/|alias\/)(\S[^\u0000]*)$/;

/** The reference in a full KMS ARN, or null when the text is not one. At most 2048 characters are looked at. */
export function parseKmsArn(text: string): KeyRef | null {
  if (text.length > 2048 || !text.startsWith('arn:')) return null;
  const match = KMS_ARN.exec(text);
  if (!match) return null;
  const [, , region = '', account = '', prefix = '', rest = ''] = match;
  return prefix === 'key/'
    ? { arn: text, kind: 'key', account, region, id: rest }
    : { arn: text, kind: 'alias', account, region, id: `alias/${rest}` };
}

/** `aws`, `aws-cn`, `aws-us-gov`, … for a Region; the ISO partitions included. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('us-iso-')) return 'aws-iso';
  if (region.startsWith('us-isob-')) return 'aws-iso-b';
  if (region.startsWith('eusc-')) return 'aws-eusc';
  return 'aws';
}

/** A key reference from what a request names: key id, `mrk-` id, key ARN, alias name or alias ARN. Null for anything else. */
export function keyRef(named: string, account: string, region: string): KeyRef | null {
  if (named.length === 0 || named.length > 2048) return null;
  if (named.startsWith('arn:')) return parseKmsArn(named);
  const partition = partitionOf(region);
  if (named.startsWith('alias/')) {
    return { arn: `arn:${partition}:kms:${region}:${account}:${named}`, kind: 'alias', account, region, id: named };
  }
  if (/[\s:/]/.test(named)) return null;
  return { arn: `arn:${partition}:kms:${region}:${account}:key/${named}`, kind: 'key', account, region, id: named };
}
