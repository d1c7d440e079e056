import { visible } from '../../api/text/visible.ts';
import { KmswatchError } from '../../core/errors.ts';
import { configProblems } from '../../platform/config/problems.ts';
import type { Config } from '../../workers/config.ts';
import { type App, configFileOf, openLogger, readConfig, withLifecycle } from '../app.ts';
import type { Check } from '../check.ts';
import { checkDatabase, checkDisk, checkNode, checkQueues } from '../checkup.ts';
import { checkSources } from '../checkup-sources.ts';
import { printJson } from '../json.ts';
import { type OutStream, type Paint, paint } from '../out.ts';

/** Room for the name of a check. */
const NAME = 15;

const SHADES: Readonly<Record<Check['status'], Paint>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** Checks one thing after the other and prints what it finds. */
export async function examine(app: App, options: { readonly json?: boolean }): Promise<void> {
  const { stdout } = app.out;
  const checks: Check[] = [];
  const tell = (check: Check): void => {
    checks.push(check);
    app.status.clear();
    if (!options.json) stdout.write(line(stdout, check));
  };
  tell(checkNode(app.nodeVersion));
  const config = configOf(app, tell);
  if (config) await examineWith(app, config, tell);
  const isOk = checks.every(({ status }) => status !== 'fail');
  if (options.json) printJson(stdout, { ok: isOk, checks: checks.map((check) => ({ ...check })) });
  app.finish(isOk ? 0 : 1);
}

function configOf(app: App, tell: (check: Check) => void): Config | null {
  try {
    const config = readConfig(app, { quiet: true });
    tell({ name: 'config', status: 'ok', message: configFileOf(app) ?? 'no file; environment, options and defaults', mend: null });
    return config;
  } catch (error) {
    if (!(error instanceof KmswatchError)) throw error;
    const problems = configProblems(error).map(({ path, where, message }) => `${where}: ${path.map(String).join('.')} ${message}`);
    tell({
      name: 'config',
      status: 'fail',
      message: problems.length > 0 ? problems.join('; ') : error.message,
      mend: 'Correct it; `kmswatch config check` checks again.',
    });
    return null;
  }
}

async function examineWith(app: App, config: Config, tell: (check: Check) => void): Promise<void> {
  const logger = openLogger(app, config);
  tell(await checkDisk(app, config));
  await withLifecycle(app, logger, async (lifecycle) => {
    app.status.show('Opening the database …');
    for (const check of await checkDatabase(app, config, { logger, lifecycle })) tell(check);
    tell(await checkQueues(config, logger));
    app.status.show('Asking AWS …');
    for await (const check of checkSources(config, app.clock)) tell(check);
  });
}

function line(stream: OutStream, { name, status, message, mend }: Check): string {
  const mending = (mend?.split('\n') ?? []).map((each) => `\n${' '.repeat(6 + NAME)}${visible(each)}`).join('');
  return `${paint(stream, SHADES[status], status.padEnd(4))}  ${name.padEnd(NAME)}${visible(message)}${mending}\n`;
}
