import { expect, test } from 'vitest';
import { DAY, MINUTE } from '../../services/core/clock.ts';
import { standInFor } from '../../services/sources/eventbridge/stand-in.ts';
import { dump, differences } from '../support/dump.ts';
import { expectAsInMemory, storedFindings, storedSubjects } from '../support/oracle.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { ACCOUNT, KEYS, record, REGION, resources, START } from '../support/records.ts';

const TYPES = [
  ['KMS CMK Rotation', 'RotateKey'],
  ['KMS Imported Key Material Expiration', 'DeleteExpiredKeyMaterial'],
  ['KMS CMK Deletion', 'DeleteKey'],
] as const;

/** Each of three keys has one happening, of which both CloudTrail and EventBridge tell. */
const BRIDGE = TYPES.map(([type], n) =>
  JSON.stringify(
    standInFor({
      id: `0e0e0e0e-0000-4000-8000-00000000000${n}`,
      source: 'aws.kms',
      'detail-type': type,
      account: ACCOUNT,
      region: REGION,
      time: `${new Date(START + n * DAY + 3 * MINUTE).toISOString().slice(0, 19)}Z`,
      resources: [KEYS[n]],
      detail: { 'key-id': KEYS[n]?.split('/')[1] },
    }),
  ),
);
const TRAIL = TYPES.map(([, operation], n) =>
  JSON.stringify(
    record(operation, START + n * DAY, {
      ...resources(KEYS[n]!),
      eventType: 'AwsServiceEvent',
      userIdentity: { accountId: ACCOUNT, invokedBy: 'AWS Internal' },
      serviceEventDetails: { keyId: KEYS[n] },
    }),
  ),
);

async function told(pipeline: Pipeline, ...deliveries: readonly (readonly string[])[]): Promise<void> {
  for (const [n, records] of deliveries.entries()) {
    await pipeline.deliver(records, { source: records === BRIDGE ? 'eventbridge' : 's3-trail', locator: { delivery: n } });
    await pipeline.work();
  }
  await pipeline.assess();
}

test('what EventBridge and CloudTrail both tell counts once in the database as well, whichever comes first, and both stay stored', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await told(pipeline, TRAIL, BRIDGE, TRAIL);
  await expectAsInMemory(pipeline, [...TRAIL, ...BRIDGE]);
  const trailFirst = await dump(database.url);
  const findings = await storedFindings(pipeline);
  expect(findings.map(({ detector, occurrences }) => [detector, Number(occurrences)])).toEqual(
    expect.arrayContaining([
      ['key-deleted', 1],
      ['imported-material-expired', 1],
    ]),
  );
  expect(findings.flatMap(({ evidence }) => evidence).filter((id) => id.startsWith('eventbridge:'))).toEqual([]);
  const keys = await storedSubjects(pipeline);
  expect(keys.filter(({ kind }) => kind === 'key').map((key) => key.kind === 'key' && key.timeline.length)).toEqual([1, 1, 1]);
  expect(trailFirst['events']).toHaveLength(6);

  await pipeline.renew();
  await told(pipeline, BRIDGE);
  // Until the record comes, the stand-in is what there is.
  expect((await storedFindings(pipeline)).flatMap(({ evidence }) => evidence).every((id) => id.startsWith('eventbridge:'))).toBe(true);
  await told(pipeline, BRIDGE, TRAIL);
  expect(differences(trailFirst, await dump(database.url))).toEqual([]);
});
