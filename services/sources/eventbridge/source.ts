import { encodeFrames, type Frame } from '../../core/frames.ts';
import type { Aws } from '../../platform/aws.ts';
import type { Source } from '../contract.ts';
import { type Claim, connectQueue, Consumer, type DeliverContext, type OnQueueEvent, type Part, Poison, runQueues } from '../sqs.ts';
import type { EventBridgeSettings } from './config.ts';
import { parseMessage } from './message.ts';

export interface EventBridgeOptions {
  readonly aws: Aws;
  readonly onEvent: OnQueueEvent;
}

/** What one request received is one delivery, which brings the events along as they came; what cannot be read is one of its own. */
export function createEventBridgeSource(settings: EventBridgeSettings, { aws, onEvent }: EventBridgeOptions): Source {
  const { queues, pollers, max_messages: maxMessages, visibility_seconds: visibility, quarantine_after: quarantineAfter } = settings;
  return {
    name: 'eventbridge',
    run(signal) {
      const poison = new Poison({ source: 'eventbridge', quarantineAfter, onEvent });
      const consumers = queues.map(
        (queue) => new Consumer({ queue: connectQueue(queue, aws), pollers, maxMessages, visibilityMs: visibility * 1000, onEvent }),
      );
      return runQueues(consumers, (claims, context) => deliver(claims, context, { poison, onEvent }), signal);
    },
  };
}

async function deliver(
  claims: readonly Claim[],
  context: DeliverContext,
  { poison, onEvent }: { poison: Poison; onEvent: OnQueueEvent },
): Promise<void> {
  const frames: Frame[] = [];
  const parts: Part[] = [];
  const taken: Claim[] = [];
  for (const claim of claims) {
    if (await poison.takes(claim, context)) continue;
    const message = parseMessage(claim.body);
    if (message.kind === 'record') {
      frames.push({ offset: 0, bytes: message.bytes });
      parts.push(claim.part());
      taken.push(claim);
    } else if (message.kind === 'unknown') {
      await poison.putAside(claim, context, { reason: 'not-a-record', message: message.problem });
    } else onEvent(context.queue, { kind: 'ignored', why: message.why });
    await claim.finish();
  }
  const [first] = taken;
  if (!first) return;
  await context.put({
    delivery: {
      source: 'eventbridge',
      locator: { queue: context.queue, firstMessage: first.id, messages: taken.length },
      payload: encodeFrames(frames),
      quarantined: [],
      checkpoint: null,
      ack: async () => void (await Promise.all(parts.map((part) => part.ack()))),
      nack: async (reason) => void (await Promise.all(parts.map((part) => part.nack(reason)))),
    },
    giveBack: async () => void (await Promise.all(parts.map((part) => part.giveBack()))),
  });
}
