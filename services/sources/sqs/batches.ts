/** Entries that SQS takes in one request: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
export const BATCH_LIMIT = 10;

/** What a batch request answers with status 200 for an entry that failed. */
export interface FailedEntry {
  readonly Id?: string | undefined;
  readonly Code?: string | undefined;
  readonly SenderFault?: boolean | undefined;
}

export function batches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH_LIMIT) }, (_, index) =>
    items.slice(index * BATCH_LIMIT, (index + 1) * BATCH_LIMIT),
  );
}

/** Position within the batch: we name entries by it. */
export function indexOf({ Id: id }: FailedEntry): number {
  return Number(id);
}
