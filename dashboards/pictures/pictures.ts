/** `npm start -- --database-url URL --prometheus URL`: draws every dashboard from its JSON and what the two answer now. */
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { collect, type Dashboard } from './collect.ts';
import { openStudio } from './studio.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  options: {
    'database-url': { type: 'string', default: process.env.DATABASE_URL ?? '' },
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    dashboards: { type: 'string', default: join(ROOT, 'dashboards/grafana/generated') },
    out: { type: 'string', default: join(ROOT, 'docs/images') },
    'metrics-minutes': { type: 'string', default: '15' },
    only: { type: 'string', default: '*' },
  },
});

const client = new pg.Client({ connectionString: values['database-url'], options: '-c timezone=UTC' });
await client.connect();
await client.query('SET ROLE kmswatch_grafana');
mkdirSync(values.out, { recursive: true });
const studio = await openStudio();
try {
  for (const file of globSync(`${values.only}.json`, { cwd: values.dashboards }).sort()) {
    const dashboard = JSON.parse(readFileSync(join(values.dashboards, file), 'utf8')) as Dashboard;
    const answers = await collect(dashboard, {
      postgres: client,
      prometheus: values.prometheus,
      now: Date.now(),
      metricsAge: Number(values['metrics-minutes']) * 60_000,
    });
    const picture = join(values.out, `dashboard-${basename(file, '.json')}.png`);
    await studio.take(answers, picture);
    console.log(picture);
  }
} finally {
  await studio.close();
  await client.end();
}
