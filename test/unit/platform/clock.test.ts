import { expect, test } from 'vitest';
import { sleep, within } from '../../../services/platform/clock.ts';

test('an abort ends a sleep at once and without an error', async () => {
  const abort = new AbortController();
  const since = performance.now();
  const sleeping = sleep(60_000, abort.signal);
  abort.abort();
  await sleeping;
  await sleep(60_000, abort.signal);
  expect(performance.now() - since).toBeLessThan(1_000);
});

test('what settles in time is passed on, what does not is late', async () => {
  const late = (): Error => new Error('late');
  expect(await within(1_000, Promise.resolve(7), late)).toBe(7);
  await expect(within(1_000, Promise.reject(new Error('own')), late)).rejects.toThrow('own');
  await expect(within(10, new Promise(() => undefined), late)).rejects.toThrow('late');
});
