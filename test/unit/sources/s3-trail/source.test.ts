import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeFrames } from '../../../../services/core/frames.ts';
import { createAws } from '../../../../services/platform/aws.ts';
import { sleep, systemClock } from '../../../../services/platform/clock.ts';
import type { Delivery } from '../../../../services/sources/contract.ts';
import { DEFAULT_LIMITS } from '../../../../services/sources/limits.ts';
import { s3TrailSchema } from '../../../../services/sources/s3-trail/config.ts';
import { createS3TrailSource } from '../../../../services/sources/s3-trail/source.ts';
import type { QueueEvent } from '../../../../services/sources/sqs.ts';
import { type FakeAws, fakeAws, logKey, notification, ofCloudTrail, REGION } from '../../../support/fauxqs.ts';

interface Run {
  readonly deliveries: Delivery[];
  readonly events: QueueEvent[];
  stop(): Promise<void>;
}

/** Takes deliveries until `stop`; settles none, unless the callback does. */
function take(url: string, options: { visibility?: number; onDelivery?: (delivery: Delivery) => Promise<void> } = {}): Run {
  const settings = s3TrailSchema.parse({ queues: [{ url, region: REGION }], visibility_seconds: options.visibility ?? 30 });
  const events: QueueEvent[] = [];
  const source = createS3TrailSource(settings, {
    aws: createAws({ clock: systemClock, version: 'test' }),
    limits: DEFAULT_LIMITS,
    onEvent: (_, event) => events.push(event),
  });
  const stopping = new AbortController();
  const deliveries: Delivery[] = [];
  const running = (async () => {
    for await (const delivery of source.run(stopping.signal)) {
      deliveries.push(delivery);
      await options.onDelivery?.(delivery);
    }
  })();
  return {
    deliveries,
    events,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function ackAll(deliveries: readonly Delivery[]): Promise<void> {
  await Promise.all(deliveries.map((delivery) => delivery.ack()));
}

function empty(aws: FakeAws): boolean {
  const { ready, inFlight } = aws.depth('trail');
  return ready + inFlight === 0;
}

test('a message is deleted when the last of its objects is stored, and not before', async () => {
  const aws = await fakeAws();
  const url = aws.createQueue('trail');
  const keys = ['a', 'b', 'c'].map((name) => logKey(name));
  for (const key of keys) await aws.putObject(key, gzipSync('{"Records":[]}'));
  aws.send('trail', ofCloudTrail(...keys));
  const { deliveries, stop } = take(url);
  await aws.until(() => deliveries.length === 3);
  expect(deliveries.map(({ locator }) => locator)).toMatchObject(
    keys.map((key) => ({ key, size: expect.any(Number), queue: expect.any(String) })),
  );
  await ackAll(deliveries.slice(0, 2));
  await sleep(300);
  expect(aws.depth('trail')).toEqual({ ready: 0, inFlight: 1 });
  await ackAll(deliveries.slice(2));
  await aws.until(() => empty(aws));
  await stop();
});

test('a delivery that could not be stored brings its message back, and no other', async () => {
  const aws = await fakeAws();
  const url = aws.createQueue('trail');
  for (const name of ['good', 'bad']) aws.send('trail', notification(logKey(name), 10));
  const { deliveries, events, stop } = take(url, { visibility: 2 });
  await aws.until(() => deliveries.length === 2);
  const isBad = ({ locator }: Delivery): boolean => locator.key === logKey('bad');
  await Promise.all(deliveries.map((delivery) => (isBad(delivery) ? delivery.nack('the database said no') : delivery.ack())));
  await aws.until(() => deliveries.length === 3);
  expect(deliveries[2]).toSatisfy(isBad);
  expect(events).toContainEqual({ kind: 'returned', id: expect.any(String), reason: 'the database said no' });
  await deliveries[2]?.ack();
  await aws.until(() => empty(aws));
  await stop();
});

test('stopping gives back at once what nobody has taken, and acknowledgements after it still count', async () => {
  const aws = await fakeAws();
  const url = aws.createQueue('trail');
  const count = 40;
  for (let at = 0; at < count; at += 1) aws.send('trail', notification(logKey(`n${at}`), 10));
  const room = Promise.withResolvers<void>();
  const { deliveries, stop } = take(url, { onDelivery: () => room.promise });
  await aws.until(() => aws.depth('trail').inFlight >= 10);
  const stopped = stop();
  room.resolve();
  await stopped;
  expect(aws.depth('trail')).toEqual({ ready: count - deliveries.length, inFlight: deliveries.length });
  await ackAll(deliveries);
  expect(aws.depth('trail')).toEqual({ ready: count - deliveries.length, inFlight: 0 });
});

test('a message that comes again while it is worked on is not worked on twice, and is deleted by its last receipt', async () => {
  const aws = await fakeAws();
  const url = aws.createQueue('trail');
  aws.send('trail', notification(logKey('one'), 10));
  const { deliveries, stop } = take(url);
  await aws.until(() => deliveries.length === 1);
  await aws.reveal('trail');
  await aws.until(() => aws.receives('trail')[0] === 2);
  await sleep(200);
  expect(deliveries).toHaveLength(1);
  await ackAll(deliveries);
  await aws.until(() => empty(aws));
  await stop();
});

test('a queue that cannot be read is asked again, and comes back by itself', async () => {
  const aws = await fakeAws();
  const url = `${aws.url}/000000000000/trail`;
  const { deliveries, events, stop } = take(url);
  await aws.until(() => events.length > 0);
  expect(events[0]).toMatchObject({ kind: 'failed', call: 'ReceiveMessage' });
  aws.createQueue('trail');
  aws.send('trail', notification(logKey('one'), 10));
  await aws.until(() => deliveries.length === 1);
  await ackAll(deliveries);
  await stop();
  expect(empty(aws)).toBe(true);
});

test('an object of 160 MB comes in chunks, with every record once, in memory that does not grow with it', async () => {
  const aws = await fakeAws();
  const url = aws.createQueue('trail');
  const [small, large] = [await putRecords(aws, 'small', 48), await putRecords(aws, 'large', 160)];
  const peaks: number[] = [];
  for (const { key, size } of [small, large]) {
    aws.send('trail', notification(key, size));
    let [records, peak] = [0, 0];
    const { deliveries, stop } = take(url, {
      async onDelivery(delivery) {
        if (delivery.payload) records += decodeFrames(Buffer.from(delivery.payload)).length;
        peak = Math.max(peak, process.memoryUsage().rss);
        await delivery.ack();
        deliveries.splice(0);
      },
    });
    await aws.until(() => empty(aws), 60_000);
    await stop();
    peaks.push(peak);
    expect(records).toBe(key === small.key ? small.records : large.records);
  }
  expect((peaks[1] ?? 0) - (peaks[0] ?? 0)).toBeLessThan(80_000_000);
}, 120_000);

/** @param megabytes before compression */
async function putRecords(aws: FakeAws, name: string, megabytes: number): Promise<{ key: string; size: number; records: number }> {
  const lines = Array.from(
    { length: 5_000 },
    () => `{"eventVersion":"1.08","eventID":"${randomBytes(5).toString('hex')}","pad":"${'x'.repeat(200)}"}`,
  );
  const block = `${lines.join('\n')}\n`;
  const times = Math.ceil((megabytes * 1_000_000) / block.length);
  const member = gzipSync(block, { level: 1 });
  const body = Buffer.concat(Array.from({ length: times }, () => member));
  const key = logKey(name);
  await aws.putObject(key, body);
  return { key, size: body.length, records: times * lines.length };
}
