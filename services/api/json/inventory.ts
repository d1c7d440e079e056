import type { DriftSide } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import type { DriftListed, KeyInventory } from '../../store/read/inventory.ts';
import { iso } from '../text/words.ts';

/** What KMS itself said of a key at the last reading; null = it was never asked. */
export function inventoryJson(inventory: KeyInventory | undefined, drift: readonly DriftListed[] = []): JsonObject | null {
  if (inventory === undefined) return null;
  const { lastUsage } = inventory;
  return {
    reading: inventory.reading,
    reason: inventory.reason,
    unread: { ...inventory.unread },
    as_of: iso(inventory.asOf),
    origin: `inventory:${inventory.runId}`,
    last_usage: lastUsage && {
      operation: lastUsage.operation,
      at: iso(lastUsage.at),
      event_id: lastUsage.eventId,
      tracked_since: iso(lastUsage.trackedSince),
    },
    drift: drift.map(({ fact, eventsSay, inventorySays, firstSeen }) => ({
      fact,
      events_say: sideJson(eventsSay),
      inventory_says: sideJson(inventorySays),
      first_seen: iso(firstSeen),
    })),
  };
}

function sideJson({ value, asOf, origin }: DriftSide): JsonObject {
  return { value, as_of: iso(asOf), origin };
}
