import { z } from 'zod';
import { DAY } from '../../../core/clock.ts';
import { summarizeSources } from '../../../store/read/batches.ts';
import { readCoverage } from '../../../store/read/coverage.ts';
import { VERSION } from '../../../workers/version.ts';
import { iso } from '../../text/words.ts';
import { Problem, problemSchema } from '../problem.ts';
import { instant, maybeTime, name } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const CELLS_LIMIT = 20_000;
const LONGEST_SPAN = 92 * DAY;

const sourceSchema = z
  .object({
    source: z.string(),
    deliveries: z.number(),
    records: z.number(),
    relevant: z.number(),
    new: z.number(),
    duplicates: z.number(),
    conflicts: z.number(),
    quarantined: z.number(),
    failed: z.number(),
    unfinished: z.number(),
    last_stored_at: maybeTime,
    newest_event_at: maybeTime,
  })
  .meta({ id: 'Source' });

const hourSchema = z
  .object({
    account: z.string(),
    region: z.string(),
    source: z.string(),
    hour: maybeTime,
    deliveries: z.int(),
    events: z.int(),
    complete: z.boolean(),
    partial: z.boolean().meta({ description: 'The source cannot show read-only calls.' }),
    verified: z.int(),
    missing: z.int(),
    gap: z.string().nullable(),
  })
  .meta({ id: 'CoverageHour' });

export function sourceRoutes(app: Api, { service: { deps } }: RouteContext): void {
  app.get(
    '/sources',
    {
      schema: {
        summary: 'What has come by which source',
        tags: ['sources'],
        response: { 200: z.object({ items: z.array(sourceSchema) }) },
      },
    },
    async () => ({
      items: (await summarizeSources(deps.pool)).map(({ lastStoredAt, newestEvent, oldestEvent: _oldest, ...rest }) => ({
        ...rest,
        last_stored_at: iso(lastStoredAt),
        newest_event_at: iso(newestEvent),
      })),
    }),
  );
  app.get(
    '/coverage',
    {
      schema: {
        summary: 'What was seen, account by account and hour by hour; at most 20,000 hours',
        tags: ['sources'],
        querystring: z.object({
          from: instant.optional().meta({ description: 'Default: one day before `to`.' }),
          to: instant.optional(),
          account: name.optional(),
          region: name.optional(),
          source: name.optional(),
        }),
        response: { 200: z.object({ items: z.array(hourSchema), truncated: z.boolean() }), 400: problemSchema },
      },
    },
    async ({ query }) => {
      const to = query.to ?? deps.clock.now();
      const from = query.from ?? to - DAY;
      if (from >= to || to - from > LONGEST_SPAN) throw new Problem('invalid-request', 'from must lie before to, and at most 92 days.');
      const { account, region, source } = query;
      const rows = await readCoverage(deps.pool, { from, to, account, region, source }, CELLS_LIMIT + 1);
      return {
        items: rows.slice(0, CELLS_LIMIT).map((row) => ({
          account: row.account,
          region: row.region,
          source: row.source,
          hour: iso(row.hour),
          deliveries: row.deliveries,
          events: row.events,
          complete: row.complete,
          partial: row.partial,
          verified: row.verified,
          missing: row.missing,
          gap: row.gap,
        })),
        truncated: rows.length > CELLS_LIMIT,
      };
    },
  );
  app.get(
    '/health',
    {
      schema: {
        summary: 'Whether the parts work',
        tags: ['sources'],
        response: { 200: z.object({ version: z.string(), database: z.boolean(), queues: z.boolean() }) },
      },
    },
    async () => {
      const works = async (check: Promise<unknown>): Promise<boolean> =>
        check.then(
          () => true,
          () => false,
        );
      const [database, queues] = await Promise.all([works(deps.pool.query('SELECT')), works(deps.queues.ping())]);
      return { version: VERSION, database, queues };
    },
  );
}
