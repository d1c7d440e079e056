/** From what a person asks for and the configuration says to the days that a backfill reads. */
import { KmswatchError } from '../core/errors.ts';
import { createAws } from '../platform/aws.ts';
import { createLeases } from '../platform/leases.ts';
import { planHistory } from '../sources/backfill/history.ts';
import type { Plan } from '../sources/backfill/stretch.ts';
import { planTrail } from '../sources/backfill/trail.ts';
import { createLookupApi, type LookupEventsConfig, lookupEventsSchema, realTime, targetsOf } from '../sources/event-history.ts';
import { queueName } from '../sources/sqs.ts';
import { createBuckets } from '../sources/trail-objects.ts';
import { storedObjects } from '../store/known-objects.ts';
import { bucketAccess, type TrailBucket, trailBuckets } from './bucket-access.ts';
import type { Config } from './config.ts';
import { servicesOf } from './live.ts';
import type { Service } from './service.ts';
import { VERSION } from './version.ts';

interface Wish {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Null = all that there are. */
  readonly accounts: readonly string[] | null;
  readonly regions: readonly string[] | null;
}

export interface TrailWish extends Wish {
  /** Null = as the configuration says. */
  readonly bucket: string | null;
  readonly prefix: string | null;
  readonly organization: string | null;
  readonly bucketRegion: string | null;
}

/** @throws KmswatchError INPUT_INVALID, SOURCE_DENIED, SOURCE_UNREADABLE */
export async function planTrailBackfill(service: Service, wish: TrailWish, signal: AbortSignal): Promise<Plan> {
  const { config, deps, lifecycle } = service;
  const configured = bucketOf(config, wish);
  const { bucket } = configured;
  const queues = config.sources.s3_trail?.queues ?? [];
  // With its credentials the bucket is read live, too, and what it told of before is recognized.
  const queue = queues.find((each) => each.buckets?.includes(bucket)) ?? queues.find((each) => each.buckets === undefined);
  const aws = createAws({ clock: deps.clock, version: VERSION });
  const buckets = await lifecycle.start(
    'buckets',
    () => createBuckets(queues, aws, bucketAccess(config)),
    async (open) => open.close(),
  );
  return await planTrail(
    {
      bucket,
      queue: queue === undefined ? null : queueName(queue),
      region: wish.bucketRegion ?? configured.region,
      prefix: (wish.prefix ?? configured.prefix).replace(/\/+$/, ''),
      organization: wish.organization ?? configured.organization,
      accounts: wish.accounts,
      regions: wish.regions,
      from: wish.from,
      to: wish.to,
    },
    { buckets, limits: deps.limits, known: (name, objects) => storedObjects(deps.pool, name, objects), signal },
  );
}

/** What is meant: one of those in the configuration, or another that is named. */
function bucketOf(config: Config, { bucket, prefix }: TrailWish): TrailBucket {
  const known = trailBuckets(config).filter((each) => bucket === null || each.bucket === bucket);
  const [only, ...others] = known.length > 1 && prefix !== null ? known.filter((each) => each.prefix === prefix) : known;
  if (only && others.length === 0) return only;
  if (!only && bucket !== null) return { bucket, region: null, prefix: '', organization: null };
  if (!only) {
    throw new KmswatchError('INPUT_INVALID', 'No bucket is given, and the configuration names none.', { hint: 'Name it with --bucket.' });
  }
  const names = [only, ...others].map((each) => `${each.bucket}${each.prefix === '' ? '' : `/${each.prefix}`}`).join(', ');
  throw new KmswatchError('INPUT_INVALID', `The configuration names several: ${names}.`, { hint: 'Name one with --bucket, and --prefix.' });
}

/** @throws KmswatchError INPUT_INVALID */
export async function planHistoryBackfill(service: Service, wish: Wish): Promise<Plan> {
  const { config, deps, lifecycle, logger } = service;
  const leases = await lifecycle.start(
    'leases',
    () => createLeases(deps.pool, logger),
    (open) => open.close(),
  );
  const aws = createAws({ clock: deps.clock, version: VERSION });
  const targets = targetsOf(lookupConfig(config, wish), servicesOf(deps));
  return planHistory(
    { targets, from: wish.from, to: wish.to },
    {
      time: realTime(deps.clock),
      apiOf: (target) => createLookupApi(aws, target),
      accountOf: (target) => aws.accountOf(target),
      leases,
      relevant: deps.relevant,
    },
  );
}

/** What is configured, as far as it is asked for; accounts that are not configured are read as those that are. */
function lookupConfig(config: Config, { accounts, regions }: Wish): LookupEventsConfig {
  const { accounts: configured = [], ...rest } = config.sources.lookup_events ?? {};
  const chosen = accounts?.map((account) => configured.find((each) => each.account === account) ?? { account }) ?? configured;
  if (chosen.length === 0) {
    throw new KmswatchError('INPUT_INVALID', 'No account is given, and the configuration names none under sources.lookup_events.', {
      hint: 'Name accounts with --accounts and Regions with --regions.',
    });
  }
  const parsed = lookupEventsSchema.safeParse({
    ...rest,
    accounts: chosen.map((each) => ({ ...each, ...(regions !== null && { regions }) })),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new KmswatchError('INPUT_INVALID', `These accounts cannot be read: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`, {
    hint: 'Name Regions with --regions.',
  });
}
