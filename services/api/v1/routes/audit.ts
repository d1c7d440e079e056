import { z } from 'zod';
import { readAudit } from '../../../store/audit.ts';
import { iso } from '../../text/words.ts';
import { cursorParameter, decodeCursor, encodeCursor } from '../cursor.ts';
import { problemSchema } from '../problem.ts';
import { anything, limit, maybeTime, page } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const entrySchema = z
  .object({
    id: z.int(),
    at: maybeTime,
    principal: z.string(),
    scope: z.string(),
    action: z.string(),
    target: z.string().nullable(),
    detail: anything,
  })
  .meta({ id: 'AuditEntry' });

export function auditRoutes(app: Api, { service: { deps } }: RouteContext): void {
  app.get(
    '/audit',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'What was changed through the API, the latest first',
        tags: ['audit'],
        querystring: z.object({ limit, cursor: cursorParameter }),
        response: { 200: page(entrySchema), 400: problemSchema, 403: problemSchema },
      },
    },
    async ({ query }) => {
      const [before] = decodeCursor(query.cursor, z.tuple([z.int().min(0)])) ?? [null];
      const entries = await readAudit(deps.pool, { before, limit: query.limit + 1 });
      const shown = entries.slice(0, query.limit);
      return {
        items: shown.map(({ at, ...entry }) => ({ ...entry, at: iso(at) })),
        next: encodeCursor(entries.length > shown.length ? [shown.at(-1)?.id ?? 0] : null),
      };
    },
  );
}
