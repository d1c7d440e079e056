import { z } from 'zod';
import type { StoredEvent } from '../../../core/event.ts';
import type { Json } from '../../../core/json.ts';
import { findKeys, type KeyListed, readKeyPage, readKeysById, usersOfKey } from '../../../store/read/keys.ts';
import { controlEventsOfKeys } from '../../../store/timeline.ts';
import { keyAccess } from '../../../workers/key-access.ts';
import { keyAccessJson } from '../../json/key-access.ts';
import { keyUserJson } from '../../json/key-user.ts';
import { factsInOrder } from '../../json/key.ts';
import { iso } from '../../text/words.ts';
import { cursorParameter, decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem, problemSchema } from '../problem.ts';
import { anything, keyOut, keySchema, limit, maybeTime, page } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const USERS_LIMIT = 500;
const HISTORY_LIMIT = 1_000;
const params = z.object({ key: z.string().min(1).max(600).meta({ description: 'ARN, key id, alias ARN or alias name, URL-encoded.' }) });
const tags = ['keys'];

const whole = keySchema
  .extend({
    rotation_standing: z.string().nullable(),
    protects_logs: z.boolean(),
    facts: z.record(z.string(), z.object({ value: z.unknown(), as_of: maybeTime, origin: z.string(), inferred: z.boolean() })),
  })
  .meta({ id: 'KeyWhole' });

const userSchema = z
  .object({
    actor: z.string(),
    type: z.string(),
    name: z.string(),
    uses: z.number(),
    other_calls: z.number(),
    denied: z.number(),
    failed: z.number(),
    first_at: maybeTime,
    last_at: maybeTime,
  })
  .meta({ id: 'KeyUser' });

const accessSchema = z.object({
  permitted: z.array(
    z.object({
      principal: z.string(),
      account: z.string().nullable(),
      through: z.array(z.string()),
      operations: z.array(z.string()),
      limited: z.boolean(),
      grants: z.number().meta({ description: 'How many grants it has.' }),
      services: z.array(z.string()).meta({ description: 'AWS services that gave such grants, on behalf of a caller or for themselves.' }),
    }),
  ),
  account_decides: z.boolean().meta({ description: "IAM policies of the key's account may let others in." }),
  unknown: z.array(z.string()).meta({ description: 'What is not known; with any, others may be permitted too.' }),
});

export function keyRoutes(app: Api, { service: { deps } }: RouteContext): void {
  app.get(
    '/keys',
    {
      schema: {
        summary: 'Keys in order of their ARNs',
        tags,
        querystring: z.object({ limit, cursor: cursorParameter }),
        response: { 200: page(keySchema), 400: problemSchema },
      },
    },
    async ({ query }) => {
      const [after] = decodeCursor(query.cursor, z.tuple([z.string().max(600)])) ?? [''];
      const keys = await readKeyPage(deps.pool, after, query.limit + 1);
      const shown = keys.slice(0, query.limit);
      return { items: shown.map(keyOut), next: encodeCursor(keys.length > shown.length ? [shown.at(-1)?.arn ?? ''] : null) };
    },
  );
  app.get(
    '/keys/:key',
    {
      schema: {
        summary: 'One key, and how each fact is known',
        tags,
        params,
        response: { 200: whole, 400: problemSchema, 404: problemSchema },
      },
    },
    async (request) => {
      const key = await keyOf(request.params.key);
      return {
        ...keyOut(key),
        rotation_standing: key.rotationStanding,
        protects_logs: key.protectsLogs,
        facts: Object.fromEntries(
          factsInOrder(key.facts).map(({ name, fact }) => [
            name,
            { value: fact.value as Json, as_of: iso(fact.at), origin: fact.origin, inferred: fact.inferred === true },
          ]),
        ),
      };
    },
  );
  app.get(
    '/keys/:key/history',
    {
      schema: {
        summary: 'Everything that was changed about it, the latest first; at most 1,000 events',
        tags,
        params,
        response: {
          200: z.object({
            items: z.array(
              z.object({
                event_id: z.string(),
                event_time: maybeTime,
                service: z.string(),
                operation: z.string(),
                outcome: z.string(),
                actor: z.string(),
                detail: anything.nullable(),
              }),
            ),
          }),
          404: problemSchema,
        },
      },
    },
    async (request) => {
      const key = await keyOf(request.params.key);
      const events = await timelineOf(key);
      return {
        items: events
          .slice(-HISTORY_LIMIT)
          .toReversed()
          .map((event) => ({
            event_id: event.eventId,
            event_time: iso(event.eventTime),
            service: event.service,
            operation: event.operation,
            outcome: event.outcome,
            actor: event.actor.id,
            detail: event.detail as Record<string, unknown> | null,
          })),
      };
    },
  );
  app.get(
    '/keys/:key/usage',
    {
      schema: {
        summary: 'Who called it, the latest first; at most 500 actors',
        tags,
        params,
        response: { 200: z.object({ items: z.array(userSchema) }), 404: problemSchema },
      },
    },
    async (request) => ({ items: await usersOf(await keyOf(request.params.key)) }),
  );
  app.get(
    '/keys/:key/access',
    {
      schema: {
        summary: 'Who can use it, by policy and grants, and who did',
        tags,
        params,
        response: {
          200: accessSchema.extend({ used_by: z.array(userSchema) }),
          404: problemSchema,
        },
      },
    },
    async (request) => {
      const key = await keyOf(request.params.key);
      return {
        ...(keyAccessJson(await keyAccess(deps, key)) as z.output<typeof accessSchema>),
        used_by: await usersOf(key),
      };
    },
  );

  async function keyOf(named: string): Promise<KeyListed> {
    const found = await findKeys(deps.pool, named, 20);
    const ids = [...new Set(found.flatMap(({ id }) => (id === null ? [] : [id])))];
    if (ids.length > 1) throw new Problem('invalid-request', `That is several keys: ${found.flatMap(({ arn }) => arn ?? []).join(', ')}.`);
    const [key] = await readKeysById(deps.pool, ids);
    if (!key) throw new Problem('not-found', 'No record tells of such a key.');
    return key;
  }

  async function timelineOf({ id }: KeyListed): Promise<StoredEvent[]> {
    const client = await deps.pool.connect();
    try {
      return (await controlEventsOfKeys(client, [id], deps.names)).map(({ event }) => event);
    } finally {
      client.release();
    }
  }

  async function usersOf({ id }: KeyListed): Promise<z.output<typeof userSchema>[]> {
    const users = await usersOfKey(deps.pool, id, USERS_LIMIT);
    return users.map((user) => keyUserJson(user) as z.output<typeof userSchema>);
  }
}
