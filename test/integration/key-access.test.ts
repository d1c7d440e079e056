import { expect, test } from 'vitest';
import { saveGrants } from '../../services/store/key-grants.ts';
import { readKeysById } from '../../services/store/read/keys.ts';
import { keyAccess } from '../../services/workers/key-access.ts';
import { expectSuccess, kmswatch } from '../support/kmswatch.ts';
import { openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { ACCOUNT, eventId, KEYS, record, resources, roleOf, START } from '../support/records.ts';

const KEY = KEYS[0];
const INSTANCE = `arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0`;

/** As EC2 gives and retires grants for a volume, on behalf of who attaches it. */
const byService = (n: number, name: string, fields: object): string =>
  JSON.stringify(
    record(name, START + n * 60_000, {
      eventID: eventId(n),
      userIdentity: { ...roleOf('app'), invokedBy: 'ec2.amazonaws.com' },
      sourceIPAddress: 'ec2.amazonaws.com',
      userAgent: 'ec2.amazonaws.com',
      ...resources(KEY),
      ...fields,
    }),
  );
const given = (n: number, grantId: string): string =>
  byService(n, 'CreateGrant', {
    requestParameters: {
      keyId: KEY,
      granteePrincipal: INSTANCE,
      retiringPrincipal: 'ec2.eu-west-1.amazonaws.com',
      operations: ['Decrypt'],
      constraints: { encryptionContextSubset: { 'aws:ebs:id': 'vol-0123' } },
    },
    responseElements: { grantId },
  });

test('who may use a key by grants that AWS services gave and retired, and by grants that KMS listed', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  const { deps } = pipeline;
  await pipeline.deliver([
    given(1, 'g-1'),
    given(2, 'g-2'),
    given(3, 'g-3'),
    byService(4, 'RetireGrant', { requestParameters: null, additionalEventData: { grantId: 'g-2' } }),
  ]);
  await pipeline.work();
  const { rows } = await deps.pool.query<{ id: number }>('SELECT id FROM kms_key WHERE arn = $1', [KEY]);
  const [key] = await readKeysById(deps.pool, [rows[0]?.id ?? 0]);
  if (!key) throw new Error('the key is not stored');
  const ec2 = {
    principal: `AWS service ec2 for resources of account ${ACCOUNT}`,
    operations: ['Decrypt'],
    limited: true,
    services: ['ec2'],
  };
  expect((await keyAccess(deps, key)).permitted).toMatchObject([{ ...ec2, grants: 2 }]);

  const listed = {
    name: null,
    grantee: null,
    retiringPrincipal: null,
    operations: ['Encrypt'],
    constraints: {},
    issuingAccount: null,
    created: START,
  };
  const list = async (at: number, ...grants: { grantId: string; grantee: string }[]): Promise<void> => {
    const client = await deps.pool.connect();
    try {
      await saveGrants(client, [{ keyId: key.id, at, origin: 'inventory:1', grants: grants.map((grant) => ({ ...listed, ...grant })) }]);
    } finally {
      client.release();
    }
  };
  const old = { grantId: 'g-0', grantee: 'rds.amazonaws.com' };
  await list(
    START + 5 * 60_000,
    old,
    { grantId: 'g-1', grantee: INSTANCE },
    { grantId: 'g-2', grantee: INSTANCE },
    { grantId: 'g-3', grantee: INSTANCE },
  );
  expect((await keyAccess(deps, key)).permitted).toMatchObject([
    { ...ec2, grants: 2 },
    { principal: 'AWS service rds.amazonaws.com', operations: ['Encrypt'], grants: 1, services: [] },
  ]);
  await list(START + 6 * 60_000, old, { grantId: 'g-3', grantee: INSTANCE });
  expect((await keyAccess(deps, key)).permitted).toMatchObject([
    { ...ec2, grants: 1 },
    { principal: 'AWS service rds.amazonaws.com', grants: 1 },
  ]);

  // As its user sees it.
  const shown = await kmswatch(['key', KEY], { DATABASE_URL: database.url });
  expectSuccess(shown);
  expect(shown.stdout).toMatch(/AWS service ec2 for\s[^]*grant +Decrypt +yes +1 +ec2/);
  const json = await kmswatch(['key', KEY, '--json'], { DATABASE_URL: database.url });
  expect(JSON.parse(json.stdout)).toMatchObject({
    access: {
      permitted: [
        { ...ec2, grants: 1 },
        { grants: 1, services: [] },
      ],
      account_decides: false,
    },
  });

  await list(START + 7 * 60_000);
  expect((await keyAccess(deps, key)).permitted).toEqual([]);
});
