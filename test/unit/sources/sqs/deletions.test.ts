import type { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { Claim } from '../../../../services/sources/sqs/claim.ts';
import type { QueueConnection } from '../../../../services/sources/sqs/connection.ts';
import { Deletions } from '../../../../services/sources/sqs/deletions.ts';
import type { QueueEvent } from '../../../../services/sources/sqs/events.ts';

type Failed = { Id: string; Code: string; SenderFault: boolean };

/** A queue that answers with the next list of failures; an Error is thrown. */
function queueThat(answers: (((ids: string[]) => Failed[]) | Error)[]): { queue: QueueConnection; requests: string[][] } {
  const requests: string[][] = [];
  const send = async ({ input }: DeleteMessageBatchCommand): Promise<{ Failed: Failed[] }> => {
    const entries = input.Entries ?? [];
    requests.push(entries.map(({ ReceiptHandle }) => String(ReceiptHandle)));
    const answer = answers[requests.length - 1] ?? (() => []);
    if (answer instanceof Error) throw answer;
    return { Failed: answer(entries.map(({ Id }) => String(Id))) };
  };
  const queue = { name: 'q', url: 'u', client: { send } as unknown as QueueConnection['client'], failed: String, close: () => undefined };
  return { queue, requests };
}

function claim(id: string): Claim {
  return new Claim({ id, body: '', handle: id, receives: 1 }, 0, async () => undefined);
}

async function deleteAll(queue: QueueConnection, ids: readonly string[]): Promise<QueueEvent[]> {
  const events: QueueEvent[] = [];
  const deletions = new Deletions(queue, (event) => events.push(event));
  await Promise.all(ids.map((id) => deletions.add(claim(id), false)));
  return events;
}

test('deletions are made ten at a time', async () => {
  const { queue, requests } = queueThat([]);
  const ids = Array.from({ length: 23 }, (_, index) => String(index));
  await deleteAll(queue, ids);
  expect(requests.map((request) => request.length)).toEqual([10, 10, 3]);
  expect(requests.flat()).toEqual(ids);
});

test('of a batch, only what failed is tried again; what can never succeed is given up', async () => {
  const { queue, requests } = queueThat([
    () => [
      { Id: '1', Code: 'InternalError', SenderFault: false },
      { Id: '2', Code: 'ReceiptHandleIsInvalid', SenderFault: true },
    ],
  ]);
  const events = await deleteAll(queue, ['a', 'b', 'c']);
  expect(requests).toEqual([['a', 'b', 'c'], ['b']]);
  expect(events).toEqual([
    { kind: 'deleted', messages: 1 },
    { kind: 'lost', id: 'c' },
    { kind: 'deleted', messages: 1 },
  ]);
});

test('a request that fails is made again', async () => {
  const { queue, requests } = queueThat([new Error('reset'), new Error('reset')]);
  const events = await deleteAll(queue, ['a']);
  expect(requests).toEqual([['a'], ['a'], ['a']]);
  expect(events.at(-1)).toEqual({ kind: 'deleted', messages: 1 });
});
