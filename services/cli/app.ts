/** What commands are given: the process's surroundings, handed in by `main.ts`, and what the command line says for all of them. */
import type { Clock } from '../core/clock.ts';
import { findConfigFile, loadConfig } from '../platform/config.ts';
import { createLifecycle, type Lifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { type Config, configSchema } from '../workers/config.ts';
import { logLines } from './log-lines.ts';
import type { Out } from './out.ts';
import { createStatusLine, type StatusLine } from './status-line.ts';

export interface World {
  readonly out: Out;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  stdin(): AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  readonly clock: Clock;
  /** Aborted when the user wants to stop. */
  readonly interrupt: AbortSignal;
  readonly nodeVersion: string;
}

/** Options that every command takes, by the names of the environment; as commander spells them. */
export interface GlobalOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly databaseUrl?: string;
  readonly databaseUrlFile?: string;
  readonly redisUrl?: string;
  readonly redisUrlFile?: string;
  readonly listen?: string;
  readonly logLevel?: string;
}

export interface App extends World {
  readonly status: StatusLine;
  globals(): GlobalOptions;
  /** The command ends with this exit code, unless it throws. */
  finish(code: 0 | 1): void;
}

/** The user wanted to stop: no failure of anything, but the command has not done what it was asked for. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export function createApp(world: World, rest: Pick<App, 'globals' | 'finish'>): App {
  return { ...world, ...rest, status: createStatusLine(world.out.stderr) };
}

/** Commands that come and go say only what is wrong; the long-running service tells more. */
const quietSchema = configSchema.extend({
  log_level: configSchema.shape.log_level
    .unwrap()
    .default('warn')
    .meta(configSchema.shape.log_level.meta() ?? {}),
});

export function configFileOf(app: App): string | undefined {
  return findConfigFile(app.globals().config, app.env, app.directory);
}

/** @throws KmswatchError CONFIG_INVALID, CONFIG_NOT_FOUND */
export function readConfig(app: App, options: { readonly quiet: boolean }): Config {
  const { config: _file, ...flags } = app.globals();
  return loadConfig(options.quiet ? quietSchema : configSchema, { file: configFileOf(app), env: app.env, flags });
}

export function openLogger(app: App, config: Config): Logger {
  return createLogger(config.log_level, logLines(app.out.stderr, app.status));
}

/**
 * Runs work with a lifecycle whose parts are stopped when the work ends, fails or the user interrupts.
 * @throws Interrupted, or what the work throws
 */
export async function withLifecycle<T>(app: App, logger: Logger, work: (lifecycle: Lifecycle) => Promise<T>): Promise<T> {
  const lifecycle = createLifecycle({ logger });
  const stop = (): void => void lifecycle.stop();
  app.interrupt.addEventListener('abort', stop, { once: true });
  try {
    if (app.interrupt.aborted) throw new Interrupted();
    return await work(lifecycle);
  } catch (error) {
    // What fails because its database is being closed under it is not the user's business.
    throw app.interrupt.aborted ? new Interrupted() : error;
  } finally {
    app.interrupt.removeEventListener('abort', stop);
    await lifecycle.stop();
    app.status.clear();
  }
}
