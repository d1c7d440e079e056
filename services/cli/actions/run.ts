import { counted, number, when } from '../../api/text/words.ts';
import { summarizeSources } from '../../store/read/batches.ts';
import { countKeys } from '../../store/read/keys.ts';
import type { RoleName } from '../../workers/roles.ts';
import { type Started, startRoles } from '../../workers/start.ts';
import type { Service } from '../../workers/service.ts';
import type { Replayed } from '../../workers/replay.ts';
import { type App, Interrupted } from '../app.ts';
import { printFound } from '../found.ts';
import { withService } from '../opened.ts';
import { paint } from '../out.ts';
import { playSample } from '../sample.ts';

const FINDINGS_SHOWN = 30;

export interface RunOptions {
  readonly role?: readonly RoleName[];
  readonly sample: boolean;
}

/** Starts the service and keeps it up until the user interrupts. */
export async function run(app: App, options: RunOptions): Promise<void> {
  const roles = options.role ?? ['all'];
  try {
    await withService(app, { judgeBy: 'clock', name: 'run', quiet: false }, async (service) => {
      const started = await startRoles(service, roles);
      const sample = roles.includes('all') && options.sample ? await playSample(app, service) : null;
      if (!app.interrupt.aborted) await greet(app, service, { started, sample });
      await interruption(app.interrupt);
      app.status.print('Stopping …\n');
      const failures = await service.lifecycle.stop();
      app.finish(failures.length > 0 ? 1 : 0);
    });
  } catch (error) {
    // Stopped while it was still starting: that is what was asked for.
    if (!(error instanceof Interrupted)) throw error;
  }
}

async function greet(app: App, service: Service, { started, sample }: { started: Started; sample: Replayed | null }): Promise<void> {
  const { stdout } = app.out;
  if (sample) await printSample(app, service, sample);
  else await printStanding(app, service);
  stdout.write('\n');
  if (started.url === null) stdout.write(`Running ${started.roles.join(', ')}.`);
  else stdout.write(`Listening on ${paint(stdout, 'bold', started.url)}  (status page, /metrics, /healthz, /readyz).`);
  stdout.write(' Ctrl-C stops it.\n');
  if (started.url === null) return;
  stdout.write(`
In another terminal:
  npx kmswatch findings            what was found
  npx kmswatch replay ./AWSLogs    your own CloudTrail files
`);
}

async function printSample({ out: { stdout } }: App, { deps, config }: Service, { counts, elapsedMs }: Replayed): Promise<void> {
  const [keys, seconds] = [await countKeys(deps.pool), (elapsedMs / 1000).toFixed(1)];
  stdout.write(
    `This is the first start, so a month of ${paint(stdout, 'bold', 'made-up sample records')} was replayed: ${number(counts.records)} records, ${counted(keys, 'key')}, in ${seconds} s.\n`,
  );
  await printFound(stdout, deps.pool, FINDINGS_SHOWN);
  const own =
    config.database_url === undefined ? `start with another --data-dir (this one is ${config.data_dir})` : 'start on another database';
  stdout.write(`To begin without the sample, ${own} and --no-sample.\n`);
}

async function printStanding({ out: { stdout } }: App, { deps }: Service): Promise<void> {
  const sources = await summarizeSources(deps.pool);
  if (sources.length === 0) {
    stdout.write('Nothing has been ingested yet.\n');
    return;
  }
  const keys = await countKeys(deps.pool);
  for (const each of sources) {
    const waiting = each.unfinished > 0 ? `; ${counted(each.unfinished, 'delivery is', 'deliveries are')} still being worked on` : '';
    stdout.write(
      `From ${each.source}: ${number(each.records)} records in ${counted(each.deliveries, 'delivery', 'deliveries')}, the newest event ${when(each.newestEvent)}${waiting}.\n`,
    );
  }
  stdout.write(`${counted(keys, 'key is', 'keys are')} known.\n`);
  await printFound(stdout, deps.pool, 0);
}

async function interruption(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
