import { HOUR, MINUTE } from '../../core/clock.ts';
import { createAws } from '../../platform/aws.ts';
import { createLeases, type Leases } from '../../platform/leases.ts';
import { raiseSetting, readSetting } from '../../store/settings.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { Service } from '../service.ts';
import { VERSION } from '../version.ts';
import { checkTrails, type CheckOptions } from './check.ts';
import type { IntegritySettings } from './config.ts';

const EVERY_MS = MINUTE;

/** By this name, the hour of the clock whose check is done is remembered. */
const DONE = 'integrity_checked_hour';

/** Validates the configured trails every hour, as part of the process; of many processes one does it. Nothing when none is configured. */
export async function startIntegrity(service: Service): Promise<void> {
  const { integrity: settings } = service.config;
  if (!settings) return;
  const { lifecycle, deps, logger } = service;
  const leases = await lifecycle.start(
    'integrity leases',
    () => createLeases(deps.pool, logger),
    (open) => open.close(),
  );
  await startLoop(lifecycle, integrityLoop(service, { settings, leases }));
}

function integrityLoop(service: Service, { settings, leases }: { settings: IntegritySettings; leases: Leases }): Loop {
  const { deps, config, logger, lifecycle } = service;
  const aws = createAws({ clock: deps.clock, version: VERSION });
  const options = { settings, aws, logger, signal: lifecycle.signal, expectsIngested: bucketsOf(config) };
  return { name: 'integrity', everyMs: EVERY_MS, logger, work: () => checkOncePerHour(deps, leases, options) };
}

/** @returns whether this call did it */
export async function checkOncePerHour(deps: Service['deps'], leases: Leases, options: CheckOptions): Promise<boolean> {
  const hour = Math.floor(deps.clock.now() / HOUR);
  if (Number((await readSetting(deps.pool, DONE)) ?? 0) >= hour) return false;
  const lease = await leases.tryTake('integrity');
  if (!lease) return false;
  try {
    // Asked again with the lease: who had it before may just have finished.
    if (Number((await readSetting(deps.pool, DONE)) ?? 0) >= hour) return false;
    await checkTrails(deps, options);
    if (!options.signal.aborted) await raiseSetting(deps.pool, DONE, hour);
    return true;
  } finally {
    await lease.release();
  }
}

/** Buckets whose objects queues tell of; a queue that names none may tell of any. */
function bucketsOf({ sources: { s3_trail: settings } }: Service['config']): CheckOptions['expectsIngested'] {
  const queues = settings?.queues ?? [];
  return (bucket) => queues.some(({ buckets }) => buckets === undefined || buckets.includes(bucket));
}
