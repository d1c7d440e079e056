/** CloudTrail records of a small world, as text: few keys, aliases, callers and accounts, so that everything meets everything. */
import fc from 'fast-check';
import { DAY, HOUR, MINUTE } from '../../services/core/clock.ts';

export type Fields = Record<string, unknown>;

export const REGION = 'eu-west-1';
export const ACCOUNT = '111122223333';
export const ACCOUNTS = [ACCOUNT, '444455556666'] as const;
export const START = Date.UTC(2026, 1, 1);

export const KEYS = [
  `arn:aws:kms:${REGION}:${ACCOUNT}:key/0a0a0a0a-0000-4000-8000-000000000001`,
  `arn:aws:kms:${REGION}:${ACCOUNT}:key/0a0a0a0a-0000-4000-8000-000000000002`,
  `arn:aws:kms:${REGION}:${ACCOUNT}:key/mrk-0a0a0a0a000040008000000000000003`,
] as const;
export const REPLICA = `arn:aws:kms:us-east-1:${ACCOUNT}:key/mrk-0a0a0a0a000040008000000000000003`;
export const ALIASES = ['alias/orders', 'alias/Ärger', 'alias/aws/ebs'] as const;

export function aliasArn(name: string): string {
  return `arn:aws:kms:${REGION}:${ACCOUNT}:${name}`;
}

export function roleOf(name: string, account: string = ACCOUNT, session = 'one'): Fields {
  return {
    type: 'AssumedRole',
    principalId: `AROA${name.toUpperCase()}:${session}`,
    arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
    accountId: account,
    accessKeyId: 'ASIAEXAMPLEKEYID',
    sessionContext: { sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/${name}`, accountId: account } },
  };
}

export function rootOf(account: string): Fields {
  return { type: 'Root', principalId: account, arn: `arn:aws:iam::${account}:root`, accountId: account };
}

export const CALLERS: readonly Fields[] = [
  roleOf('app'),
  roleOf('app', ACCOUNT, 'two'),
  roleOf('admin'),
  roleOf('visitor', ACCOUNTS[1]),
  rootOf(ACCOUNT),
  { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ops/ines`, accountId: ACCOUNT, userName: 'ines' },
  { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
];

/** The id of the nth event: a UUID, one of the custom kind, or no UUID at all. */
export function eventId(n: number): string {
  const hex = ((n * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0');
  if (n % 11 === 3) return `sample-${n}`;
  return `${hex}-0000-${n % 7 === 5 ? '8' : '4'}000-8000-${String(n).padStart(12, '0')}`;
}

/** A record with what most have; fields that are undefined are left out. */
export function record(eventName: string, at: number, fields: Fields = {}): Fields {
  return {
    eventVersion: '1.11',
    userIdentity: CALLERS[0],
    eventTime: `${new Date(at).toISOString().slice(0, 19)}Z`,
    eventSource: 'kms.amazonaws.com',
    eventName,
    awsRegion: REGION,
    sourceIPAddress: '198.51.100.23',
    userAgent: 'aws-cli/2.17.32',
    requestParameters: null,
    responseElements: null,
    eventID: eventId(at / 1000),
    readOnly: READ_ONLY.test(eventName),
    eventType: 'AwsApiCall',
    recipientAccountId: ACCOUNT,
    ...fields,
  };
}

const READ_ONLY = /^(Get|List|Describe|Encrypt|Decrypt|ReEncrypt|Generate|Sign|Verify)/;

export function resources(...arns: readonly string[]): Fields {
  return { resources: arns.map((ARN) => ({ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN })) };
}

const key = fc.constantFrom(...KEYS);
const alias = fc.constantFrom(...ALIASES);
const refusal = fc.constantFrom(
  { errorCode: 'DisabledException', errorMessage: 'the key is disabled' },
  { errorCode: 'KMSInvalidStateException', errorMessage: 'the key is pending deletion.' },
  { errorCode: 'AccessDenied', errorMessage: 'not authorized to perform the call' },
  { errorCode: 'ThrottlingException', errorMessage: 'You have exceeded the rate at which you may call KMS.' },
);
const denial = { errorCode: 'AccessDenied', errorMessage: 'not authorized to perform the call' };
const use = fc.constantFrom('Decrypt', 'Encrypt', 'GenerateDataKey');

type Telling = { readonly name: string; readonly fields: Fields };

const told = (name: string, fields: Fields = {}): Telling => ({ name, fields });

/** One call, without its time, caller and id. */
const call: fc.Arbitrary<Telling> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(use, key).map(([name, arn]) => told(name, resources(arn))) },
  { weight: 3, arbitrary: fc.tuple(use, key, refusal).map(([name, arn, error]) => told(name, { ...resources(arn), ...error })) },
  { weight: 3, arbitrary: fc.tuple(use, alias).map(([name, keyId]) => told(name, { requestParameters: { keyId } })) },
  {
    weight: 3,
    arbitrary: fc.tuple(use, alias, refusal).map(([name, keyId, error]) => told(name, { requestParameters: { keyId }, ...error })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(key, key, fc.option(refusal)).map(([sourceKeyId, destinationKeyId, error]) => {
      return told('ReEncrypt', {
        requestParameters: { sourceKeyId, destinationKeyId },
        ...resources(sourceKeyId, destinationKeyId),
        ...error,
      });
    }),
  },
  fc
    .tuple(alias, key)
    .map(([sourceKeyId, destinationKeyId]) => told('ReEncrypt', { requestParameters: { sourceKeyId, destinationKeyId } })),
  fc
    .tuple(key, alias)
    .map(([sourceKeyId, destinationKeyId]) => told('ReEncrypt', { requestParameters: { sourceKeyId, destinationKeyId } })),
  fc.constantFrom(told('GenerateRandom'), told('ListKeys'), told('ListAliases', denial)),
  key.map((arn) => told('DescribeKey', resources(arn))),
  alias.map((keyId) => told('DescribeKey', { requestParameters: { keyId } })),
  key.map((arn) => told('CreateGrant', { ...resources(arn), requestParameters: { granteePrincipal: 'x', operations: ['Decrypt'] } })),
  { weight: 6, arbitrary: controlCalls() },
  { weight: 4, arbitrary: aliasCalls() },
  { weight: 2, arbitrary: trailCalls() },
);

function controlCalls(): fc.Arbitrary<Telling> {
  const of = fc.oneof(
    { weight: 3, arbitrary: key.map((arn): Fields => resources(arn)) },
    alias.map((keyId): Fields => ({ requestParameters: { keyId } })),
  );
  const created = fc.tuple(key, fc.constantFrom('AWS_KMS', 'EXTERNAL')).map(([arn, origin]) => {
    const keyMetadata = {
      arn,
      keyId: arn.slice(arn.indexOf('/') + 1),
      origin,
      keySpec: 'SYMMETRIC_DEFAULT',
      keyManager: 'CUSTOMER',
      enabled: true,
    };
    return told('CreateKey', { ...resources(arn), responseElements: { keyMetadata } });
  });
  const policy = fc.tuple(key, fc.constantFrom('*', ...ACCOUNTS)).map(([keyId, AWS]) => {
    const statement = { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' };
    return told('PutKeyPolicy', {
      ...resources(keyId),
      requestParameters: { keyId, policyName: 'default', policy: JSON.stringify({ Statement: [statement] }) },
    });
  });
  const names = [
    'EnableKey',
    'DisableKey',
    'CancelKeyDeletion',
    'EnableKeyRotation',
    'DisableKeyRotation',
    'DeleteImportedKeyMaterial',
  ] as const;
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...names), of).map(([name, fields]) => told(name, fields)) },
    fc.tuple(fc.constantFrom(...names), of, refusal).map(([name, fields, error]) => told(name, { ...fields, ...error })),
    fc
      .tuple(of, fc.constantFrom(7, 30))
      .map(([fields, pendingWindowInDays]) => told('ScheduleKeyDeletion', { ...fields, responseElements: { pendingWindowInDays } })),
    created,
    policy,
    key.map((arn) =>
      told('RotateKey', {
        ...resources(arn),
        eventType: 'AwsServiceEvent',
        serviceEventDetails: { keyId: arn, rotationType: 'AUTOMATIC' },
      }),
    ),
    fc
      .tuple(fc.constantFrom('RevokeGrant', 'RetireGrant'), key, fc.constantFrom('g-1', 'g-2', 'g-3'))
      .map(([name, arn, grantId]) => told(name, { ...resources(arn), requestParameters: { grantId } })),
    fc.tuple(key, fc.constantFrom(...ACCOUNTS), fc.constantFrom('g-1', 'g-2', 'g-3')).map(([arn, account, grantId]) =>
      told('CreateGrant', {
        ...resources(arn),
        requestParameters: { granteePrincipal: `arn:aws:iam::${account}:root`, operations: ['Decrypt'] },
        responseElements: { grantId },
      }),
    ),
    key.map((arn) => told('TagResource', { ...resources(arn), requestParameters: { tags: [{ tagKey: '__proto__', tagValue: 'x' }] } })),
    fc.constant(told('ReplicateKey', { ...resources(KEYS[2]), requestParameters: { keyId: KEYS[2], replicaRegion: 'us-east-1' } })),
    fc.constant(told('DisableKey', { ...resources(REPLICA), awsRegion: 'us-east-1' })),
    key.map((arn) =>
      told('ImportKeyMaterial', {
        ...resources(arn),
        requestParameters: { expirationModel: 'KEY_MATERIAL_EXPIRES', validTo: 'Mar 20, 2026, 12:00:00 AM' },
      }),
    ),
  );
}

function aliasCalls(): fc.Arbitrary<Telling> {
  const moved = fc.tuple(fc.constantFrom('CreateAlias', 'UpdateAlias'), alias, key).map(([name, aliasName, targetKeyId]) => {
    return told(name, { requestParameters: { aliasName, targetKeyId }, ...resources(aliasArn(aliasName), targetKeyId) });
  });
  const deleted = fc.tuple(alias, fc.option(key)).map(([aliasName, arn]) => {
    return told('DeleteAlias', { requestParameters: { aliasName }, ...resources(aliasArn(aliasName), ...(arn === null ? [] : [arn])) });
  });
  return fc.oneof(
    { weight: 4, arbitrary: moved },
    { weight: 2, arbitrary: deleted },
    moved.map(({ name, fields }) => told(name, { ...fields, ...denial })),
  );
}

function trailCalls(): fc.Arbitrary<Telling> {
  const eventSource = 'cloudtrail.amazonaws.com';
  const trail = fc.constantFrom('main', `arn:aws:cloudtrail:${REGION}:${ACCOUNT}:trail/main`);
  return fc.oneof(
    fc
      .tuple(fc.constantFrom('StopLogging', 'StartLogging', 'DeleteTrail'), trail)
      .map(([name, of]) => told(name, { eventSource, requestParameters: { name: of } })),
    fc.oneof(key, alias).map((keyId) => told('GenerateDataKey', logsUnder(keyId))),
    fc
      .tuple(fc.option(fc.oneof(key, alias)), fc.boolean(), fc.constantFrom('CreateTrail', 'UpdateTrail'))
      .map(([kmsKeyId, isMultiRegionTrail, name]) =>
        told(name, {
          eventSource,
          requestParameters: { name: 'main' },
          responseElements: { s3BucketName: 'logs', isMultiRegionTrail, kmsKeyId },
        }),
      ),
    fc.constantFrom('Enabled', 'Suspended').map((Status) =>
      told('PutBucketVersioning', {
        eventSource: 's3.amazonaws.com',
        requestParameters: { bucketName: 'logs', VersioningConfiguration: { Status } },
      }),
    ),
    fc.constantFrom(...ACCOUNTS).map((userId) =>
      told('ModifySnapshotAttribute', {
        eventSource: 'ec2.amazonaws.com',
        requestParameters: { snapshotId: 'snap-1', createVolumePermission: { add: { items: [{ userId }] } } },
      }),
    ),
    fc.constantFrom([], ['kms.amazonaws.com']).map((excludeManagementEventSources) => {
      const eventSelectors = [{ readWriteType: 'All', includeManagementEvents: true, excludeManagementEventSources }];
      return told('PutEventSelectors', { eventSource, requestParameters: { trailName: 'main', eventSelectors } });
    }),
  );
}

/** CloudTrail encrypts its log files under the key, or under what the alias points to. */
export function logsUnder(keyId: string): Fields {
  return {
    userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
    requestParameters: { keyId, encryptionContext: { 'aws:cloudtrail:arn': `arn:aws:cloudtrail:${REGION}:${ACCOUNT}:trail/main` } },
  };
}

/** Moments close to each other and far apart, many of them the same; hours are crossed, and months. */
const moment = fc.oneof(
  fc.nat({ max: 12 }).map((n) => START + 20 * DAY + n * 10 * MINUTE),
  fc.nat({ max: 70 }).map((n) => START + n * DAY),
  fc.nat({ max: 70 * 24 * 4 }).map((n) => START + n * 15 * MINUTE),
);

/**
 * Sets of distinct records as text. Some tell one event in two ways; some callers are denied a dozen times within one hour.
 * @param most records at most, the further tellings and the bursts apart
 */
export function worlds(most: number): fc.Arbitrary<string[]> {
  const one = fc.record({
    call,
    at: moment,
    caller: fc.constantFrom(...CALLERS),
    account: fc.constantFrom(ACCOUNT, ACCOUNT, ACCOUNT, ACCOUNTS[1]),
    twist: fc.oneof(
      { weight: 12, arbitrary: fc.constant('none' as const) },
      fc.constantFrom('later' as const, 'other caller' as const, 'burst' as const, 'elsewhere' as const),
    ),
  });
  return fc
    .array(one, { minLength: 1, maxLength: most, size: 'max' })
    .map((drawn) => drawn.flatMap((each, n) => recordsOf(each, n).map((fields) => JSON.stringify(fields))));
}

interface Drawn {
  readonly call: Telling;
  readonly at: number;
  readonly caller: Fields;
  readonly account: string;
  readonly twist: 'none' | 'later' | 'other caller' | 'burst' | 'elsewhere';
}

function recordsOf({ call: { name, fields }, at, caller, account, twist }: Drawn, n: number): Fields[] {
  const own = { userIdentity: caller, recipientAccountId: account, eventID: eventId(n), ...fields };
  const first = record(name, at, own);
  switch (twist) {
    case 'none':
      return [first];
    case 'later':
      return [first, record(name, at + HOUR, own)];
    case 'other caller':
      return [first, record(name, at, { ...own, userIdentity: CALLERS[2] }), record(name, at, { ...own, userIdentity: CALLERS[4] })];
    case 'elsewhere':
      return [first, record(name, at, { ...own, awsRegion: 'us-east-1' })];
    case 'burst':
      return [
        first,
        ...Array.from({ length: 12 }, (_, i) =>
          record('Decrypt', at + i * MINUTE, { ...own, ...denial, eventID: eventId(1000 + n * 20 + i) }),
        ),
      ];
  }
}

/** The same record in another spelling: what it says is the same, the bytes are not. */
export function respelled(text: string): string {
  const fields = JSON.parse(text) as Fields;
  return JSON.stringify(Object.fromEntries(Object.entries(fields).toReversed()), null, 2);
}
