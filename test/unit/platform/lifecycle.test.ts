import { describe, expect, test } from 'vitest';
import { createLifecycle } from '../../../services/platform/lifecycle.ts';
import { createLogger } from '../../../services/platform/logger.ts';

const logger = createLogger('silent');
const forever = (): Promise<never> => new Promise(() => undefined);

/** A lifecycle and the log of what its parts did. */
function recorded(stopTimeoutMs?: number) {
  const lifecycle = createLifecycle({ logger, stopTimeoutMs });
  const log: string[] = [];
  const part = (name: string, stop: () => unknown = () => undefined): Promise<string> =>
    lifecycle.start(
      name,
      () => (log.push(`start ${name}`), name),
      (started) => (log.push(`stop ${started}`), stop()),
    );
  return { lifecycle, log, part };
}

describe('a lifecycle', () => {
  test('stops what was started, last first, and only once', async () => {
    const { lifecycle, log, part } = recorded();
    expect(await part('a')).toBe('a');
    await part('b');
    const stopping = lifecycle.stop();
    expect(lifecycle.stop()).toBe(stopping);
    expect(await stopping).toEqual([]);
    await lifecycle.stop();
    expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('undoes what was done when a part fails to start, and says why it failed', async () => {
    const { lifecycle, log, part } = recorded();
    await part('a');
    await expect(
      lifecycle.start(
        'b',
        () => Promise.reject(new Error('no b')),
        () => log.push('stop b'),
      ),
    ).rejects.toThrow('no b');
    expect(log).toEqual(['start a', 'stop a']);
    await expect(part('c')).rejects.toThrow('stopping');
  });

  test('goes on when a part fails to stop, and names it', async () => {
    const { lifecycle, log, part } = recorded();
    await part('a');
    await part('b', () => Promise.reject(new Error('no')));
    await part('c', () => {
      throw new Error('never');
    });
    const failures = await lifecycle.stop();
    expect(failures.map(({ name, error }) => `${name}: ${(error as Error).message}`)).toEqual(['c: never', 'b: no']);
    expect(log.slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
  });

  test('waits no longer than it may, and still stops the rest', async () => {
    const { lifecycle, log, part } = recorded(50);
    await part('a');
    await part('b', forever);
    const since = performance.now();
    expect((await lifecycle.stop()).map(({ name }) => name)).toEqual(['b']);
    expect(performance.now() - since).toBeLessThan(2_000);
    expect(log.at(-1)).toBe('stop a');
  });

  test('a part that was starting when the stop came is stopped as well', async () => {
    const { lifecycle, log } = recorded();
    let finish: (value: string) => void = () => undefined;
    const starting = lifecycle.start(
      'slow',
      () => new Promise<string>((resolve) => (finish = resolve)),
      () => log.push('stop slow'),
    );
    expect(lifecycle.signal.aborted).toBe(false);
    await lifecycle.stop();
    expect(lifecycle.signal.aborted).toBe(true);
    finish('late');
    await expect(starting).rejects.toThrow('stopped while it started');
    expect(log).toEqual(['stop slow']);
  });

  test('stops at the end of its scope', async () => {
    const { lifecycle, log, part } = recorded();
    await (async () => {
      await using _scope = lifecycle;
      await part('a');
    })();
    expect(log).toEqual(['start a', 'stop a']);
  });
});
