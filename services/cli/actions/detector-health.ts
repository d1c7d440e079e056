import { iso, number, when } from '../../api/text/words.ts';
import { DAY } from '../../core/clock.ts';
import { configureDetectors } from '../../detectors/configure.ts';
import { DETECTORS } from '../../detectors/registry.ts';
import { detectorHealth } from '../../workers/detector-health.ts';
import type { App } from '../app.ts';
import { printJson } from '../json.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';

/** How far back events are looked for. */
const LATELY = 30 * DAY;

export async function showDetectorHealth(app: App, { json }: { readonly json?: boolean }): Promise<void> {
  await withReader(app, async ({ pool, config }) => {
    const { stdout } = app.out;
    const detectors = configureDetectors(DETECTORS, config.detectors);
    const healths = await detectorHealth(pool, { detectors, sources: config.sources, since: app.clock.now() - LATELY });
    if (json) {
      printJson(
        stdout,
        healths.map((health) => ({
          id: health.detector,
          last_evaluated_at: isoOf(health.evaluatedAt),
          last_fired_at: isoOf(health.firedAt),
          open_findings: health.open,
          evaluations: health.evaluations,
          mean_milliseconds: health.meanMilliseconds,
          arrival: health.arrival.standing,
          reason: health.arrival.reason,
          events_last_seen_at: isoOf(health.arrival.lastSeenAt),
        })),
      );
      return;
    }
    const columns = [
      { head: 'DETECTOR' },
      { head: 'EVENTS' },
      { head: 'JUDGED (UTC)' },
      { head: 'FIRED (UTC)' },
      { head: 'OPEN', align: 'right' },
      { head: 'µs', align: 'right' },
      { head: 'WHY', least: 24 },
    ] as const;
    const rows = healths.map(({ detector, arrival, evaluatedAt, firedAt, open, meanMilliseconds }) => [
      detector,
      arrival.standing,
      momentOf(evaluatedAt),
      momentOf(firedAt),
      number(open),
      meanMilliseconds === null ? '' : number(Math.round(meanMilliseconds * 1_000)),
      arrival.reason,
    ]);
    stdout.write(table(stdout, columns, rows));
  });
}

function isoOf(at: number | null): string | null {
  return at === null ? null : iso(at);
}

function momentOf(at: number | null): string {
  return at === null ? 'never' : when(at).replace(' UTC', '');
}
