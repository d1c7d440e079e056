import { describe, expect, test } from 'vitest';
import { createLifecycle } from '../../../services/platform/lifecycle.ts';
import { createLogger } from '../../../services/platform/logger.ts';
import { repeat, runUnder } from '../../../services/workers/loop.ts';

const logger = createLogger('silent');

describe('repeat', () => {
  test('goes on after a failure and ends with the signal', async () => {
    const end = new AbortController();
    let times = 0;
    await repeat(
      {
        name: 'test',
        everyMs: 1,
        logger,
        work: async () => {
          times += 1;
          if (times === 3) end.abort();
          throw new Error('always');
        },
      },
      end.signal,
    );
    expect(times).toBe(3);
  });
});

describe('runUnder', () => {
  test('stopping lets the work end before what it uses is closed', async () => {
    const lifecycle = createLifecycle({ logger });
    const order: string[] = [];
    await lifecycle.start(
      'database',
      () => undefined,
      () => order.push('database closed'),
    );
    const work = runUnder(lifecycle, 'work', async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('work ended');
      return 'done';
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await lifecycle.stop();
    expect(order).toEqual(['work ended', 'database closed']);
    expect(await work).toBe('done');
  });

  test('a failure reaches the caller', async () => {
    const lifecycle = createLifecycle({ logger });
    await expect(runUnder(lifecycle, 'work', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
