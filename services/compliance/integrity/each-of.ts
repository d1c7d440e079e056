/**
 * Work on several at once, of which the next is taken when one is done: what is in memory does not grow with their number.
 * @throws the first failure, when the work in hand has ended
 */
export async function eachOf<T>(values: AsyncGenerator<T>, atOnce: number, work: (value: T) => Promise<void>): Promise<void> {
  const worker = async (): Promise<void> => {
    for await (const value of values) await work(value);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
