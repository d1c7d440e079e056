/** The calls that an inventory makes: https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html */
import {
  DescribeKeyCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import type { KeyDescription, LastUsage, ListedGrant, RotationStatus } from '../../core/inventory.ts';
import { type Asked, type Caller, listed, type Page } from './caller.ts';
import { descriptionOf, grantOf, lastUsageOf, latestRotation } from './words.ts';

/** ARNs of all keys of the account and Region, those of AWS and those that are pending deletion too. */
export async function listKeys(caller: Caller): Promise<Asked<string[]>> {
  const { at, value } = await listed(async (Marker) => {
    const page = await caller.call((kms, http) => kms.send(new ListKeysCommand({ Marker, Limit: 1000 }), http));
    return pageOf(page, page.value.Keys);
  });
  return { at, value: value.flatMap(({ KeyArn }) => KeyArn ?? []) };
}

export interface ListedAlias {
  readonly arn: string;
  readonly targetKeyId: string;
}

/** Without those that point to nothing: AWS reserves names for keys that it makes when they are needed. */
export async function listAliases(caller: Caller): Promise<Asked<ListedAlias[]>> {
  const { at, value } = await listed(async (Marker) => {
    const page = await caller.call((kms, http) => kms.send(new ListAliasesCommand({ Marker, Limit: 100 }), http));
    return pageOf(page, page.value.Aliases);
  });
  return {
    at,
    value: value.flatMap(({ AliasArn, TargetKeyId }) => (AliasArn && TargetKeyId ? { arn: AliasArn, targetKeyId: TargetKeyId } : [])),
  };
}

export async function describeKey(caller: Caller, KeyId: string): Promise<Asked<KeyDescription>> {
  const { at, value } = await caller.call((kms, http) => kms.send(new DescribeKeyCommand({ KeyId }), http));
  return { at, value: descriptionOf(value.KeyMetadata ?? {}) };
}

export async function rotationStatus(caller: Caller, KeyId: string): Promise<Asked<RotationStatus>> {
  const { at, value } = await caller.call((kms, http) => kms.send(new GetKeyRotationStatusCommand({ KeyId }), http));
  return { at, value: { enabled: value.KeyRotationEnabled === true, periodDays: value.RotationPeriodInDays ?? null } };
}

export async function lastRotation(caller: Caller, KeyId: string): Promise<Asked<number | null>> {
  const { at, value } = await listed(async (Marker) => {
    const page = await caller.call((kms, http) => kms.send(new ListKeyRotationsCommand({ KeyId, Marker, Limit: 1000 }), http));
    return pageOf(page, page.value.Rotations);
  });
  return { at, value: latestRotation(value) };
}

export async function keyPolicy(caller: Caller, KeyId: string): Promise<Asked<string>> {
  const { at, value } = await caller.call((kms, http) => kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }), http));
  return { at, value: value.Policy ?? '' };
}

export async function listGrants(caller: Caller, KeyId: string): Promise<Asked<ListedGrant[]>> {
  const { at, value } = await listed(async (Marker) => {
    const page = await caller.call((kms, http) => kms.send(new ListGrantsCommand({ KeyId, Marker, Limit: 100 }), http));
    return pageOf(page, page.value.Grants);
  });
  return { at, value: value.flatMap(grantOf) };
}

export async function listTags(caller: Caller, KeyId: string): Promise<Asked<(readonly [name: string, value: string])[]>> {
  const { at, value } = await listed(async (Marker) => {
    const page = await caller.call((kms, http) => kms.send(new ListResourceTagsCommand({ KeyId, Marker, Limit: 50 }), http));
    return pageOf(page, page.value.Tags);
  });
  return { at, value: value.map(({ TagKey = '', TagValue = '' }) => [TagKey, TagValue] as const) };
}

export async function lastUsage(caller: Caller, KeyId: string): Promise<Asked<LastUsage>> {
  const { at, value } = await caller.call((kms, http) => kms.send(new GetKeyLastUsageCommand({ KeyId }), http));
  return { at, value: lastUsageOf(value) };
}

interface Listing {
  readonly Truncated?: boolean | undefined;
  readonly NextMarker?: string | undefined;
}

function pageOf<T>({ at, value }: Asked<Listing>, items: readonly T[] = []): Asked<Page<T>> {
  return { at, value: { items, next: value.Truncated === true ? value.NextMarker : undefined } };
}
