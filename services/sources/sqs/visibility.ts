import { ChangeMessageVisibilityBatchCommand } from '@aws-sdk/client-sqs';
import { monotonicMs } from '../../platform/clock.ts';
import { batches, type FailedEntry, indexOf } from './batches.ts';
import type { Claim } from './claim.ts';
import type { QueueConnection } from './connection.ts';

export type HideOutcome =
  | { readonly claim: Claim; readonly result: 'hidden'; readonly at: number }
  /** The receipt is not valid any more, or the message has been hidden for twelve hours, the most there is. */
  | { readonly claim: Claim; readonly result: 'lost' }
  | { readonly claim: Claim; readonly result: 'failed'; readonly message: string };

/** Hides messages from others for so many seconds from now. Never throws. @param seconds 0 = they may be received at once */
export async function changeVisibility(queue: QueueConnection, claims: readonly Claim[], seconds: number): Promise<HideOutcome[]> {
  const outcomes: HideOutcome[] = [];
  for (const batch of batches(claims)) {
    const at = monotonicMs();
    try {
      const Entries = batch.map((claim, index) => ({ Id: String(index), ReceiptHandle: claim.handle, VisibilityTimeout: seconds }));
      const { Failed: failed = [] } = await queue.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue.url, Entries }));
      const problems = new Map(failed.map((entry: FailedEntry) => [indexOf(entry), entry]));
      batch.forEach((claim, index) => {
        const problem = problems.get(index);
        if (!problem) outcomes.push({ claim, result: 'hidden', at });
        else if (problem.SenderFault === true) outcomes.push({ claim, result: 'lost' });
        else outcomes.push({ claim, result: 'failed', message: problem.Code ?? 'unknown' });
      });
    } catch (error) {
      const message = queue.failed(error);
      for (const claim of batch) outcomes.push({ claim, result: 'failed', message });
    }
  }
  return outcomes;
}
