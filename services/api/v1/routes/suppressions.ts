import { z } from 'zod';
import { addSuppression, endSuppression, listSuppressions } from '../../../store/suppressions.ts';
import { suppressionJson } from '../../json/suppression.ts';
import { iso } from '../../text/words.ts';
import { Problem, problemSchema } from '../problem.ts';
import { instant, maybeTime, name, words } from '../schemas.ts';
import type { Api, RouteContext } from '../v1.ts';

const tag = z
  .object({ key: name, value: z.string().max(512) })
  .nullable()
  .default(null);
const scope = z
  .object({
    detector: name.nullable().default(null),
    key_arn: name.nullable().default(null),
    actor: name.nullable().default(null),
    account: name.nullable().default(null),
    tag,
  })
  .meta({ description: 'All that is given must hold; at least one must be given.' });

const suppressionSchema = z
  .object({
    id: z.int(),
    detector: z.string().nullable(),
    key_arn: z.string().nullable(),
    actor: z.string().nullable(),
    account: z.string().nullable(),
    tag: z.object({ key: z.string(), value: z.string() }).nullable(),
    reason: z.string(),
    author: z.string(),
    findings: z.int().meta({ description: 'Findings that stand as suppressed by it.' }),
    created_at: maybeTime,
    ends_at: maybeTime,
    ended_at: maybeTime,
    ended_by: z.string().nullable(),
  })
  .meta({ id: 'Suppression' });

export function suppressionRoutes(app: Api, { service: { deps }, audit }: RouteContext): void {
  app.get(
    '/suppressions',
    {
      schema: {
        summary: 'Statements that findings are expected',
        tags: ['suppressions'],
        querystring: z.object({ all: z.enum(['true', 'false']).default('false') }),
        response: { 200: z.object({ items: z.array(suppressionSchema) }) },
      },
    },
    async ({ query }) => ({
      items: (await listSuppressions(deps.pool, { at: deps.clock.now(), all: query.all === 'true' })).map(
        (each) => suppressionJson(each) as z.output<typeof suppressionSchema>,
      ),
    }),
  );
  app.post(
    '/suppressions',
    {
      config: { scope: 'responder' },
      schema: {
        summary: 'State that findings are expected',
        tags: ['suppressions'],
        body: scope.extend({ reason: words, ends_at: instant }),
        response: { 201: z.object({ id: z.int(), findings: z.int() }), 400: problemSchema },
      },
    },
    async (request, reply) => {
      const { detector, key_arn: keyArn, actor, account, tag: tagged, reason, ends_at: endsAt } = request.body;
      if ([detector, keyArn, actor, account, tagged].every((each) => each === null))
        throw new Problem('invalid-request', 'At least one of detector, key_arn, actor, account and tag must be given.');
      if (endsAt <= deps.clock.now()) throw new Problem('invalid-request', 'ends_at is in the past.');
      const added = await addSuppression(
        deps.pool,
        { detector, keyArn, actor, account, tag: tagged, reason, author: request.principal.name, endsAt },
        deps.clock.now(),
      );
      await audit(request, {
        action: 'suppression.add',
        target: String(added.id),
        detail: { detector, key_arn: keyArn, actor, account, tag: tagged, reason, ends_at: iso(endsAt) },
      });
      return await reply.code(201).send(added);
    },
  );
  app.delete(
    '/suppressions/:id',
    {
      config: { scope: 'responder' },
      schema: {
        summary: 'End one before its time',
        tags: ['suppressions'],
        params: z.object({ id: z.coerce.number().int().min(1).max(2_147_483_647) }),
        response: { 204: z.null(), 404: problemSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!(await endSuppression(deps.pool, id, { by: request.principal.name, at: deps.clock.now() })))
        throw new Problem('not-found', `No suppression ${id} holds.`);
      await audit(request, { action: 'suppression.end', target: String(id) });
      return await reply.code(204).send(null);
    },
  );
}
