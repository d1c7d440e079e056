/** A key as KMS keeps it. Moments are epoch milliseconds. */
export interface FakeKey {
  readonly arn: string;
  readonly created: number;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly origin: 'AWS_KMS' | 'EXTERNAL' | 'AWS_CLOUDHSM';
  readonly spec: string;
  readonly usage: string;
  readonly description: string;
  readonly multiRegion: { readonly type: 'PRIMARY' | 'REPLICA'; readonly primary: string } | null;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingReplicaDeletion' | 'PendingImport' | 'Unavailable';
  deletionDate: number | null;
  /** Null = off. */
  rotation: { periodDays: number } | null;
  rotations: number[];
  validTo: number | null;
  materialId: string | null;
  policy: string;
  grants: object[];
  tags: Record<string, string>;
  lastUsage: { readonly operation: string; readonly at: number; readonly eventId: string } | null;
}

/** A symmetric customer managed key, enabled, without rotation, unless told otherwise. */
export function fakeKey(arn: string, told: Partial<Omit<FakeKey, 'arn'>> = {}): FakeKey {
  const account = arn.split(':')[4] ?? '';
  return {
    arn,
    created: Date.UTC(2025, 0, 15, 9, 30, 0, 250),
    manager: 'CUSTOMER',
    origin: 'AWS_KMS',
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    description: '',
    multiRegion: null,
    state: 'Enabled',
    deletionDate: null,
    rotation: null,
    rotations: [],
    validTo: null,
    materialId: null,
    policy: defaultPolicy(account),
    grants: [],
    tags: {},
    lastUsage: null,
    ...told,
  };
}

/** As KMS writes it, white space included. */
export function defaultPolicy(account: string): string {
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${account}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    },
    null,
    2,
  );
}

export function isPending({ state }: FakeKey): boolean {
  return state === 'PendingDeletion' || state === 'PendingReplicaDeletion';
}

export function unsupportedRotation({ spec, origin }: FakeKey): boolean {
  return spec !== 'SYMMETRIC_DEFAULT' || origin !== 'AWS_KMS';
}

export function keyMetadata(key: FakeKey): object {
  const [, , , , account = ''] = key.arn.split(':');
  return {
    AWSAccountId: account,
    KeyId: key.arn.slice(key.arn.indexOf('/') + 1),
    Arn: key.arn,
    CreationDate: key.created / 1000,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    Origin: key.origin,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    MultiRegion: key.multiRegion !== null,
    ...(key.multiRegion && {
      MultiRegionConfiguration: {
        MultiRegionKeyType: key.multiRegion.type,
        PrimaryKey: { Arn: key.multiRegion.primary, Region: key.multiRegion.primary.split(':')[3] },
        ReplicaKeys: [],
      },
    }),
    ...(key.deletionDate !== null && { DeletionDate: key.deletionDate / 1000 }),
    ...(key.origin === 'EXTERNAL' &&
      key.state !== 'PendingImport' && {
        ExpirationModel: key.validTo === null ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
        ...(key.validTo !== null && { ValidTo: key.validTo / 1000 }),
      }),
    ...(key.materialId !== null && { CurrentKeyMaterialId: key.materialId }),
  };
}
