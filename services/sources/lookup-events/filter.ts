import type { LOOKUP_MODES } from './config.ts';

/**
 * One question that LookupEvents is asked. It takes a single attribute, so every filter has windows and a checkpoint of its own
 * (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
 */
export interface Filter {
  readonly attribute: { readonly AttributeKey: 'EventSource' | 'EventName' | 'ReadOnly'; readonly AttributeValue: string };
  /** Sources whose events are wanted, `kms.amazonaws.com`; others that the attribute also finds are passed over. */
  readonly sources: ReadonlySet<string>;
}

const KMS = 'kms.amazonaws.com';

export function filterName({ attribute }: Filter): string {
  return `${attribute.AttributeKey}=${attribute.AttributeValue}`;
}

export interface Wish {
  readonly mode: (typeof LOOKUP_MODES)[number];
  /** For mode operations. */
  readonly operations: readonly string[];
  readonly services: readonly string[];
}

export function filtersOf({ mode, operations, services }: Wish): Filter[] {
  const sources = new Set(['kms', ...services].map((service) => `${service}.amazonaws.com`));
  if (mode === 'write-only') return [{ attribute: { AttributeKey: 'ReadOnly', AttributeValue: 'false' }, sources }];
  const others = new Set([...sources].filter((source) => source !== KMS));
  // Detectors want changes of others only. One question for all of them: what services describe and list would cost what KMS needs.
  const changes: Filter[] =
    others.size === 0 ? [] : [{ attribute: { AttributeKey: 'ReadOnly', AttributeValue: 'false' }, sources: others }];
  if (mode === 'all') return [{ attribute: { AttributeKey: 'EventSource', AttributeValue: KMS }, sources: new Set([KMS]) }, ...changes];
  const named = [...new Set(operations)].map((name): Filter => {
    return { attribute: { AttributeKey: 'EventName', AttributeValue: name }, sources: new Set([KMS]) };
  });
  return [...named, ...changes];
}
