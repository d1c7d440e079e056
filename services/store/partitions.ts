/** Monthly partitions of `event`: made ahead for the months to come, and on demand for old records. */
import type pg from 'pg';

export interface Partitions {
  /** Makes sure that events of these times (epoch milliseconds) have a place. Costs a query only for months not seen before. */
  ensure(times: Iterable<number>): Promise<void>;
}

export function createPartitions(pool: pg.Pool): Partitions {
  const known = new Set<number>();
  return {
    async ensure(times) {
      const missing = new Set<number>();
      for (const time of times) {
        const month = monthOf(time);
        if (!known.has(month)) missing.add(month);
      }
      if (missing.size === 0) return;
      // Outside the ingest transaction: attaching a partition locks the whole table, for as long as its transaction lasts.
      for (const month of [...missing].toSorted((a, b) => a - b)) {
        await pool.query('SELECT ensure_event_partition($1)', [new Date(startOf(month))]);
        known.add(month);
      }
    },
  };
}

/** Now and the next two months: no event should wait for its partition. */
export function monthsAhead(now: number): number[] {
  const month = monthOf(now);
  return [month, month + 1, month + 2].map((each) => startOf(each));
}

/** Months since year 0. */
function monthOf(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function startOf(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}
