import { expect, test } from 'vitest';
import { fixedClock } from '../../../../services/core/clock.ts';
import type { Json } from '../../../../services/core/json.ts';
import { createBackfillSource } from '../../../../services/sources/backfill/source.ts';
import type { Piece, Row, Stretch } from '../../../../services/sources/backfill/stretch.ts';
import type { Tally } from '../../../../services/sources/backfill/tally.ts';
import type { Delivery } from '../../../../services/sources/contract.ts';

const NOW = 1_000_000;

interface Told {
  readonly deliveries: Delivery[];
  readonly checkpoints: Map<string, Json>;
  tally: Tally | null;
}

interface Options {
  readonly again?: boolean;
  readonly parallel?: number;
  readonly checkpoints?: Map<string, Json>;
  readonly onDelivery?: (delivery: Delivery) => Promise<void>;
  readonly signal?: AbortSignal;
}

async function take(stretches: readonly Stretch[], options: Options = {}): Promise<Told> {
  const told: Told = { deliveries: [], checkpoints: options.checkpoints ?? new Map(), tally: null };
  const rows = stretches.map(async function* (stretch): Row {
    yield stretch;
  });
  const source = createBackfillSource({
    name: 's3-trail',
    plan: { total: stretches.length, rows },
    parallel: options.parallel ?? 2,
    again: options.again ?? false,
    clock: fixedClock(NOW),
    checkpoints: {
      read: async (name) => told.checkpoints.get(name) ?? null,
      write: async (name, value) => void told.checkpoints.set(name, value),
    },
    onProgress: (tally) => (told.tally = tally),
  });
  for await (const delivery of source.run(options.signal ?? new AbortController().signal)) {
    told.deliveries.push(delivery);
    await options.onDelivery?.(delivery);
  }
  return told;
}

function stretch(name: string, pieces: Iterable<Piece> | (() => AsyncIterable<Piece>), settledAt = 0): Stretch {
  return {
    checkpoint: name,
    name,
    settledAt,
    read:
      typeof pieces === 'function'
        ? pieces
        : async function* () {
            yield* pieces;
          },
  };
}

function object(name: string, isFirst = true): Piece {
  return { kind: 'delivery', of: name, isFirst, locator: { name }, payload: null, quarantined: [] };
}

const ack = (delivery: Delivery): Promise<void> => delivery.ack();

test('a day is remembered when the last of its objects is stored, and not before', async () => {
  const told = await take([stretch('one', [object('a'), object('b')]), stretch('two', [object('c')])]);
  expect(told.tally).toMatchObject({ objects: 3, days: { total: 2, done: 0 } });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => told.deliveries.find(({ locator }) => locator['name'] === name) as Delivery);
  await a!.ack();
  await c!.ack();
  expect([...told.checkpoints.keys()]).toEqual(['two']);
  await b!.ack();
  expect([...told.checkpoints.keys()]).toEqual(['two', 'one']);
  expect(told.tally?.days).toEqual({ total: 2, done: 2, before: 0 });
});

test('an empty day is remembered, a day that is not over is read and not remembered', async () => {
  const told = await take([stretch('empty', []), stretch('today', [object('a')], NOW + 1)], { onDelivery: ack });
  expect([...told.checkpoints.keys()]).toEqual(['empty']);
  expect(told.tally?.days.done).toBe(2);
});

test('what was remembered is not read again, unless it is asked for', async () => {
  const checkpoints = new Map<string, Json>([['one', { done_at: 'then' }]]);
  const one = [stretch('one', [object('a')]), stretch('two', [object('b')])];
  expect(await take(one, { checkpoints: new Map(checkpoints) })).toMatchObject({ deliveries: [{ locator: { name: 'b' } }] });
  expect((await take(one, { checkpoints, again: true })).deliveries).toHaveLength(2);
});

test('an object that could not be stored or read is named once, its day not remembered, and the others go on', async () => {
  const pieces: Piece[] = [
    object('a'),
    object('a', false),
    { kind: 'failed', of: 'b', reason: 'no' },
    { kind: 'known', count: 7 },
    object('c'),
  ];
  const broken = stretch('broken', async function* () {
    yield object('d');
    throw new Error('could not be listed');
  });
  const told = await take([stretch('one', pieces), broken, stretch('two', [object('e')])], {
    onDelivery: (delivery) => (delivery.locator['name'] === 'a' ? delivery.nack('denied') : delivery.ack()),
  });
  expect([...told.checkpoints.keys()]).toEqual(['two']);
  expect(told.tally).toMatchObject({ objects: 4, skipped: 7, failed: 3, days: { done: 1 } });
  expect(told.tally?.failures.toSorted((x, y) => (x.object < y.object ? -1 : 1))).toEqual([
    { object: 'a', reason: 'denied' },
    { object: 'b', reason: 'no' },
    { object: 'broken', reason: 'could not be listed' },
  ]);
});

test('a day of which nothing can be read is left after a while; one in between that can is enough to go on', async () => {
  const failing = Array.from({ length: 100 }, (_, n): Piece => ({ kind: 'failed', of: `x${n}`, reason: 'denied' }));
  const told = await take([stretch('one', failing)]);
  expect(told.tally).toMatchObject({ failed: 21, days: { done: 0 } });
  expect(told.tally?.failures).toHaveLength(20);
  const mixed = failing.flatMap((piece, n) => (n % 10 === 9 ? [piece, object(`ok${n}`)] : [piece]));
  expect((await take([stretch('one', mixed)], { onDelivery: ack })).tally).toMatchObject({ failed: 100, objects: 10 });
});

test('as many days as may be are read side by side, and no more; deliveries wait for the reader', async () => {
  let [open, most, yielded] = [0, 0, 0];
  const slow = Array.from({ length: 6 }, (_, n) =>
    stretch(`s${n}`, async function* () {
      open += 1;
      most = Math.max(most, open);
      for (let i = 0; i < 50; i += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        yielded += 1;
        yield object(`${n}.${i}`);
      }
      open -= 1;
    }),
  );
  let taken = 0;
  const told = await take(slow, {
    parallel: 3,
    onDelivery: async (delivery) => {
      taken += 1;
      expect(yielded - taken).toBeLessThanOrEqual(3);
      await delivery.ack();
    },
  });
  expect(most).toBe(3);
  expect(told.deliveries).toHaveLength(300);
  expect(told.checkpoints.size).toBe(6);
});

test('stopped in the middle it ends soon, and remembers nothing that is not done', async () => {
  const stopping = new AbortController();
  const endless = (name: string): Stretch =>
    stretch(name, async function* () {
      for (let n = 0; ; n += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        yield object(`${name}${n}`);
      }
    });
  let taken = 0;
  const told = await take([endless('a'), endless('b'), stretch('c', [])], {
    signal: stopping.signal,
    onDelivery: async (delivery) => {
      await delivery.ack();
      if ((taken += 1) > 20) stopping.abort();
    },
  });
  expect(told.checkpoints.size).toBe(0);
});
