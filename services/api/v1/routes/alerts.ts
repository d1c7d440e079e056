import { z } from 'zod';
import { SEVERITIES } from '../../../core/severity.ts';
import { listGroups } from '../../../store/alerts-read.ts';
import { alertGroupJson } from '../../json/alert-group.ts';
import { limit, list, maybeTime } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const groupSchema = z
  .object({
    group_key: z.string(),
    receiver: z.string(),
    labels: z.record(z.string(), z.string()),
    severity: z.enum(SEVERITIES),
    title: z.string(),
    open: z.int(),
    acknowledged: z.int(),
    suppressed: z.int(),
    resolved: z.int(),
    next_at: maybeTime,
    last_told: z
      .object({
        state: z.string(),
        reason: z.string(),
        attempts: z.int(),
        created_at: maybeTime,
        settled_at: maybeTime,
        next_attempt_at: maybeTime,
        error: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'AlertGroup' });

export function alertRoutes(app: Api, { service: { deps } }: RouteContext): void {
  app.get(
    '/alerts',
    {
      schema: {
        summary: 'Groups of findings, whom they are told to, and how that went',
        tags: ['alerts'],
        querystring: z.object({ receiver: list(z.string().max(200)), limit }),
        response: { 200: z.object({ items: z.array(groupSchema) }) },
      },
    },
    async ({ query }) => {
      const groups = await listGroups(deps.pool, { limit: query.limit, ...(query.receiver && { receivers: query.receiver }) });
      return { items: groups.map((group) => alertGroupJson(group) as z.output<typeof groupSchema>) };
    },
  );
}
