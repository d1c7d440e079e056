import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../services/platform/clock.ts';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { configSchema } from '../../services/workers/config.ts';
import { openService } from '../../services/workers/service.ts';
import { startRoles } from '../../services/workers/start.ts';
import { fakeAws, logKey, notification, REGION } from '../support/fauxqs.ts';
import { asOwner } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { KEYS, record, resources, START } from '../support/records.ts';
import { s3Front } from '../support/s3-front.ts';

test('an object that a live source may not read is tried a bounded number of times, and then kept with the reason in plain words', async () => {
  const aws = await fakeAws();
  const front = await s3Front(aws.url);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', front.url);
  await using database = await testDatabase();
  aws.createQueue('dead');
  const url = aws.createQueue('trail', {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:dead`, maxReceiveCount: 3 }),
  });
  const [secret, open] = [logKey('secret'), logKey('open')];
  const body = gzipSync(JSON.stringify({ Records: [record('Decrypt', START, resources(KEYS[0]))] }));
  for (const key of [secret, open]) await aws.putObject(key, body);
  front.denies = ({ key }) => key === secret;
  const logger = createLogger('silent');
  const lifecycle = createLifecycle({ logger });
  await using _running = { [Symbol.asyncDispose]: async () => void (await lifecycle.stop()) };
  const service = await openService({
    config: configSchema.parse({
      database_url: database.url,
      sources: { s3_trail: { queues: [{ url, region: REGION }], visibility_seconds: 2, quarantine_after: 3 } },
    }),
    clock: systemClock,
    logger,
    lifecycle,
    judgeBy: 'clock',
    name: 'test',
  });
  aws.send('trail', notification(secret, body.length));
  aws.send('trail', notification(open, body.length));
  await startRoles(service, ['collect', 'ingest', 'detect']);
  await aws.until(() => aws.depth('dead').ready === 1, 60_000);

  const tries = front.requests.filter(({ kind, key }) => kind === 'get' && key === secret);
  expect(tries.length).toBeGreaterThan(0);
  // Three for each of the receipts before the last.
  expect(tries.length).toBeLessThanOrEqual(6);
  const [kept, ...others] = await asOwner<{ reason: string; message: string }>(database.url, 'SELECT reason, message FROM quarantine');
  expect(others).toEqual([]);
  expect(kept).toEqual({
    reason: 'unreadable',
    message: expect.stringMatching(/received 3 times .*AccessDenied.*the role needs s3:GetObject/),
  });
  expect(await asOwner(database.url, "SELECT DISTINCT attempts FROM ingest_batch WHERE state = 'failed'")).toEqual([{ attempts: 3 }]);
  expect(await asOwner(database.url, 'SELECT count(*)::int AS n FROM event')).toEqual([{ n: 1 }]);
});
