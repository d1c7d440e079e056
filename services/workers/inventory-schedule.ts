/** The collecting role's inventory: reads each configured account and Region when it is due. */
import { HOUR, MINUTE } from '../core/clock.ts';
import { createAws } from '../platform/aws.ts';
import { createLeases } from '../platform/leases.ts';
import type { InventoryConfig } from '../sources/inventory/config.ts';
import { type InventoryPlace, placeName, placesOf } from '../sources/inventory/place.ts';
import { type PlaceStanding, placeStandings } from '../store/inventory-runs.ts';
import { type InventoryParts, syncPlace } from './inventory.ts';
import { recheckDrift } from './inventory-drift.ts';
import { startLoop } from './loop.ts';
import type { Service } from './service.ts';
import { VERSION } from './version.ts';

const CHECK_MS = MINUTE;
/** From a failure to the next attempt. */
const RETRY_MS = 15 * MINUTE;

/** Everything for reading inventories in this process. */
export async function openInventoryParts(
  { deps, logger, lifecycle }: Pick<Service, 'deps' | 'logger' | 'lifecycle'>,
  config: Pick<InventoryConfig, 'requests_per_second' | 'drift_grace_minutes'>,
): Promise<InventoryParts> {
  const leases = await lifecycle.start(
    'inventory leases',
    () => createLeases(deps.pool, logger),
    (open) => open.close(),
  );
  return {
    deps,
    aws: createAws({ clock: deps.clock, version: VERSION }),
    leases,
    logger: logger.child({ part: 'inventory' }),
    clock: deps.clock,
    requestsPerSecond: config.requests_per_second,
    graceMs: config.drift_grace_minutes * MINUTE,
    signal: lifecycle.signal,
  };
}

/** Starts the schedule as a part of the process, where the configuration speaks of an inventory. */
export async function startInventory(service: Service): Promise<void> {
  const config = service.config.inventory;
  if (config === undefined) return;
  const parts = await openInventoryParts(service, config);
  await startLoop(service.lifecycle, {
    name: 'inventory',
    everyMs: CHECK_MS,
    logger: service.logger,
    work: async () => await syncAll(parts, await dueNow(parts, config), config.places),
  });
  await startLoop(service.lifecycle, {
    name: 'inventory drift',
    everyMs: CHECK_MS,
    logger: service.logger,
    work: () => recheckDrift(parts.deps, parts),
  });
}

async function dueNow({ deps, clock }: InventoryParts, config: InventoryConfig): Promise<InventoryPlace[]> {
  const standings = new Map((await placeStandings(deps.pool)).map((standing) => [placeName(standing), standing]));
  const everyMs = config.every_hours * HOUR;
  return placesOf(config).filter((place) => isDue(standings.get(placeName(place)) ?? null, { now: clock.now(), everyMs }));
}

/** A run without an end and without a failure was cut off, or is under way elsewhere: its lease tells. */
export function isDue(standing: PlaceStanding | null, { now, everyMs }: { readonly now: number; readonly everyMs: number }): boolean {
  if (standing === null) return true;
  if (standing.finishedAt !== null) return now >= standing.startedAt + everyMs;
  return standing.failedAt === null || now >= standing.failedAt + RETRY_MS;
}

/** Reads places side by side, so many at a time. What fails with one place does not keep the others. */
export async function syncAll(parts: InventoryParts, places: readonly InventoryPlace[], atATime: number): Promise<void> {
  const left = places.values();
  const work = async (): Promise<void> => {
    for (const place of left) {
      if (parts.signal.aborted) return;
      try {
        await syncPlace(parts, place);
      } catch (err) {
        if (!parts.signal.aborted)
          parts.logger.warn({ account: place.account, region: place.region, err }, 'inventory will be tried again');
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, places.length) }, work));
}
