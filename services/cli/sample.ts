/**
 * The first start of a database shows what kmswatch does: a month of one made-up company, which ends at that moment. Its end is
 * remembered before anything is written, so that a start that was cut short begins again with the same records.
 */
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Json } from '../core/json.ts';
import { createReplaySource } from '../sources/replay/replay.ts';
import { hasBatches } from '../store/read/batches.ts';
import { readSetting, writeSetting } from '../store/settings.ts';
import { type Replayed, replay } from '../workers/replay.ts';
import { runUnder } from '../workers/loop.ts';
import type { Service } from '../workers/service.ts';
import { number } from '../api/text/words.ts';
import type { App } from './app.ts';
import { writeMonth } from './month-files.ts';
import { bar } from './status-line.ts';

const SETTING = 'sample';
const SEED = 'kmswatch';
/** Longer than CloudTrail's own files: the first start should not take long. */
const FILE_MINUTES = 1_440;
/** Held while the sample is replayed, so that of two processes that start together one does it. */
const LOCK = [7_254_904, 1];

export interface Sample {
  readonly end: number;
  readonly complete: boolean;
}

/** Plays the sample if this is the first start, or the first was cut short. @returns null when there was nothing to do or it was interrupted */
export async function playSample(app: App, service: Service): Promise<Replayed | null> {
  const client = await service.deps.pool.connect();
  try {
    const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', LOCK);
    if (rows[0]?.got !== true) return null;
    const sample = await due(service);
    if (!sample) return null;
    const replayed = await runUnder(service.lifecycle, 'sample', (signal) => play(app, { service, sample, signal }));
    if (replayed) await writeSetting(service.deps.pool, SETTING, { end: sample.end, complete: true });
    return replayed;
  } finally {
    // Closing the connection gives the lock back, whatever state the statements are in.
    client.release(true);
  }
}

async function due({ deps }: Service): Promise<Sample | null> {
  const known = asSample(await readSetting(deps.pool, SETTING));
  if (known) return known.complete ? null : known;
  if (await hasBatches(deps.pool)) return null;
  const sample: Sample = { end: deps.clock.now(), complete: false };
  await writeSetting(deps.pool, SETTING, { ...sample });
  return sample;
}

async function play(
  app: App,
  { service, sample, signal }: { service: Service; sample: Sample; signal: AbortSignal },
): Promise<Replayed | null> {
  const { deps, config, logger } = service;
  const folder = join(resolve(app.directory, config.data_dir), 'sample');
  const { level } = logger;
  // What is found is printed as a table when all of it is there; the outbox would print it line by line as well.
  if (level === 'info') logger.level = 'warn';
  try {
    const written = await writeMonth(
      folder,
      { seed: SEED, end: sample.end, fileMinutes: FILE_MINUTES },
      {
        signal,
        onFile: ({ files, records }) =>
          app.status.show(`Writing a month of sample records: ${number(files)} files, ${number(records)} records`),
      },
    );
    const source = createReplaySource({ paths: [folder], stdin: null, limits: deps.limits });
    return await replay(deps, {
      source,
      runId: `sample-${randomUUID()}`,
      inFlight: config.ingest.in_flight,
      asOf: 'now',
      signal,
      logger,
      onCounts: (counts) => {
        const done = counts.deliveries - counts.unfinished;
        app.status.show(`Replaying the sample ${bar(done, written.files)}  ${number(counts.records)} records`);
      },
    });
  } finally {
    logger.level = level;
    app.status.clear();
  }
}

function asSample(value: Json): Sample | null {
  if (typeof value !== 'object' || value === null || !('end' in value) || typeof value.end !== 'number') return null;
  return { end: value.end, complete: value.complete === true };
}
