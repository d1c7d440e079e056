/**
 * The limit: gunzip, JSON.parse and the insert transaction by itself: dictionary ids, one `INSERT … SELECT FROM unnest(…) ON CONFLICT DO
 * NOTHING RETURNING` a file, zstd evidence and rollups, in one transaction and with the service's own tables and statements. What it
 * leaves out is the rest of the way: queue, splitting, normalizing (a few fields are picked as they are), looking for conflicts, detection.
 */
import { hash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { keyRef } from '../../services/core/arn.ts';
import type { KmsEvent } from '../../services/core/event.ts';
import { systemClock } from '../../services/platform/clock.ts';
import { migrate } from '../../services/platform/migrate.ts';
import { connect } from '../../services/platform/postgres.ts';
import { registerDelivery } from '../../services/store/batches.ts';
import { storeBatch } from '../../services/store/ingest.ts';
import { createPartitions } from '../../services/store/partitions.ts';
import { createTermCache } from '../../services/store/terms.ts';
import { DATABASE_URL, databaseSize, eachFile, print, watchMemory } from './measure.ts';

const peak = watchMemory();
const { pool, db, close } = await connect<unknown>({ url: DATABASE_URL, max: 4, applicationName: 'bench limit' });
await migrate(db, fileURLToPath(new URL('../../migrations', import.meta.url)));
const [terms, partitions] = [createTermCache(pool), createPartitions(pool)];
const before = await databaseSize(pool);
const began = performance.now();
const events = await eachFile(2, async (records, text) => {
  const batchId = await registerDelivery(pool, {
    runId: 'bench',
    source: 'replay',
    locator: {},
    payload: null,
    checkpoint: null,
    quarantined: [],
    receivedAt: systemClock.now(),
  });
  await storeBatch(
    pool,
    { terms: terms(), partitions },
    {
      batchId,
      source: 'replay',
      locator: {},
      inputSha256: '00'.repeat(32),
      records: records.length,
      evidence: [{ offset: 0, bytes: text }],
      events: records.map((record, ordinal) => ({ event: picked(record), ordinal })),
      quarantined: [],
      lostFields: 0,
      storedAt: systemClock.now(),
    },
  );
});
const ms = performance.now() - began;
print({ events, ms, rss_mb: peak(), bytes: (await databaseSize(pool)) - before });
await close();

function picked(record: Record<string, unknown>): KmsEvent {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const identity = (record['userIdentity'] ?? {}) as Record<string, unknown>;
  const [resource] = (record['resources'] ?? []) as { ARN?: string }[];
  const [account, region, eventId, actor] = [
    text(record['recipientAccountId']),
    text(record['awsRegion']),
    text(record['eventID']),
    text(identity['arn']),
  ];
  return {
    eventId,
    eventTime: Date.parse(text(record['eventTime'])),
    account,
    region,
    essence: hash('md5', eventId),
    eventVersion: '1.08',
    eventType: 'AwsApiCall',
    service: 'kms',
    operation: text(record['eventName']),
    operationClass: 'use',
    readOnly: true,
    key: resource?.ARN === undefined ? null : keyRef(resource.ARN, account, region),
    otherKey: null,
    actor: { type: 'role', id: actor.split('/', 2).join('/'), account, name: '' },
    session: { name: actor, accessKeyId: text(identity['accessKeyId']) || null, mfa: null, console: false },
    callingService: null,
    network: { kind: 'none', address: null, prefix: null },
    userAgentFamily: null,
    vpcEndpoint: null,
    tlsVersion: null,
    outcome: 'ok',
    errorCode: null,
    encryptionContext: null,
    keyMaterialId: null,
    sharedEventId: null,
    requestId: null,
    correctsEventId: null,
    dryRun: false,
    detail: null,
    protectsLogs: false,
    lostFields: [],
  };
}
