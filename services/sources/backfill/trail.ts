/** Log files of the past, as they lie in a trail's bucket: listed by account, Region and day, never "after the last key". */
import { DAY, HOUR } from '../../core/clock.ts';
import { KmswatchError } from '../../core/errors.ts';
import { cutIntoChunks } from '../chunks.ts';
import type { ReadLimits } from '../limits.ts';
import {
  type Buckets,
  isReadWhole,
  type ListedObject,
  listPages,
  ObjectGone,
  readObject,
  type TrailObject,
  toLocator,
} from '../trail-objects.ts';
import { type AreaWish, type BucketPlace, dayFolder, findAreas, isLogFile, type TrailArea, within } from './areas.ts';
import { dayName, dayOf, daysOf } from './days.ts';
import type { Piece, Plan, Row } from './stretch.ts';

export interface TrailBackfill extends BucketPlace, AreaWish {
  /** Epoch milliseconds; rounded to whole days. */
  readonly from: number;
  readonly to: number;
}

export interface TrailParts {
  readonly buckets: Buckets;
  readonly limits: ReadLimits;
  /** Which of these objects of a bucket are stored already, as they are now. */
  readonly known: (bucket: string, objects: readonly ListedObject[]) => Promise<ReadonlySet<string>>;
  readonly signal: AbortSignal;
}

/** The folder of a file is that of the day on which it was delivered; what lies beyond this is written by nobody. */
const DELIVERED_MS = HOUR;

/**
 * One day more than was asked for: files that were delivered late lie in the folder of the day on which they came.
 * @throws KmswatchError SOURCE_DENIED, SOURCE_UNREADABLE when the areas cannot be found; INPUT_INVALID when there are none
 */
export async function planTrail(wish: TrailBackfill, parts: TrailParts): Promise<Plan> {
  const areas = await findAreas(parts.buckets, wish, wish, parts.signal);
  if (areas.length === 0 && !parts.signal.aborted) {
    throw new KmswatchError('INPUT_INVALID', `There are no log files of CloudTrail in s3://${wish.bucket}/${wish.prefix} that fit.`, {
      hint: 'Give what comes before AWSLogs as --prefix, and look at --organization-id, --accounts and --regions.',
    });
  }
  const days = trailDays(wish);
  return { total: areas.length * days.length, rows: rows(areas, days, { wish, parts }) };
}

/** The days whose folders are read. */
export function trailDays({ from, to }: { readonly from: number; readonly to: number }): number[] {
  return to <= from ? [] : daysOf({ from, to: dayOf(to - 1) + 2 * DAY });
}

interface Context {
  readonly wish: TrailBackfill;
  readonly parts: TrailParts;
}

/** Day by day, all areas of a day one after the other: what is stored first is complete first. */
function* rows(areas: readonly TrailArea[], days: readonly number[], context: Context): Generator<Row> {
  for (const day of days) for (const area of areas) yield row(area, day, context);
}

async function* row(area: TrailArea, day: number, { wish, parts }: Context): Row {
  const folder = dayFolder(area, day);
  yield {
    checkpoint: `backfill/s3-trail/${wish.bucket}/${folder}`,
    name: `s3://${wish.bucket}/${folder} (${dayName(day)})`,
    settledAt: day + DAY + DELIVERED_MS,
    read: (signal) => read(folder, signal, { wish, parts }),
  };
}

async function* read(prefix: string, signal: AbortSignal, { wish, parts }: Context): AsyncGenerator<Piece> {
  for await (const page of listPages(parts.buckets, within(wish, prefix))) {
    if (signal.aborted) return;
    const logs = page.filter(({ key }) => isLogFile(key));
    const known = logs.length === 0 ? new Set<string>() : await parts.known(wish.bucket, logs);
    if (known.size > 0) yield { kind: 'known', count: known.size };
    for (const { key, size, etag } of logs) {
      if (known.has(key)) continue;
      yield* piecesOf({ ...within(wish, key), etag, size }, parts);
    }
  }
}

/** A large object is streamed here, and delivered in chunks that bring their records along. */
async function* piecesOf(object: TrailObject & { readonly size: number }, { buckets, limits }: TrailParts): AsyncGenerator<Piece> {
  const of = `s3://${object.bucket}/${object.key}`;
  try {
    if (await isReadWhole(buckets, object, limits)) {
      yield { kind: 'delivery', of, isFirst: true, locator: toLocator(object), payload: null, quarantined: [] };
      return;
    }
    let isFirst = true;
    for await (const chunk of cutIntoChunks(toLocator(object), readObject(buckets, object), limits)) {
      yield { kind: 'delivery', of, isFirst, ...chunk };
      isFirst = false;
    }
  } catch (error) {
    if (!(error instanceof KmswatchError || error instanceof ObjectGone)) throw error;
    yield { kind: 'failed', of, reason: error.message };
  }
}
