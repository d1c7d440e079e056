import { randomUUID } from 'node:crypto';
import { counted, number } from '../../api/text/words.ts';
import { runUnder } from '../../workers/loop.ts';
import { startWorkers } from '../../workers/processors.ts';
import type { AsOf } from '../../workers/replay.ts';
import { retryQuarantine, type Retried } from '../../workers/retry.ts';
import type { Service } from '../../workers/service.ts';
import { type App, Interrupted } from '../app.ts';
import { printJson } from '../json.ts';
import { withService } from '../opened.ts';
import { printRemark } from '../problem.ts';

export interface RetryOptions {
  readonly all?: boolean;
  readonly asOf: AsOf;
  readonly json?: boolean;
}

/** Processes quarantined inputs again; `ids` null = all that wait. */
export async function retry(app: App, ids: readonly number[] | null, options: RetryOptions): Promise<void> {
  await withService(app, { judgeBy: 'events', name: 'quarantine', quiet: true }, (service) => tryAgain(app, service, { ids, options }));
}

async function tryAgain(
  app: App,
  service: Service,
  { ids, options }: { ids: readonly number[] | null; options: RetryOptions },
): Promise<void> {
  const { config, logger } = service;
  await startWorkers(service, ['ingest', 'detect']);
  const retried = await runUnder(service.lifecycle, 'retry', (signal) =>
    retryQuarantine(service, {
      ids,
      runId: `retry-${randomUUID()}`,
      inFlight: config.ingest.in_flight,
      asOf: options.asOf,
      signal,
      logger,
    }),
  );
  app.status.clear();
  if (!retried) throw new Interrupted();
  report(app, retried, options);
}

function report(app: App, { tried, released, unusable, unknown }: Retried, { json }: RetryOptions): void {
  const { stdout, stderr } = app.out;
  if (json) printJson(stdout, { tried, released, still_quarantined: tried - released, unusable: [...unusable], unknown: [...unknown] });
  else
    stdout.write(
      `${counted(tried, 'input was', 'inputs were')} tried again: ${number(released)} went through, ${number(tried - released)} did not.\n`,
    );
  if (unusable.length > 0) printRemark(stderr, `What was kept of ${listed(unusable)} does not help; replay the files that it came from.`);
  if (unknown.length > 0) printRemark(stderr, `Nothing waits under ${listed(unknown)}.`);
  app.finish(unknown.length > 0 ? 1 : 0);
}

function listed(ids: readonly number[]): string {
  const more = ids.length - 20;
  return `${ids.slice(0, 20).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
