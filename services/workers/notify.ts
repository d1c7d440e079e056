/** The notify step: deliver what the outbox holds, at least once. Until receivers exist, a notification is a log line. */
import { inTransaction } from '../store/transaction.ts';
import { markDelivered, takePending } from '../store/notifications.ts';
import type { Deps } from './deps.ts';

const LIMIT = 200;

export async function notify(deps: Deps): Promise<void> {
  for (;;) {
    const sent = await inTransaction(deps.pool, async (client) => {
      const pending = await takePending(client, LIMIT);
      for (const notification of pending) deps.telemetry.notified(notification);
      if (pending.length > 0)
        await markDelivered(
          client,
          pending.map(({ id }) => id),
          deps.clock.now(),
        );
      return pending.length;
    });
    if (sent < LIMIT) return;
  }
}
