import { z } from 'zod';
import { DAY } from '../../../core/clock.ts';
import { OUTCOMES } from '../../../core/event.ts';
import { readEvidence } from '../../../store/evidence.ts';
import { type EventListed, readEvent, searchEvents } from '../../../store/read/events.ts';
import { cursorParameter, decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem, problemSchema } from '../problem.ts';
import { eventSchema, instant, limit, name, page } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';
import { parsed } from './findings.ts';

/** A question without a beginning reaches back so far. */
const DEFAULT_SPAN = 7 * DAY;
const LONGEST_SPAN = 400 * DAY;

const cursor = z.tuple([z.int().min(0).max(8e15), z.uuid(), z.int().min(0), z.int().min(0)]);

export function eventRoutes(app: Api, { service: { deps }, audit }: RouteContext): void {
  app.get(
    '/events',
    {
      schema: {
        summary: 'Events by key, actor, operation and time, the latest first',
        tags: ['events'],
        querystring: z.object({
          from: instant.optional().meta({ description: 'Default: seven days before `to`.' }),
          to: instant.optional().meta({ description: 'Not included. Default: now.' }),
          key_arn: name.optional(),
          actor: name.optional(),
          operation: name.optional().meta({ description: '`Decrypt`, of KMS, or `service:Operation`.' }),
          account: name.optional(),
          region: name.optional(),
          outcome: z.enum(OUTCOMES).optional(),
          limit,
          cursor: cursorParameter,
        }),
        response: { 200: page(eventSchema), 400: problemSchema, 503: problemSchema },
      },
    },
    async ({ query }) => {
      const to = query.to ?? deps.clock.now() + DAY;
      const from = query.from ?? to - DEFAULT_SPAN - DAY;
      if (from >= to) throw new Problem('invalid-request', 'from must lie before to.');
      if (to - from > LONGEST_SPAN) throw new Problem('invalid-request', 'from and to may lie 400 days apart at most.');
      const { key_arn: keyArn, actor, operation, account, region, outcome } = query;
      const { events, next } = await searchEvents(
        deps.pool,
        { from, to, keyArn, actor, operation, account, region, outcome },
        { limit: query.limit, after: decodeCursor(query.cursor, cursor) },
      );
      return { items: events.map(eventJson), next: encodeCursor(next) };
    },
  );
  app.get(
    '/events/:id',
    {
      schema: {
        summary: 'One event, every telling of it, and with record=true the record as CloudTrail wrote it',
        tags: ['events'],
        params: z.object({ id: name }),
        querystring: z.object({ record: z.enum(['true', 'false']).default('false') }),
        response: {
          200: z.object({
            tellings: z.array(eventSchema),
            records: z
              .array(z.object({ source: z.string(), batch: z.int(), ordinal: z.int(), evidence_sha256: z.string(), record: z.unknown() }))
              .optional(),
          }),
          403: problemSchema,
          404: problemSchema,
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const tellings = await readEvent(deps.pool, id);
      if (tellings.length === 0) throw new Problem('not-found', 'No event with this id is stored.');
      if (request.query.record === 'false') return { tellings: tellings.map(eventJson) };
      const evidence = await readEvidence(deps.pool, [id]);
      // Records hold encryption contexts, which may be personal data: who looked is on record.
      await audit(request, { action: 'record.read', target: id });
      return {
        tellings: tellings.map(eventJson),
        records: evidence.map(({ source, batchId, ordinal, evidenceSha256, text }) => ({
          source,
          batch: batchId,
          ordinal,
          evidence_sha256: evidenceSha256,
          record: parsed(text),
        })),
      };
    },
  );
}

function eventJson(event: EventListed): z.output<typeof eventSchema> {
  return {
    event_id: event.eventId,
    event_time: new Date(event.eventTime).toISOString(),
    account: event.account,
    region: event.region,
    service: event.service,
    operation: event.operation,
    operation_class: event.operationClass,
    outcome: event.outcome,
    error_code: event.errorCode,
    actor: event.actor,
    key_arn: event.keyArn,
    session: event.session,
    calling_service: event.callingService,
    network: event.network,
    user_agent: event.userAgent,
    encryption_context: event.contextShape,
  };
}
