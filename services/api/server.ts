import { createHttp } from '../platform/http.ts';
import { requireSchema } from '../platform/migrate.ts';
import { summarizeSources } from '../store/read/batches.ts';
import { countFindings, readFindings } from '../store/read/findings.ts';
import { countKeys } from '../store/read/keys.ts';
import { MIGRATIONS } from '../workers/migrations.ts';
import type { Service } from '../workers/service.ts';
import { sourceStandings } from '../workers/source-standings.ts';
import { VERSION } from '../workers/version.ts';
import { checkExposure, guardLocal } from './access.ts';
import { queuesPage } from './queues-page.ts';
import { createRefresh } from './scrape.ts';
import { statusPage } from './status-page.ts';
import { createAuthentication } from './v1/principal.ts';
import { problemHandler } from './v1/problem.ts';
import { v1 } from './v1/v1.ts';

const FINDINGS_SHOWN = 100;
const OPEN = { statuses: ['open', 'acknowledged'] };

/**
 * Serves the status page, the API, `/metrics`, `/healthz` and `/readyz`, as a part of the service. @returns the URL that it answers under
 * @throws KmswatchError CONFIG_INVALID where others could reach it without authentication
 */
export async function startApi(service: Service): Promise<string> {
  const { deps, db, logger, registry, metrics, lifecycle, config } = service;
  const { authentication, oidc, requests_per_minute: requestsPerMinute } = config.api;
  checkExposure(config.listen, authentication);
  const http = createHttp({
    logger,
    registry,
    checks: {
      database: () => deps.pool.query('SELECT'),
      queues: () => deps.queues.ping(),
      migrations: () => requireSchema(db, MIGRATIONS),
    },
    refresh: createRefresh(service),
    onRefreshError: () => metrics.kmswatch_scrape_errors_total.inc(),
  });
  const required = authentication === 'token';
  const authenticate = createAuthentication({ pool: deps.pool, now: deps.clock.now, required, oidc });
  if (!required) guardLocal(http.app);
  await http.app.register(v1({ service, authenticate, requestsPerMinute }), { prefix: '/api/v1' });
  await http.app.register(queuesPage(deps.queues, { authenticate, logger }), { prefix: '/admin/queues' });
  await http.app.register(async (pages) => {
    pages.setErrorHandler(problemHandler(logger));
    pages.addHook('onRequest', async (request) => void (await authenticate(request)));
    pages.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(await page(service)));
    pages.get('/api/docs', async (_request, reply) => reply.redirect('/api/v1/docs'));
  });
  const { url } = await lifecycle.start(
    'http',
    async () => ({ url: await http.listen(config.listen) }),
    async () => {
      http.drain();
      await http.close();
    },
  );
  return url;
}

async function page({ deps: { pool, clock } }: Service): Promise<string> {
  const [sources, standings, keys, open, { findings }] = await Promise.all([
    summarizeSources(pool),
    sourceStandings(pool, clock.now()),
    countKeys(pool),
    countFindings(pool, OPEN),
    readFindings(pool, OPEN, { limit: FINDINGS_SHOWN }),
  ]);
  return statusPage({ version: VERSION, sources, standings, keys, findings, open });
}
