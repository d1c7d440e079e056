import { expect, test } from 'vitest';
import { DAY } from '../../services/core/clock.ts';
import { configureDetectors } from '../../services/detectors/configure.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { backtest } from '../../services/workers/backtest.ts';
import { detectorHealth } from '../../services/workers/detector-health.ts';
import { recordEvaluations } from '../../services/workers/service.ts';
import { dump } from '../support/dump.ts';
import { openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventId, KEYS, record, roleOf, START } from '../support/records.ts';

const ID = 'key-deletion-short-window';
const scheduled = (n: number, days: number): string =>
  JSON.stringify(
    record('ScheduleKeyDeletion', START + n * DAY, {
      eventID: eventId(n),
      userIdentity: roleOf('admin'),
      readOnly: false,
      requestParameters: { keyId: KEYS[n], pendingWindowInDays: days },
      responseElements: { keyId: KEYS[n], keyState: 'PendingDeletion', pendingWindowInDays: days },
      resources: [{ ARN: KEYS[n], accountId: '111122223333', type: 'AWS::KMS::Key' }],
    }),
  );

test('a backtest shows what other parameters would find, in the time asked for, and leaves everything as it was', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver([scheduled(0, 7), scheduled(1, 20), scheduled(2, 30)]);
  await pipeline.work();
  const before = await dump(database.url);
  const found = async (minWindowDays: number, from = 0): Promise<unknown> => {
    const { findings, failures } = await backtest(pipeline.deps, {
      configured: detector({}),
      tried: detector({ minWindowDays }),
      from,
      to: START + 10 * DAY,
      signal: new AbortController().signal,
    });
    expect(failures).toEqual([]);
    return findings.map(({ finding, tried, configured }) => [KEYS.findIndex((key) => key === finding.keyArn), { tried, configured }]);
  };
  expect(await found(14)).toEqual([[0, { tried: true, configured: true }]]);
  expect(await found(21)).toEqual([
    [0, { tried: true, configured: true }],
    [1, { tried: true, configured: false }],
  ]);
  expect(await found(7)).toEqual([[0, { tried: false, configured: true }]]);
  expect(await found(21, START + DAY)).toEqual([[1, { tried: true, configured: false }]]);
  expect(await dump(database.url)).toEqual(before);
});

test('health tells when a detector judged and fired, and that events arrive', async () => {
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url);
  await pipeline.deliver([scheduled(0, 7)]);
  await pipeline.work();
  await recordEvaluations(pipeline.deps);
  await recordEvaluations(pipeline.deps);
  const healths = await detectorHealth(pipeline.deps.pool, { detectors: pipeline.deps.detectors, sources: {}, since: START - DAY });
  const health = (id: string): unknown => healths.find(({ detector: each }) => each === id);
  expect(health(ID)).toMatchObject({
    firedAt: START,
    open: 1,
    arrival: { standing: 'arriving' },
    evaluatedAt: expect.any(Number) as number,
  });
  expect(health('kms-events-excluded')).toMatchObject({ firedAt: null, open: 0, arrival: { standing: 'not-seen' } });
});

function detector(settings: Record<string, unknown>): ReturnType<typeof configureDetectors>[number] {
  const [only] = configureDetectors(
    DETECTORS.filter(({ id }) => id === ID),
    { [ID]: settings },
  );
  if (!only) throw new Error('it is enabled');
  return only;
}
