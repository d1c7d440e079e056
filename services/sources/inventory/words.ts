/** What the SDK answers, in our words. */
import type { GetKeyLastUsageResponse, GrantListEntry, KeyMetadata, RotationsListEntry } from '@aws-sdk/client-kms';
import type { GrantConstraintShape, KeyDescription, LastUsage, ListedGrant } from '../../core/inventory.ts';

export function descriptionOf(key: Partial<KeyMetadata>): KeyDescription {
  return {
    state: key.KeyState ?? null,
    created: moment(key.CreationDate),
    manager: key.KeyManager ?? null,
    origin: key.Origin ?? null,
    keySpec: key.KeySpec ?? key.CustomerMasterKeySpec ?? null,
    keyUsage: key.KeyUsage ?? null,
    description: key.Description ?? null,
    multiRegion: key.MultiRegion ?? null,
    multiRegionKeyType: key.MultiRegionConfiguration?.MultiRegionKeyType ?? null,
    primaryKeyArn: key.MultiRegionConfiguration?.PrimaryKey?.Arn ?? null,
    customKeyStoreId: key.CustomKeyStoreId ?? null,
    deletionDate: moment(key.DeletionDate),
    pendingWindowDays: key.PendingDeletionWindowInDays ?? null,
    expires: key.ExpirationModel !== 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    validTo: moment(key.ValidTo),
    materialId: key.CurrentKeyMaterialId ?? null,
  };
}

/** The latest; material that was imported and never rotated to has no date. */
export function latestRotation(rotations: readonly RotationsListEntry[]): number | null {
  return rotations.reduce<number | null>((latest, { RotationDate }) => {
    const at = moment(RotationDate);
    return at === null || (latest !== null && latest >= at) ? latest : at;
  }, null);
}

export function grantOf(grant: GrantListEntry): ListedGrant[] {
  if (grant.GrantId === undefined) return [];
  return [
    {
      grantId: grant.GrantId,
      name: grant.Name ?? null,
      grantee: grant.GranteePrincipal ?? grant.GranteeServicePrincipal ?? null,
      retiringPrincipal: grant.RetiringPrincipal ?? grant.RetiringServicePrincipal ?? null,
      operations: (grant.Operations ?? []).toSorted(),
      constraints: shapeOf(grant.Constraints ?? {}),
      issuingAccount: accountIn(grant.IssuingAccount),
      created: moment(grant.CreationDate),
    },
  ];
}

/** Names only: the values of an encryption context may be anybody's data. */
function shapeOf({
  EncryptionContextSubset,
  EncryptionContextEquals,
  SourceArn,
}: NonNullable<GrantListEntry['Constraints']>): GrantConstraintShape {
  return {
    ...(EncryptionContextSubset && { encryption_context_subset: Object.keys(EncryptionContextSubset).toSorted() }),
    ...(EncryptionContextEquals && { encryption_context_equals: Object.keys(EncryptionContextEquals).toSorted() }),
    ...(SourceArn !== undefined && { source_arn: true as const }),
  };
}

/** KMS gives the account's root ARN. */
function accountIn(issuer: string | undefined): string | null {
  return issuer === undefined ? null : (/^arn:[^:]*:iam::(\d{12}):/.exec(issuer)?.[1] ?? issuer);
}

export function lastUsageOf({ KeyLastUsage, TrackingStartDate }: GetKeyLastUsageResponse): LastUsage {
  return {
    operation: KeyLastUsage?.Operation ?? null,
    at: moment(KeyLastUsage?.Timestamp),
    eventId: KeyLastUsage?.CloudTrailEventId ?? null,
    trackedSince: moment(TrackingStartDate),
  };
}

function moment(date: Date | undefined): number | null {
  const at = date?.getTime() ?? Number.NaN;
  return Number.isNaN(at) ? null : at;
}
