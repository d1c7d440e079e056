import { Command, CommanderError } from 'commander';
import { VERSION } from '../workers/version.ts';
import { type App, createApp, type GlobalOptions, Interrupted, type World } from './app.ts';
import { registerAlerts } from './commands/alerts.ts';
import { registerBackfill } from './commands/backfill.ts';
import { registerBacktest } from './commands/backtest.ts';
import { registerConfig } from './commands/config.ts';
import { registerCoverage } from './commands/coverage.ts';
import { registerDetectors } from './commands/detectors.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerFinding } from './commands/finding.ts';
import { registerFindings } from './commands/findings.ts';
import { registerKey } from './commands/key.ts';
import { registerKeys } from './commands/keys.ts';
import { registerMigrate } from './commands/migrate.ts';
import { registerNotify } from './commands/notify.ts';
import { registerQuarantine } from './commands/quarantine.ts';
import { registerReplay } from './commands/replay.ts';
import { registerRun } from './commands/run.ts';
import { registerSilence } from './commands/silence.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerSuppress } from './commands/suppress.ts';
import { registerToken } from './commands/token.ts';
import { registerVerify } from './commands/verify.ts';
import { printProblem } from './problem.ts';

/**
 * Runs one command line.
 * @returns the exit code: 0 ok, 1 failed, 2 not understood
 */
export async function runCli(argv: readonly string[], world: World): Promise<0 | 1 | 2> {
  let code: 0 | 1 = 0;
  const program = new Command('kmswatch');
  const app = createApp(world, {
    globals: () => program.opts<GlobalOptions>(),
    finish: (given) => {
      code = given;
    },
  });
  setUp(program, app);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    app.status.clear();
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) world.out.stderr.write('Interrupted.\n');
    else printProblem(world.out.stderr, error);
    return 1;
  }
}

/** The whole command line as data; the reference is generated from it. */
export function setUp(program: Command, app: App): void {
  const { stdout, stderr } = app.out;
  program
    .description('Watches the KMS activity of AWS accounts: CloudTrail records in, findings, metrics and evidence out.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--config <file>', 'YAML file to read settings from (KMSWATCH_CONFIG; default kmswatch.yaml if it is there)')
    .option('--data-dir <dir>', 'directory of the embedded database (KMSWATCH_DATA_DIR; default .kmswatch)')
    .option('--database-url <url>', 'PostgreSQL to work on instead of the embedded one (DATABASE_URL)')
    .option('--database-url-file <file>', 'file that holds that URL (DATABASE_URL_FILE)')
    .option('--redis-url <url>', 'Redis or Valkey for the queues (REDIS_URL)')
    .option('--redis-url-file <file>', 'file that holds that URL (REDIS_URL_FILE)')
    .option('--listen <host:port>', 'where the service answers (KMSWATCH_LISTEN; default 127.0.0.1:8787)')
    .option('--log-level <level>', 'debug, info, warn, error or silent (KMSWATCH_LOG_LEVEL)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false, helpWidth: Math.min(stdout.columns, 120) })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHasColors: () => stdout.color,
      getErrHasColors: () => stderr.color,
    })
    .showHelpAfterError('Add --help for what can be given.')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch run                         start the service; the first time with a month of sample records
  $ kmswatch replay ./AWSLogs            ingest CloudTrail files and judge them
  $ kmswatch findings --severity high    what was found
  $ kmswatch doctor                      check that everything it needs is there`,
    );
  for (const register of REGISTER) register(program, app);
}

const REGISTER: readonly ((program: Command, app: App) => void)[] = [
  registerRun,
  registerReplay,
  registerBackfill,
  registerFindings,
  registerFinding,
  registerKeys,
  registerKey,
  registerDetectors,
  registerBacktest,
  registerCoverage,
  registerQuarantine,
  registerDoctor,
  registerMigrate,
  registerConfig,
  registerSuppress,
  registerAlerts,
  registerSilence,
  registerNotify,
  registerToken,
  registerVerify,
  registerSimulate,
];
