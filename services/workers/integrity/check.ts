/** The hourly look at all configured trails. */
import { HOUR, MINUTE } from '../../core/clock.ts';
import { KmswatchError } from '../../core/errors.ts';
import { eachOf } from '../../compliance/integrity/each-of.ts';
import type { Aws } from '../../platform/aws.ts';
import type { Logger } from '../../platform/logger.ts';
import { openTrailBucket, type TrailArea, type TrailBucket } from '../../sources/s3-trail/trail-bucket.ts';
import type { TrailBucketSettings } from '../../sources/s3-trail/trail-config.ts';
import { areasNotChecked, areaState, distrustBucket, trustBucket, writeArea } from '../../store/digests-problems.ts';
import { forgetLogFiles, noteIngested } from '../../store/digests-log-files.ts';
import type { Deps } from '../deps.ts';
import { checkArea, type CheckContext, tellCoverage, windowOf } from './check-area.ts';
import type { IntegritySettings } from './config.ts';
import { LiveKeys } from './live-keys.ts';

export interface CheckOptions {
  readonly settings: IntegritySettings;
  readonly aws: Aws;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Whether log files of a bucket are ingested as they come. */
  readonly expectsIngested: (bucket: string) => boolean;
}

/** Accounts and Regions that are looked at side by side. */
const AREAS_AT_ONCE = 4;

/**
 * Looks at every account and Region that was not looked at in this hour of the clock, so that what a process left undone another one goes
 * on with. What cannot be read is recorded as unknown.
 * @throws what is not the buckets' fault: the database is away, a bug
 */
export async function checkTrails(deps: Deps, options: CheckOptions): Promise<void> {
  const { settings, signal } = options;
  for (const trail of settings.trails) if (!signal.aborted) await checkTrail(deps, trail, options);
  const at = deps.clock.now();
  if (settings.trails.some(({ bucket }) => options.expectsIngested(bucket)))
    await tellCoverage(deps.pool, await noteIngested(deps.pool), { expectsIngested: true, at });
  await forgetLogFiles(deps.pool, at);
}

async function checkTrail(deps: Deps, trail: TrailBucketSettings, options: CheckOptions): Promise<void> {
  const { settings, aws, logger, signal, expectsIngested } = options;
  const bucket = openTrailBucket(trail, { aws, limits: deps.limits });
  const context: CheckContext = {
    bucket,
    publicKeys: new LiveKeys({ aws, trail, kept: { pool: deps.pool, clock: deps.clock } }),
    lookBackMs: settings.look_back_hours * HOUR,
    graceMs: settings.grace_minutes * MINUTE,
    expectsIngested: expectsIngested(trail.bucket),
  };
  try {
    const check = (area: TrailArea): Promise<void> => checkUnlessDone(deps, context, { area, logger });
    await eachOf(untilAborted(bucket.areas(), signal), AREAS_AT_ONCE, check);
    // What has vanished from the bucket as a whole must not pass for what it was.
    await eachOf(untilAborted(known(deps, trail, bucket), signal), AREAS_AT_ONCE, check);
    await trustBucket(deps.pool, bucket.name, bucket.place);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    await distrustBucket(deps.pool, bucket.name, { place: bucket.place, reason: error.message, hour: hourOf(deps), at: deps.clock.now() });
    logger.warn({ bucket: bucket.name, detail: error.message }, 'a trail could not be validated: nothing is known of it');
  } finally {
    bucket.close();
  }
}

async function checkUnlessDone(deps: Deps, context: CheckContext, { area, logger }: { area: TrailArea; logger: Logger }): Promise<void> {
  const name = { bucket: context.bucket.name, ...area };
  const state = await areaState(deps.pool, name);
  if (state.checkedAt !== null && state.checkedAt >= hourOf(deps)) return;
  try {
    await deps.telemetry.timed('verify', () => checkArea(deps, context, { area, state }));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const checkedUntil = windowOf(state, context, deps.clock.now()).from;
    const unknown = { standing: 'unknown', reason: error.message, checkedUntil, verifiedUntil: null } as const;
    await writeArea(deps.pool, { ...name, ...unknown }, deps.clock.now());
    logger.warn({ ...name, detail: error.message }, 'an account and Region of a trail could not be validated: nothing is known of it');
  }
}

async function* known(deps: Deps, { accounts, regions }: TrailBucketSettings, bucket: TrailBucket): AsyncGenerator<TrailArea> {
  for (const area of await areasNotChecked(deps.pool, { bucket: bucket.name, below: bucket.place, since: hourOf(deps) }))
    if (accounts?.includes(area.account) !== false && regions?.includes(area.region) !== false) yield area;
}

function hourOf({ clock }: Deps): number {
  return Math.floor(clock.now() / HOUR) * HOUR;
}

function isUnreadable(error: unknown): error is KmswatchError {
  return error instanceof KmswatchError && (error.code === 'SOURCE_UNREADABLE' || error.code === 'SOURCE_DENIED');
}

async function* untilAborted<T>(values: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const value of values) {
    if (signal.aborted) return;
    yield value;
  }
}
