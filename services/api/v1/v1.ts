/**
 * `/api/v1`: what the console and programs ask and say. Requests are checked by the schemas that the OpenAPI document is made from; what goes
 * out is held against it in the tests.
 */
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Scope } from '../../core/scope.ts';
import type { JsonObject } from '../../core/json.ts';
import { recordAudit } from '../../store/audit.ts';
import type { Service } from '../../workers/service.ts';
import { VERSION } from '../../workers/version.ts';
import { docsPage } from './docs-page.ts';
import { type Authenticate, demand, type Principal } from './principal.ts';
import { Problem, problemBody, problemHandler } from './problem.ts';
import { alertRoutes } from './routes/alerts.ts';
import { auditRoutes } from './routes/audit.ts';
import { detectorRoutes } from './routes/detectors.ts';
import { eventRoutes } from './routes/events.ts';
import { findingRoutes } from './routes/findings.ts';
import { keyRoutes } from './routes/keys.ts';
import { silenceRoutes } from './routes/silences.ts';
import { sourceRoutes } from './routes/sources.ts';
import { suppressionRoutes } from './routes/suppressions.ts';

export type Api = FastifyInstance<
  FastifyInstance['server'],
  Parameters<FastifyInstance['routing']>[0],
  Parameters<FastifyInstance['routing']>[1],
  FastifyInstance['log'],
  ZodTypeProvider
>;

/** What routes are given besides the server. */
export interface RouteContext {
  readonly service: Service;
  /** Goes on record: who did what to which thing. */
  audit(request: FastifyRequest, entry: { action: string; target: string | null; detail?: JsonObject }): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** Default: viewer. */
    scope?: Scope;
  }
}

export interface V1Options {
  readonly service: Service;
  readonly authenticate: Authenticate;
  readonly requestsPerMinute: number;
}

const ROUTES = [
  findingRoutes,
  suppressionRoutes,
  silenceRoutes,
  alertRoutes,
  keyRoutes,
  eventRoutes,
  detectorRoutes,
  sourceRoutes,
  auditRoutes,
];

/** For `app.register`, with the prefix `/api/v1`. */
export function v1({ service, authenticate, requestsPerMinute }: V1Options): FastifyPluginAsync {
  return async (instance) => {
    const app = instance as unknown as Api;
    const { deps, logger } = service;
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(() => JSON.stringify);
    app.setErrorHandler(problemHandler(logger));
    app.setNotFoundHandler(async (request, reply) =>
      reply
        .code(404)
        .type('application/problem+json')
        .send(JSON.stringify(problemBody('not-found', `There is nothing at ${request.method} ${request.url.split('?')[0]}`))),
    );
    app.decorateRequest('principal');
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'kmswatch', version: VERSION, description: 'Findings about KMS keys, what is known of the keys, and the evidence.' },
        servers: [{ url: '/' }],
        components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
        security: [{ token: [] }],
      },
      transform: jsonSchemaTransform,
      transformObject: jsonSchemaTransformObject,
    });
    if (requestsPerMinute > 0)
      await app.register(rateLimit, {
        max: requestsPerMinute,
        timeWindow: 60_000,
        // The credential as it stands, not who it belongs to: limits come before the database is asked.
        keyGenerator: (request) => request.headers.authorization ?? request.ip,
        errorResponseBuilder: (_request, { after }) => new Problem('too-many-requests', `Try again in ${after}.`),
      });
    app.addHook('onRequest', async (request) => {
      request.principal = await authenticate(request);
      demand(request.principal, request.routeOptions.config.scope ?? 'viewer');
    });
    const context: RouteContext = {
      service,
      audit: (request, { action, target, detail = {} }) =>
        recordAudit(deps.pool, {
          at: deps.clock.now(),
          principal: request.principal.name,
          scope: request.principal.scope,
          action,
          target,
          detail,
        }),
    };
    for (const register of ROUTES) register(app, context);
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
    app.get('/docs', { schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(docsPage(app.swagger() as unknown as JsonObject)),
    );
  };
}
