import { createHttp } from '../platform/http.ts';
import { requireSchema } from '../platform/migrate.ts';
import { summarizeSources } from '../store/read/batches.ts';
import { countFindings, readFindings } from '../store/read/findings.ts';
import { countKeys } from '../store/read/keys.ts';
import { MIGRATIONS } from '../workers/migrations.ts';
import type { Service } from '../workers/service.ts';
import { VERSION } from '../workers/version.ts';
import { createRefresh } from './scrape.ts';
import { statusPage } from './status-page.ts';

const FINDINGS_SHOWN = 100;
const OPEN = { statuses: ['open', 'acknowledged'] };

/** Serves the status page, `/metrics`, `/healthz` and `/readyz`, as a part of the service. @returns the URL that it answers under */
export async function startApi(service: Service): Promise<string> {
  const { deps, db, logger, registry, metrics, lifecycle, config } = service;
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
  http.app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(await page(service)));
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

async function page({ deps: { pool } }: Service): Promise<string> {
  const [sources, keys, open, { findings }] = await Promise.all([
    summarizeSources(pool),
    countKeys(pool),
    countFindings(pool, OPEN),
    readFindings(pool, OPEN, { limit: FINDINGS_SHOWN }),
  ]);
  return statusPage({ version: VERSION, sources, keys, findings, open });
}
