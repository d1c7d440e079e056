/** What receivers work with, over real HTTP; all that is logged is kept. */
import { Writable } from 'node:stream';
import type { Clock } from '../../../services/core/clock.ts';
import type { Json } from '../../../services/core/json.ts';
import type { Delivery, Notification } from '../../../services/notifiers/contract.ts';
import { createReceiver, type Receiver, type ReceiverTools } from '../../../services/notifiers/receiver.ts';
import { receiverSchema } from '../../../services/notifiers/registry.ts';
import { createAws } from '../../../services/platform/aws.ts';
import { systemClock } from '../../../services/platform/clock.ts';
import { createLogger } from '../../../services/platform/logger.ts';
import { createOutbound } from '../../../services/platform/outbound.ts';

export interface Tools extends ReceiverTools {
  /** Every line that was logged, at any level. */
  readonly lines: string[];
}

export function createTools(overrides: Partial<ReceiverTools> = {}): Tools {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const clock: Clock = overrides.clock ?? systemClock;
  return {
    http: createOutbound({ version: '1.2.3' }),
    clock,
    aws: createAws({ clock: systemClock, version: '1.2.3' }),
    logger: createLogger('debug', stream),
    version: '1.2.3',
    ...overrides,
    lines,
  };
}

/** A receiver called `oncall` of this configuration. */
export function receiverOf(config: Readonly<Record<string, unknown>>, tools: ReceiverTools): Receiver {
  return createReceiver(receiverSchema.parse({ name: 'oncall', ...config }), tools);
}

export async function deliver(receiver: Receiver, notification: Notification, memory: Json = null): Promise<Delivery> {
  return await receiver.deliver(notification, { signal: new AbortController().signal, memory });
}
