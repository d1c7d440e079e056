import { randomUUID } from 'node:crypto';
import { bytes, counted, number, when } from '../../api/text/words.ts';
import type { Json } from '../../core/json.ts';
import { createReplaySource, type ReplayProgress } from '../../sources/replay/replay.ts';
import { checkPaths } from '../../sources/replay/walk.ts';
import { readFailedBatches, unreadableOfRun } from '../../store/read/batches.ts';
import { findingsByDetector } from '../../store/read/findings.ts';
import { runUnder } from '../../workers/loop.ts';
import { type AsOf, type Replayed, replay } from '../../workers/replay.ts';
import type { Service } from '../../workers/service.ts';
import { startWorkers } from '../../workers/processors.ts';
import { type App, Interrupted } from '../app.ts';
import { printFound } from '../found.ts';
import { printJson } from '../json.ts';
import { withService } from '../opened.ts';
import { printRemark } from '../problem.ts';

const FINDINGS_SHOWN = 20;

export interface ReplayOptions {
  readonly asOf: AsOf;
  readonly json?: boolean;
}

/** Ingests files and folders, judges, and prints what came of it. */
export async function replayPaths(app: App, paths: readonly string[], options: ReplayOptions): Promise<void> {
  await checkPaths(paths.filter((path) => path !== '-'));
  await withService(app, { judgeBy: 'events', name: 'replay', quiet: true }, async (service) => {
    const runId = `replay-${randomUUID()}`;
    await startWorkers(service, ['ingest', 'detect']);
    const replayed = await runUnder(service.lifecycle, 'replay', (signal) =>
      play(app, service, { paths, runId, asOf: options.asOf, signal }),
    );
    app.status.clear();
    if (!replayed) throw new Interrupted();
    if (options.json) printJson(app.out.stdout, await resultJson(service, replayed));
    else await printResult(app, service, replayed);
    app.finish((await printTrouble(app, service, { runId, replayed })) ? 1 : 0);
  });
}

async function play(
  app: App,
  { deps, config, logger }: Service,
  run: { paths: readonly string[]; runId: string; asOf: AsOf; signal: AbortSignal },
): Promise<Replayed | null> {
  const { paths, runId, asOf, signal } = run;
  const stdin = paths.includes('-') ? app.stdin() : null;
  if (stdin?.isTTY) printRemark(app.out.stderr, 'Reading records from standard input; Ctrl-D ends it.');
  let read: ReplayProgress = { files: 0, bytes: 0, deliveries: 0, acknowledged: 0, failed: 0 };
  const source = createReplaySource({ paths, stdin, limits: deps.limits, onProgress: (progress) => (read = progress) });
  return await replay(deps, {
    source,
    runId,
    asOf,
    signal,
    logger,
    inFlight: config.ingest.in_flight,
    onCounts: (counts) => {
      const waiting = counts.unfinished > 0 ? `, ${number(counts.unfinished)} deliveries in work` : '';
      app.status.show(
        `Replaying: ${counted(read.files, 'file')} (${bytes(read.bytes)}) read, ${number(counts.records)} records stored${waiting}`,
      );
    },
  });
}

async function resultJson({ deps }: Service, replayed: Replayed): Promise<Json> {
  const { deliveries, records, relevant, new: fresh, duplicates, conflicts, quarantined } = replayed.counts;
  return {
    deliveries,
    records,
    relevant,
    new: fresh,
    duplicates,
    conflicts,
    quarantined,
    findings: await findingsByDetector(deps.pool),
    elapsed_ms: Math.round(replayed.elapsedMs),
    events_per_second: eventsPerSecond(replayed),
  };
}

function eventsPerSecond({ counts, elapsedMs }: Replayed): number {
  return Math.round((counts.relevant / Math.max(elapsedMs, 1)) * 1000);
}

async function printResult({ out: { stdout } }: App, { deps }: Service, replayed: Replayed): Promise<void> {
  const { counts, elapsedMs, asOf } = replayed;
  stdout.write(
    `${counted(counts.records, 'record')} in ${counted(counts.deliveries, 'delivery', 'deliveries')}, ${number(counts.relevant)} of them relevant: ${number(counts.new)} new, ${counted(counts.duplicates, 'duplicate')}, ${counted(counts.conflicts, 'conflict')}; ${number(counts.quarantined)} quarantined.\n`,
  );
  stdout.write(`Took ${(elapsedMs / 1000).toFixed(1)} s (${number(eventsPerSecond(replayed))} events/s). Judged as of ${when(asOf)}.\n`);
  await printFound(stdout, deps.pool, FINDINGS_SHOWN);
  stdout.write('`kmswatch findings` lists all, `kmswatch finding ID` explains one.\n');
}

/** Says what did not go well. @returns whether it is a failure: input that could not be read or stored at all */
async function printTrouble(app: App, { deps }: Service, { runId, replayed }: { runId: string; replayed: Replayed }): Promise<boolean> {
  const { counts } = replayed;
  const remark = (text: string): void => printRemark(app.out.stderr, text);
  if (counts.quarantined > 0)
    remark(`${counted(counts.quarantined, 'input was', 'inputs were')} put aside: \`kmswatch quarantine list\` says why.`);
  const unreadable = counts.quarantined > 0 ? await unreadableOfRun(deps.pool, runId) : 0;
  if (unreadable > 0) remark(`${counted(unreadable, 'file')} could not be read; everything else is stored.`);
  if (counts.failed === 0) return unreadable > 0;
  for (const { source, failure } of await readFailedBatches(deps.pool, { runId, limit: 5 }))
    remark(`a delivery of ${source} was given up: ${failure ?? 'no reason known'}`);
  remark(`${counted(counts.failed, 'delivery', 'deliveries')} could not be stored; replay the same paths again when the cause is mended.`);
  return true;
}
