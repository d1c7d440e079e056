import type { Command } from 'commander';
import { openPostgres } from '../../platform/embedded.ts';
import { migrate } from '../../platform/migrate.ts';
import { connect } from '../../platform/postgres.ts';
import type { Database } from '../../store/schema.ts';
import { MIGRATIONS } from '../../workers/migrations.ts';
import { type App, openLogger, readConfig, withLifecycle } from '../app.ts';
import { printJson } from '../json.ts';

export function registerMigrate(program: Command, app: App): void {
  program
    .command('migrate')
    .summary('bring the database schema up to date')
    .description(
      'Brings the database schema up to date. The service does it by itself when it starts; this is for databases whose owner does it.',
    )
    .option('--json', 'print what was applied as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch migrate\n  $ kmswatch migrate --database-url postgres://owner@db.example.com/kmswatch')
    .action((options: { readonly json?: boolean }) => run(app, options));
}

async function run(app: App, options: { readonly json?: boolean }): Promise<void> {
  const config = readConfig(app, { quiet: true });
  const logger = openLogger(app, config);
  await withLifecycle(app, logger, async (lifecycle) => {
    const server = await lifecycle.start(
      'postgres',
      () => openPostgres({ url: config.database_url, dataDir: config.data_dir, logger }),
      (open) => open.close(),
    );
    const connection = await lifecycle.start(
      'database',
      () => connect<Database>({ url: server.url, max: 1, applicationName: 'kmswatch migrate', statementTimeoutMs: 0, logger }),
      (open) => open.close(),
    );
    const { applied } = await migrate(connection.db, MIGRATIONS);
    if (options.json) printJson(app.out.stdout, { applied: [...applied] });
    else app.out.stdout.write(applied.length === 0 ? 'The database is up to date.\n' : `Applied ${applied.join(', ')}.\n`);
  });
}
