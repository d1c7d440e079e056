import { randomUUID } from 'node:crypto';
import { visible } from '../../api/text/visible.ts';
import { counted, number, when } from '../../api/text/words.ts';
import type { Json } from '../../core/json.ts';
import { monotonicMs } from '../../platform/clock.ts';
import { dayName } from '../../sources/backfill/days.ts';
import { oldestLookup } from '../../sources/backfill/history.ts';
import { createBackfillSource } from '../../sources/backfill/source.ts';
import type { Plan } from '../../sources/backfill/stretch.ts';
import { FAILURES_NAMED, type Tally } from '../../sources/backfill/tally.ts';
import { KEPT_DAYS } from '../../sources/event-history.ts';
import type { RunCounts } from '../../store/batches.ts';
import { readCheckpoint, writeCheckpoint } from '../../store/checkpoints.ts';
import { runBackfill } from '../../workers/backfill.ts';
import { planHistoryBackfill, planTrailBackfill } from '../../workers/backfill-plan.ts';
import { runUnder } from '../../workers/loop.ts';
import { patiently } from '../../workers/patience.ts';
import { startWorkers } from '../../workers/processors.ts';
import type { Replayed } from '../../workers/replay.ts';
import type { Service } from '../../workers/service.ts';
import { type App, Interrupted } from '../app.ts';
import { printJson } from '../json.ts';
import { withService } from '../opened.ts';
import { printRemark } from '../problem.ts';
import { bar } from '../status-line.ts';
import { table } from '../table.ts';

export interface BackfillOptions {
  readonly from: number;
  readonly to: number;
  readonly source: 's3' | 'lookup';
  readonly accounts?: readonly string[];
  readonly regions?: readonly string[];
  readonly bucket?: string;
  readonly prefix?: string;
  readonly organizationId?: string;
  readonly bucketRegion?: string;
  readonly parallel: number;
  readonly again?: boolean;
  readonly json?: boolean;
}

const NOTHING: Tally = { days: { total: 0, done: 0, before: 0 }, objects: 0, skipped: 0, failed: 0, failures: [] };

/** What is wrong with asking the event history for a time before `from`; null when nothing is. */
export function oldestPossible(from: number, now: number): string | null {
  const oldest = oldestLookup(now);
  // The day on which they end is still asked for.
  if (from >= Date.parse(dayName(oldest))) return null;
  return `the event history reaches back ${KEPT_DAYS} days, to ${when(oldest)}: give --from ${dayName(oldest)} or later, or --source s3 for log files of a trail`;
}

/** Reads the past, judges as of now, and prints what came of it. */
export async function backfill(app: App, options: BackfillOptions): Promise<void> {
  await withService(app, { judgeBy: 'clock', name: 'backfill', quiet: true }, async (service) => {
    const startedAt = monotonicMs();
    await startWorkers(service, ['ingest', 'detect']);
    app.status.show('Looking for what there is …');
    // What it opens is closed after the reading, which begins later.
    const plan = await planOf(service, options, service.lifecycle.signal);
    let tally = NOTHING;
    const done = await runUnder(service.lifecycle, 'backfill', (signal) =>
      play(app, service, { plan, options, signal, onProgress: (now) => (tally = now) }),
    );
    app.status.clear();
    if (!done) throw new Interrupted();
    const outcome = { tally, replayed: done, elapsedMs: Math.round(monotonicMs() - startedAt) };
    if (options.json) printJson(app.out.stdout, outcomeJson(outcome));
    else printOutcome(app, outcome);
    printFailures(app, tally);
    app.finish(tally.failed > 0 ? 1 : 0);
  });
}

async function planOf(service: Service, options: BackfillOptions, signal: AbortSignal): Promise<Plan> {
  const { from, to, accounts = null, regions = null, bucket = null, prefix = null, organizationId = null, bucketRegion = null } = options;
  if (options.source === 'lookup') return await planHistoryBackfill(service, { from, to, accounts, regions });
  return await planTrailBackfill(
    service,
    { from, to, accounts, regions, bucket, prefix, organization: organizationId, bucketRegion },
    signal,
  );
}

interface Play {
  readonly plan: Plan;
  readonly options: BackfillOptions;
  readonly signal: AbortSignal;
  readonly onProgress: (tally: Tally) => void;
}

async function play(app: App, { deps, config, logger }: Service, { plan, options, signal, onProgress }: Play): Promise<Replayed | null> {
  const progress = new Progress(app);
  const source = createBackfillSource({
    name: options.source === 's3' ? 's3-trail' : 'lookup-events',
    plan,
    parallel: options.parallel,
    again: options.again === true,
    clock: deps.clock,
    checkpoints: {
      read: (name) => patiently(() => readCheckpoint(deps.pool, name), signal),
      write: (name, value) => patiently(() => writeCheckpoint(deps.pool, name, { value, at: deps.clock.now() }), signal),
    },
    onProgress: (tally) => {
      onProgress(tally);
      progress.show({ tally });
    },
  });
  return await runBackfill(deps, {
    source,
    runId: `backfill-${randomUUID()}`,
    inFlight: config.ingest.in_flight,
    signal,
    logger,
    onCounts: (counts) => progress.show({ counts }),
  });
}

/** The line that says how far it is. */
class Progress {
  readonly #app: App;
  readonly #startedAt = monotonicMs();
  #tally: Tally = NOTHING;
  #counts: RunCounts | null = null;

  constructor(app: App) {
    this.#app = app;
  }

  show(news: { readonly tally?: Tally; readonly counts?: RunCounts }): void {
    this.#tally = news.tally ?? this.#tally;
    this.#counts = news.counts ?? this.#counts;
    this.#app.status.show(progressLine(this.#tally, { events: this.#counts?.relevant ?? 0, elapsedMs: monotonicMs() - this.#startedAt }));
  }
}

/** `[███─────────────────]  15 % 46 of 310 days, 12,034 objects (120 known), 4,120 events/s, 6 min left` */
export function progressLine(
  { days, objects, skipped, failed }: Tally,
  { events, elapsedMs }: { readonly events: number; readonly elapsedMs: number },
): string {
  const done = days.done + days.before;
  const rate = elapsedMs > 0 ? (events / elapsedMs) * 1000 : 0;
  const known = skipped > 0 ? ` (${number(skipped)} known)` : '';
  const wrong = failed > 0 ? `, ${number(failed)} failed` : '';
  return `${bar(done, days.total)} ${number(done)} of ${counted(days.total, 'day')}, ${counted(objects, 'object')}${known}${wrong}, ${number(rate)} events/s${left(days, elapsedMs)}`;
}

function left({ total, done, before }: Tally['days'], elapsedMs: number): string {
  const rest = total - done - before;
  if (done === 0 || rest <= 0) return '';
  const seconds = Math.ceil(((elapsedMs / done) * rest) / 1000);
  if (seconds < 90) return `, ${number(seconds)} s left`;
  return seconds < 5_400 ? `, ${number(seconds / 60)} min left` : `, ${(seconds / 3600).toFixed(1)} h left`;
}

interface Outcome {
  readonly tally: Tally;
  readonly replayed: Replayed;
  readonly elapsedMs: number;
}

function countsOf({ tally: { days, objects, skipped, failed }, replayed: { counts } }: Outcome): Readonly<Record<string, number>> {
  const { records, relevant, new: fresh, duplicates, conflicts, quarantined } = counts;
  return { days: days.done, objects, skipped, records, relevant, new: fresh, duplicates, conflicts, quarantined, failed };
}

function outcomeJson(outcome: Outcome): Json {
  const { days, failures } = outcome.tally;
  return {
    ...countsOf(outcome),
    days_done_before: days.before,
    failures: failures.map(({ object, reason }) => ({ object, reason })),
    elapsed_ms: outcome.elapsedMs,
  };
}

function printOutcome({ out: { stdout } }: App, outcome: Outcome): void {
  const counts = countsOf(outcome);
  const columns = Object.keys(counts).map((name) => ({ head: name.toUpperCase(), align: 'right' as const }));
  stdout.write(table(stdout, columns, [Object.values(counts).map((value) => number(value))]));
  const { before } = outcome.tally.days;
  const earlier = before > 0 ? ` ${counted(before, 'day was', 'days were')} done before; --again reads them too.` : '';
  stdout.write(`Took ${(outcome.elapsedMs / 1000).toFixed(1)} s.${earlier}\n`);
}

function printFailures({ out: { stderr } }: App, { failed, failures }: Tally): void {
  for (const { object, reason } of failures) printRemark(stderr, `${visible(object, 1100)}: ${visible(reason, 600)}`);
  if (failed > FAILURES_NAMED) printRemark(stderr, `and ${number(failed - FAILURES_NAMED)} more.`);
  if (failed > 0) printRemark(stderr, 'Give the same command again when the cause is mended: days that are done are not read again.');
}
