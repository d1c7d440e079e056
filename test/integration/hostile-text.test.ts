import { expect, test } from 'vitest';
import { DAY } from '../../services/core/clock.ts';
import { runCounts } from '../../services/store/batches.ts';
import { violations } from '../support/dump.ts';
import { expectAsInMemory } from '../support/oracle.ts';
import { openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { ACCOUNT, aliasArn, type Fields, KEYS, record, REGION, resources, roleOf, START } from '../support/records.ts';

/** Texts that databases, JSON and regular expressions stumble over. */
const TEXTS = [
  '\u0000',
  `a\u0000b`,
  '\ud800',
  'x\udfff\ud800x',
  '__proto__',
  'constructor',
  'NULL',
  '{"a",NULL}\\\n\t\r\b\'"\\u0000',
  '\\u0000\\ud800 \\\\u0000',
  '𝄞'.repeat(3_000),
  'あ'.repeat(3_000),
  'x'.repeat(60_000),
  `arn:aws:kms:${REGION}:${ACCOUNT}:key/${'あ'.repeat(800)}`,
  `alias/${'\u0000é'.repeat(900)}`,
  `arn:aws:iam::${ACCOUNT}:role/${'あ'.repeat(800)}`,
  '\u2028\u202e\ufeff',
  ' ',
];

/** Raw JSON in place of a value: numbers beyond 2^53, other types, names that an object has already. */
const RAW = ['1152921504606846976', '-1e400', '1e-400', '-0', '[]', '{"__proto__":{"x":1},"constructor":"y","\\u0000":"\\u0000"}', 'true'];

const everything: Fields = {
  userIdentity: {
    ...roleOf('app'),
    userName: 'u',
    invokedBy: 'ec2.amazonaws.com',
    onBehalfOf: { userId: 'p', identityStoreArn: 'arn:aws:identitystore::1:x/y' },
  },
  additionalEventData: { keyMaterialId: 'm', grantId: 'g' },
  sharedEventID: 'shared',
  requestID: 'request',
  vpcEndpointId: 'vpce-1',
  tlsDetails: { tlsVersion: 'TLSv1.3' },
  addendum: { originalEventID: 'original', reason: 'UPDATED_DATA' },
  errorMessage: 'message',
};

const KINDS: readonly (readonly [string, Fields])[] = [
  ['Decrypt', { ...resources(KEYS[0]), requestParameters: { keyId: 'alias/a', encryptionContext: { 'aws:x': 'y' }, grantTokens: ['t'] } }],
  ['Decrypt', { requestParameters: { keyId: 'alias/a' }, errorCode: 'DisabledException' }],
  ['Decrypt', { errorCode: 'AccessDenied', errorMessage: `denied on ${KEYS[1]}` }],
  ['ReEncrypt', { requestParameters: { sourceKeyId: KEYS[0], destinationKeyId: KEYS[1], sourceEncryptionContext: { a: 'b' } } }],
  [
    'CreateKey',
    {
      ...resources(KEYS[0]),
      requestParameters: { description: 'd', policy: '{}', tags: [{ tagKey: 'k', tagValue: 'v' }] },
      responseElements: {
        keyMetadata: { arn: KEYS[0], origin: 'AWS_KMS', keySpec: 's', keyUsage: 'u', customKeyStoreId: 'c', primaryKeyArn: KEYS[2] },
      },
    },
  ],
  [
    'PutKeyPolicy',
    { ...resources(KEYS[0]), requestParameters: { policy: '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*"}]}' } },
  ],
  ['CreateAlias', { ...resources(aliasArn('alias/a')), requestParameters: { aliasName: 'alias/a', targetKeyId: KEYS[0] } }],
  [
    'CreateGrant',
    {
      ...resources(KEYS[0]),
      requestParameters: {
        granteePrincipal: 'p',
        retiringPrincipal: 'r',
        operations: ['Decrypt'],
        constraints: { encryptionContextSubset: { a: 'b' } },
      },
    },
  ],
  [
    'ScheduleKeyDeletion',
    {
      ...resources(KEYS[0]),
      responseElements: { keyId: KEYS[0], keyState: 'PendingDeletion', deletionDate: 'Mar 20, 2026, 12:00:00 AM', pendingWindowInDays: 7 },
    },
  ],
  [
    'ImportKeyMaterial',
    {
      ...resources(KEYS[0]),
      requestParameters: { expirationModel: 'KEY_MATERIAL_EXPIRES', validTo: 'x', importType: 'y', keyMaterialId: 'z' },
    },
  ],
  [
    'RotateKey',
    {
      eventType: 'AwsServiceEvent',
      serviceEventDetails: { keyId: KEYS[0], rotationType: 'AUTOMATIC', currentKeyMaterialId: 'x', previousKeyMaterialId: 'y' },
    },
  ],
  [
    'ReplicateKey',
    { requestParameters: { keyId: KEYS[2], replicaRegion: 'us-east-1' }, responseElements: { replicaKeyMetadata: { arn: KEYS[2] } } },
  ],
  ['UpdateCustomKeyStore', { requestParameters: { customKeyStoreId: 'c', newCustomKeyStoreName: 'n', xksProxyUriEndpoint: 'https://x' } }],
  ['UntagResource', { ...resources(KEYS[0]), requestParameters: { tagKeys: ['k'] } }],
  [
    'PutEventSelectors',
    {
      eventSource: 'cloudtrail.amazonaws.com',
      requestParameters: {
        trailName: 't',
        eventSelectors: [{ readWriteType: 'All', includeManagementEvents: true, excludeManagementEventSources: ['kms.amazonaws.com'] }],
      },
    },
  ],
];

/** The record once for every place in it that holds text, with something else there. */
function mutants(text: string): string[] {
  const strings = [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(({ index, 0: { length } }) => [index, index + length] as const);
  const names = strings.filter(([, end]) => text[end] === ':');
  const spots = strings.filter(([, end]) => text[end] !== ':');
  const put = ([from, to]: readonly [number, number], instead: string): string => text.slice(0, from) + instead + text.slice(to);
  return [
    ...spots.flatMap((spot, n) => {
      // Every text comes to every kind of place, but not to each.
      const some = TEXTS.filter((_, t) => (t + n) % 4 === 0);
      return [...some.map((one) => put(spot, JSON.stringify(one))), put(spot, RAW[n % RAW.length] ?? 'null')];
    }),
    ...names.map((name, n) => put(name, JSON.stringify(TEXTS[n % TEXTS.length]))),
  ];
}

test('no text or number in any field fails a batch: every record is stored or put aside, and what is stored is what was understood', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url, { workers: 2 });
  const records = KINDS.flatMap(([name, fields], kind) =>
    mutants(JSON.stringify(record(name, START + kind * DAY, { ...everything, ...fields }))).map((text, n) => {
      // An id of its own, where the id itself is not what was changed.
      return text.replace(/"eventID":"[^"\\]{36}"/, `"eventID":"${kind} ${n}"`);
    }),
  );
  expect(records.length).toBeGreaterThan(2_000);
  for (let at = 0; at < records.length; at += 500) await pipeline.deliver(records.slice(at, at + 500));
  await pipeline.work();
  await pipeline.assess();
  const counts = await runCounts(pipeline.deps.pool, 'test');
  expect(counts).toMatchObject({ records: records.length, failed: 0, unfinished: 0 });
  expect(counts.relevant).toBe(counts.new + counts.duplicates + counts.conflicts);
  expect(counts.relevant).toBeGreaterThan(records.length * 0.9);
  expect(await violations(database.url)).toEqual([]);
  const { rows } = await pipeline.deps.pool.query('SELECT FROM detector_failure');
  expect(rows).toEqual([]);

  await expectAsInMemory(pipeline, records);
});
