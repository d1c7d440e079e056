import { z } from 'zod';
import { type Matcher, parseMatcher } from '../../../alerts/matcher.ts';
import { addSilence, expireSilence, listSilences, type StoredSilence } from '../../../store/silences.ts';
import { silenceJson } from '../../json/silence.ts';
import { iso } from '../../text/words.ts';
import { Problem, problemSchema } from '../problem.ts';
import { instant, maybeTime, words } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const silenceSchema = z
  .object({
    id: z.int(),
    state: z.enum(['pending', 'active', 'expired']),
    matchers: z.array(z.string()),
    author: z.string(),
    comment: z.string(),
    created_at: maybeTime,
    starts_at: maybeTime,
    ends_at: maybeTime,
  })
  .meta({ id: 'Silence' });

export function silenceRoutes(app: Api, { service: { deps }, audit }: RouteContext): void {
  app.get(
    '/silences',
    {
      schema: {
        summary: 'What is told to nobody for a time',
        tags: ['silences'],
        querystring: z.object({ all: z.enum(['true', 'false']).default('false') }),
        response: { 200: z.object({ items: z.array(silenceSchema) }) },
      },
    },
    async ({ query }) => {
      const now = deps.clock.now();
      const silences = await listSilences(deps.pool, { now, all: query.all === 'true' });
      return { items: silences.map((silence) => out(silence, now)) };
    },
  );
  app.post(
    '/silences',
    {
      config: { scope: 'responder' },
      schema: {
        summary: 'Tell nobody of alerts that all matchers match',
        tags: ['silences'],
        body: z.object({
          matchers: z
            .array(z.string().min(1).max(1_200))
            .min(1)
            .max(20)
            .meta({ description: 'As in Alertmanager: severity="low", detector=~"key-.*".' }),
          comment: words,
          starts_at: instant.optional(),
          ends_at: instant,
        }),
        response: { 201: silenceSchema, 400: problemSchema },
      },
    },
    async (request, reply) => {
      const now = deps.clock.now();
      const { comment, ends_at: endsAt, starts_at: startsAt = now } = request.body;
      const matchers = request.body.matchers.map(matcherOf);
      if (endsAt <= startsAt || endsAt <= now)
        throw new Problem('invalid-request', 'A silence must end after it starts, and not in the past.');
      if (matchers.every((matcher) => matcher.matches({})))
        throw new Problem('invalid-request', 'At least one matcher must not match an empty label.');
      const author = request.principal.name;
      const parts = matchers.map(({ name, operator, value }) => ({ name, operator, value }));
      const added = await addSilence(deps.pool, { matchers: parts, author, comment, createdAt: now, startsAt, endsAt });
      await audit(request, {
        action: 'silence.add',
        target: String(added.id),
        detail: { matchers: request.body.matchers, comment, ends_at: iso(endsAt) },
      });
      return await reply.code(201).send(out(added, now));
    },
  );
  app.delete(
    '/silences/:id',
    {
      config: { scope: 'responder' },
      schema: {
        summary: 'End one now; what it kept quiet is told at once',
        tags: ['silences'],
        params: z.object({ id: z.coerce.number().int().min(1).max(2_147_483_647) }),
        response: { 204: z.null(), 404: problemSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!(await expireSilence(deps.pool, id, deps.clock.now())))
        throw new Problem('not-found', `There is no silence ${id} that has not ended.`);
      await audit(request, { action: 'silence.end', target: String(id) });
      return await reply.code(204).send(null);
    },
  );
}

function matcherOf(text: string): Matcher {
  const parsed = parseMatcher(text);
  if (!parsed.ok) throw new Problem('invalid-request', `A matcher ${parsed.problem}.`);
  return parsed.matcher;
}

function out(silence: StoredSilence, now: number): z.output<typeof silenceSchema> {
  return silenceJson(silence, now) as z.output<typeof silenceSchema>;
}
