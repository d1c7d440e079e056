import { z } from 'zod';
import { DAY } from '../../../core/clock.ts';
import { SEVERITIES } from '../../../core/severity.ts';
import { detectorHealth } from '../../../workers/detector-health.ts';
import { iso } from '../../text/words.ts';
import { maybeTime } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const LATELY = 30 * DAY;

const detectorSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    severity: z.enum(SEVERITIES),
    status: z.string(),
    family: z.string(),
    kind: z.string(),
    events: z.array(z.string()),
    techniques: z.array(z.string()),
    blind_spots: z.array(z.string()),
    false_positives: z.array(z.string()),
    last_evaluated_at: maybeTime,
    last_fired_at: maybeTime,
    open_findings: z.int(),
    evaluations: z.number(),
    mean_milliseconds: z.number().nullable(),
    arrival: z.enum(['arriving', 'not-seen', 'cannot-arrive', 'nothing-needed']),
    reason: z.string(),
  })
  .meta({ id: 'Detector' });

export function detectorRoutes(app: Api, { service: { deps, config } }: RouteContext): void {
  app.get(
    '/detectors',
    {
      schema: {
        summary: 'The enabled detectors, and whether each could have fired',
        tags: ['detectors'],
        response: { 200: z.object({ items: z.array(detectorSchema) }) },
      },
    },
    async () => {
      const { detectors } = deps;
      const healths = await detectorHealth(deps.pool, { detectors, sources: config.sources, since: deps.clock.now() - LATELY });
      return {
        items: detectors.map(({ detector }, index) => {
          const health = healths[index];
          return {
            id: detector.id,
            title: detector.title,
            severity: detector.severity,
            status: detector.status,
            family: detector.family,
            kind: detector.kind,
            events: [...detector.events],
            techniques: [...detector.techniques],
            blind_spots: [...detector.blindSpots],
            false_positives: [...detector.falsePositives],
            last_evaluated_at: iso(health?.evaluatedAt),
            last_fired_at: iso(health?.firedAt),
            open_findings: health?.open ?? 0,
            evaluations: health?.evaluations ?? 0,
            mean_milliseconds: health?.meanMilliseconds ?? null,
            arrival: health?.arrival.standing ?? 'not-seen',
            reason: health?.arrival.reason ?? '',
          };
        }),
      };
    },
  );
}
