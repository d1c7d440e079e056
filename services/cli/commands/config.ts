import type { Command } from 'commander';
import { stringify } from 'yaml';
import { visibleLines } from '../../api/text/visible.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { configProblems } from '../../platform/config/problems.ts';
import { redactConfig } from '../../platform/config/redact.ts';
import { configSchema } from '../../workers/config.ts';
import { type App, configFileOf, readConfig } from '../app.ts';
import { printJson } from '../json.ts';

export function registerConfig(program: Command, app: App): void {
  const config = program
    .command('config')
    .summary('check or print the configuration')
    .description('The configuration: the YAML file, over it the environment, over that the options.')
    .addHelpText('after', '\nExamples:\n  $ kmswatch config check\n  $ kmswatch config print --config kmswatch.yaml');
  config
    .command('check')
    .description('Checks it and tells everything that is wrong at once.')
    .option('--json', 'print the problems as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch config check --config kmswatch.yaml\n  $ kmswatch config check --json')
    .action((options: { readonly json?: boolean }) => check(app, options));
  config
    .command('print')
    .description('Prints the configuration that is in force, defaults included, secrets left out.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch config print\n  $ kmswatch config print --json')
    .action((options: { readonly json?: boolean }) => print(app, options));
}

function check(app: App, options: { readonly json?: boolean }): void {
  const { stdout } = app.out;
  try {
    readConfig(app, { quiet: false });
  } catch (error) {
    const problems = configProblems(error);
    if (!options.json || problems.length === 0) throw error;
    printJson(stdout, {
      ok: false,
      problems: problems.map(({ path, where, message }) => ({ path: path.map(String).join('.'), where, message })),
    });
    app.finish(1);
    return;
  }
  const file = configFileOf(app) ?? null;
  if (options.json) printJson(stdout, { ok: true, file, problems: [] });
  else
    stdout.write(
      visibleLines(`The configuration is in order${file === null ? ' (no file; environment, options and defaults)' : `: ${file}`}.\n`),
    );
}

function print(app: App, options: { readonly json?: boolean }): void {
  const config: Record<string, unknown> = redactConfig<Record<string, unknown>>(configSchema, readConfig(app, { quiet: false }));
  if (options.json) printJson(app.out.stdout, config as JsonObject satisfies Json);
  else app.out.stdout.write(visibleLines(stringify(config)));
}
