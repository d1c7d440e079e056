/**
 * What several generators yield, as it comes; at most one value of each waits. When one throws, or the reader leaves, all are ended.
 * @param stop called before they are waited for, so that they end soon
 */
export async function* merge<T>(
  generators: readonly AsyncGenerator<T, void, undefined>[],
  stop: () => void,
): AsyncGenerator<T, void, undefined> {
  const next = async (generator: AsyncGenerator<T, void, undefined>): Promise<Step<T>> => ({ generator, result: await generator.next() });
  const waiting = new Map(generators.map((generator) => [generator, next(generator)]));
  try {
    while (waiting.size > 0) {
      const { generator, result } = await Promise.race(waiting.values());
      if (result.done === true) {
        waiting.delete(generator);
        continue;
      }
      yield result.value;
      waiting.set(generator, next(generator));
    }
  } finally {
    stop();
    await Promise.allSettled(waiting.values());
    await Promise.allSettled(generators.map((generator) => generator.return()));
  }
}

interface Step<T> {
  readonly generator: AsyncGenerator<T, void, undefined>;
  readonly result: IteratorResult<T, void>;
}
