/** `/admin/queues`: the queues for an admin, by bull-board. Only to look: changes would not be in the audit log. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyError, FastifyPluginAsync } from 'fastify';
import type { Logger } from '../platform/logger.ts';
import type { Queues } from '../platform/queues.ts';
import type { QUEUES } from '../workers/queues.ts';
import { type Authenticate, demand } from './v1/principal.ts';
import { problemHandler } from './v1/problem.ts';

export const QUEUES_PATH = '/admin/queues';

/** Its page brings scripts and styles of its own, from here and nowhere else. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

export function queuesPage(
  queues: Queues<typeof QUEUES>,
  { authenticate, logger }: { authenticate: Authenticate; logger: Logger },
): FastifyPluginAsync {
  return async (app) => {
    const refuse = problemHandler(logger);
    // Not thrown: its routes have an error handler of their own, which would make a 500 of it.
    app.addHook('onRequest', async (request, reply) => {
      try {
        demand(await authenticate(request), 'admin');
      } catch (error) {
        await refuse(error as FastifyError, request, reply);
      }
    });
    app.addHook('onSend', async (_request, reply) => void reply.header('content-security-policy', POLICY));
    const adapter = new FastifyAdapter();
    adapter.setBasePath(QUEUES_PATH);
    createBullBoard({ queues: queues.board().map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })), serverAdapter: adapter });
    await app.register(adapter.registerPlugin());
  };
}
