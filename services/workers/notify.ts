/** The notify step: findings that changed become notifications, and whoever sends them is woken. Sending is `notify-deliver.ts`. */
import { lockAlerts } from '../store/alerts.ts';
import { nextWake } from '../store/alerts-due.ts';
import { hasSignals, signalReroute } from '../store/alerts-signals.ts';
import { giveUpUnknown, pruneNotifications } from '../store/notifications.ts';
import { readSetting, writeSetting } from '../store/settings.ts';
import { inTransaction } from '../store/transaction.ts';
import { DAY, HOUR } from '../core/clock.ts';
import { sleep } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import type { Deps } from './deps.ts';
import { startLoop } from './loop.ts';
import type { Receiver } from './notify-alerting.ts';
import { deliverDue } from './notify-deliver.ts';
import { groupDue } from './notify-group.ts';

/** How long a group whose time has come, a signal or a pending notification can go unnoticed at most. */
const POLL_MS = 500;
const LEAST_WAIT_MS = 10;
const UPKEEP_MS = HOUR;
/** How long it can be looked up who was told of what. */
const KEEP_MS = 90 * DAY;

/** The job of the queue: a change is grouped at once. */
export async function notify(deps: Deps): Promise<void> {
  for (const name of await groupDue(deps)) deps.alerting.receivers.get(name)?.bell.ring();
}

/** Starts what makes people hear in time: a loop that wakes groups, and one that sends for each receiver. */
export async function startNotifying({ deps, lifecycle, logger }: { deps: Deps; lifecycle: Lifecycle; logger: Logger }): Promise<void> {
  await adoptRoutes(deps, logger);
  await startLoop(lifecycle, { name: 'outbox', everyMs: UPKEEP_MS, logger, work: () => keepUp(deps, logger) });
  await lifecycle.start(
    'alerts',
    () => ({ ended: attempts(lifecycle.signal, { name: 'alerts', logger, step: () => groupInTime(deps, lifecycle.signal) }) }),
    ({ ended }) => ended,
  );
  for (const receiver of deps.alerting.receivers.values()) {
    await lifecycle.start(
      `receiver ${receiver.name}`,
      () => ({
        ended: attempts(lifecycle.signal, { name: receiver.name, logger, step: () => sendInTime(deps, receiver, lifecycle.signal) }),
      }),
      ({ ended }) => ended,
    );
  }
}

/** Where the routes are not those that findings were placed by, all are placed anew: receivers hear of what they did not know. */
export async function adoptRoutes(deps: Deps, logger: Logger): Promise<void> {
  const { fingerprint } = deps.alerting;
  if ((await readSetting(deps.pool, SETTING)) === fingerprint) return;
  await inTransaction(deps.pool, async (client) => {
    await lockAlerts(client);
    if ((await readSetting(client, SETTING)) === fingerprint) return;
    await signalReroute(client, deps.clock.now());
    await writeSetting(client, SETTING, fingerprint);
    logger.info({ receivers: [...deps.alerting.receivers.keys()] }, 'routes of alerts are new');
  });
}

const SETTING = 'alert_routes';

async function groupInTime(deps: Deps, signal: AbortSignal): Promise<void> {
  const now = deps.clock.now();
  const [next, isWaiting] = await Promise.all([nextWake(deps.pool), hasSignals(deps.pool)]);
  if (isWaiting || (next !== null && next <= now)) await notify(deps);
  else await deps.alerting.bell.wait(Math.max(LEAST_WAIT_MS, Math.min(POLL_MS, (next ?? Number.POSITIVE_INFINITY) - now)), signal);
}

async function sendInTime(deps: Deps, receiver: Receiver, signal: AbortSignal): Promise<void> {
  if ((await deliverDue(deps, receiver, signal)) === 0) await receiver.bell.wait(POLL_MS, signal);
}

/** Steps that wait by themselves while there is nothing to do; after a failure the loop waits. */
async function attempts(
  signal: AbortSignal,
  { name, logger, step }: { readonly name: string; readonly logger: Logger; step(): Promise<void> },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await step();
    } catch (err) {
      if (signal.aborted) return;
      logger.warn({ loop: name, err }, 'will be tried again');
      await sleep(POLL_MS, signal);
    }
  }
}

async function keepUp(deps: Deps, logger: Logger): Promise<void> {
  const now = deps.clock.now();
  const given = await giveUpUnknown(deps.pool, [...deps.alerting.receivers.keys()], now);
  if (given > 0) logger.warn({ count: given }, 'notifications for receivers that are no longer configured were given up');
  await pruneNotifications(deps.pool, now - KEEP_MS);
}
