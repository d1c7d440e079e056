/** What a batch tells the coverage ledger. */
import type pg from 'pg';
import { HOUR } from '../core/clock.ts';
import { countLag } from '../core/lag.ts';
import { plainArray } from './array.ts';
import { addCoverage, type CoverageCell, type CoverageCounts } from './coverage.ts';
import type { EventRow } from './events.ts';

export interface SightedBatch {
  readonly batchId: number;
  readonly source: string;
  readonly storedAt: number;
  /** An hour of which the delivery shows that the source is alive, though it may hold nothing of interest. */
  readonly heard?: Omit<CoverageCell, 'source'> | null | undefined;
}

/** Calls that a rule of EventBridge leaves out unless it is told otherwise: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html */
const MERE_READ = /^(Describe|Get|List)/;

interface Tally {
  events: number;
  reads: number;
  lastAt: number | null;
  lastEvent: string | null;
  readonly lag: number[];
}

/** Events of a batch by cell. */
class Sightings {
  readonly #batch: SightedBatch;
  readonly #cells = new Map<string, { readonly cell: CoverageCell; readonly tally: Tally }>();

  constructor(batch: SightedBatch) {
    this.#batch = batch;
  }

  /** That a cell is there; nothing is counted. */
  touch({ event }: EventRow): Tally {
    const hour = Math.floor(event.eventTime / HOUR) * HOUR;
    const name = `${hour} ${event.account} ${event.region}`;
    let entry = this.#cells.get(name);
    if (!entry) {
      const { account, region } = event;
      const tally = { events: 0, reads: 0, lastAt: null, lastEvent: null, lag: [] };
      this.#cells.set(name, (entry = { cell: { account, region, hour, source: this.#batch.source }, tally }));
    }
    return entry.tally;
  }

  count(row: EventRow): void {
    const tally = this.touch(row);
    tally.events += 1;
    if (row.event.readOnly === true && MERE_READ.test(row.event.operation)) tally.reads += 1;
    const isLater = tally.lastAt === null || row.eventTime > tally.lastAt;
    if (isLater || (row.eventTime === tally.lastAt && row.eventUuid > (tally.lastEvent ?? ''))) {
      tally.lastAt = row.eventTime;
      tally.lastEvent = row.eventUuid;
    }
    // A replay's events are old by nature; their age says nothing about how fast we are.
    if (this.#batch.source !== 'replay') countLag(tally.lag, Math.max(0, this.#batch.storedAt - row.eventTime) / 1000);
  }

  /** @param isCounted whether the cell's delivery counts already */
  counts(isCounted: (cell: CoverageCell) => boolean): CoverageCounts[] {
    return [...this.#cells.values()].map(({ cell, tally }) => {
      return { ...cell, ...tally, deliveries: tally.events > 0 && !isCounted(cell) ? 1 : 0, heard: false };
    });
  }
}

/**
 * Adds what the batch's source shows for the first time: events that are new, and known ones that only others had shown. Constant
 * number of statements. The batch's observations must be there already.
 */
export async function addSightings(
  client: pg.ClientBase,
  batch: SightedBatch,
  { rows, fresh }: { readonly rows: readonly EventRow[]; readonly fresh: ReadonlySet<number> },
): Promise<void> {
  const first = new Sightings(batch);
  const known: EventRow[] = [];
  for (const row of rows) {
    if (fresh.has(row.ordinal)) first.count(row);
    else {
      // Its cell is locked before it is asked who has shown the event: another batch of this source may be about to.
      first.touch(row);
      known.push(row);
    }
  }
  const counts = first.counts(() => false);
  await addCoverage(client, withHeard(counts, batch), batch.storedAt);
  if (known.length === 0) return;
  const again = new Sightings(batch);
  for (const row of await unseenBySource(client, batch, distinct(known))) again.count(row);
  const counted = new Set(counts.filter(({ deliveries }) => deliveries > 0).map(nameOf));
  await addCoverage(
    client,
    again.counts((cell) => counted.has(nameOf(cell))),
    batch.storedAt,
  );
}

function withHeard(counts: CoverageCounts[], { heard, source }: SightedBatch): CoverageCounts[] {
  if (!heard) return counts;
  const name = nameOf(heard);
  const nothing = { deliveries: 0, events: 0, reads: 0, lastAt: null, lastEvent: null, lag: [] };
  if (!counts.some((cell) => nameOf(cell) === name)) return [...counts, { ...heard, ...nothing, source, heard: true }];
  return counts.map((cell) => (nameOf(cell) === name ? { ...cell, heard: true } : cell));
}

function nameOf({ account, region, hour }: Omit<CoverageCell, 'source'>): string {
  return `${hour} ${account} ${region}`;
}

/** One row for each event: a batch may hold one twice. */
function distinct(rows: readonly EventRow[]): EventRow[] {
  return [...new Map(rows.map((row) => [`${row.eventUuid} ${row.essence} ${row.eventTime}`, row])).values()];
}

/** Rows of events that no other batch of this source has shown. */
async function unseenBySource(client: pg.ClientBase, { batchId, source }: SightedBatch, rows: readonly EventRow[]): Promise<EventRow[]> {
  // Scalar subqueries, so that it stays at two index look-ups an event whatever the planner thinks of the tables' sizes.
  const { rows: found } = await client.query<{ n: number }>({
    name: 'unseen-by-source',
    text: `SELECT n::int FROM unnest($1::uuid[], $2::bigint[], $3::float8[]) WITH ORDINALITY AS i(id, es, t, n)
      WHERE (SELECT b.source FROM event e JOIN ingest_batch b ON b.id = e.batch_id
          WHERE e.event_id = i.id AND e.essence = i.es AND e.event_time = to_timestamp(i.t / 1000.0) LIMIT 1) IS DISTINCT FROM $4
        AND (SELECT o.batch_id FROM observation o JOIN ingest_batch b ON b.id = o.batch_id
          WHERE o.event_id = i.id AND o.essence = i.es AND o.batch_id <> $5 AND b.source = $4 LIMIT 1) IS NULL`,
    values: [
      plainArray(rows.map((row) => row.eventUuid)),
      plainArray(rows.map((row) => row.essence)),
      plainArray(rows.map((row) => row.eventTime)),
      source,
      batchId,
    ],
  });
  return found.flatMap(({ n }) => rows[n - 1] ?? []);
}
