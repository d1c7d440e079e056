import type { Command } from 'commander';
import { configureDetectors } from '../../detectors/configure.ts';
import { DETECTORS } from '../../detectors/registry.ts';
import { type App, readConfig } from '../app.ts';
import { severityText } from '../findings-table.ts';
import type { Json } from '../../core/json.ts';
import { visible } from '../../api/text/visible.ts';
import { loadRules } from '../../workers/rules.ts';
import { printJson } from '../json.ts';
import { table } from '../table.ts';

export function registerDetectors(program: Command, app: App): void {
  const detectors = program
    .command('detectors')
    .summary('what is looked for')
    .description('Lists the detectors: what each of them finds, how bad that is, and whether it is enabled.')
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch detectors\n  $ kmswatch detectors --json')
    .action((options: { readonly json?: boolean }) => {
      const { stdout } = app.out;
      const configured = new Map(
        configureDetectors(DETECTORS, readConfig(app, { quiet: true }).detectors).map((each) => [each.detector.id, each.params]),
      );
      if (options.json) {
        printJson(
          stdout,
          DETECTORS.map((detector) => detectorJson(detector, configured)),
        );
        return;
      }
      const rows = DETECTORS.map((detector) => [
        detector.id,
        severityText(stdout, detector.severity),
        detector.family,
        detector.kind,
        configured.has(detector.id) ? 'on' : 'off',
        detector.title,
      ]);
      stdout.write(
        table(
          stdout,
          [
            { head: 'DETECTOR' },
            { head: 'SEVERITY' },
            { head: 'FAMILY' },
            { head: 'KIND' },
            { head: 'STATE' },
            { head: 'SAYS', least: 30 },
          ],
          rows,
        ),
      );
    });
  registerCheck(detectors, app);
  registerTest(detectors, app);
  registerHealth(detectors, app);
}

function registerTest(detectors: Command, app: App): void {
  detectors
    .command('test')
    .summary('run detectors on their fixtures')
    .description(
      `Runs every detector on fixtures, and compares what fires with what each fixture expects: that, and nothing else. Without a database.
A fixture is a file <folder>/<detector>/<name>.json with records and what must be found in them. Fixtures of your own Sigma rules lie in a folder sigma-<id of the rule>; rules are judged in those, and in fixtures that expect one. Parameters are those that a fixture names, not those of your configuration. Exit code 1 when a fixture fails or a rule is refused.`,
    )
    .argument('[detector...]', 'only fixtures of these detectors')
    .option('--fixtures <folder>', 'folder of fixtures (default: those of the detectors that ship, where the repository is)')
    .option('--rules <folder>', 'folder of Sigma rules to judge beside')
    .option('--json', 'print {"passed","failed","fixtures":[…],"refused":[…]}')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch detectors test
  $ kmswatch detectors test key-disabled alias-deleted
  $ kmswatch detectors test --rules ./rules --fixtures ./rules/fixtures --json`,
    )
    .action(async (ids: string[], _options: unknown, command: Command) => {
      await (await import('../actions/detectors-test.ts')).testDetectors(app, ids, command.optsWithGlobals());
    });
}

function registerHealth(detectors: Command, app: App): void {
  detectors
    .command('health')
    .summary('could they have fired?')
    .description(
      'Of each enabled detector: when it last judged and last fired, what judging costs, and whether its events arrive by the configured sources.',
    )
    .option('--json', 'print it as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch detectors health\n  $ kmswatch detectors health --json')
    .action(async (_options: unknown, command: Command) => {
      await (await import('../actions/detector-health.ts')).showDetectorHealth(app, command.optsWithGlobals());
    });
}

function registerCheck(detectors: Command, app: App): void {
  detectors
    .command('check')
    .summary('try a folder of Sigma rules')
    .description(
      'Loads the Sigma rules beneath a folder as the service would, and says of each file that is refused the line and the reason. Exit code 1 when a rule is refused.',
    )
    .argument('<folder>', 'folder of .yml and .yaml files')
    .option('--json', 'print {"loaded":[…],"refused":[{"file","line","reason"}]}')
    .addHelpText('after', '\nExamples:\n  $ kmswatch detectors check ./rules\n  $ kmswatch detectors check ./rules --json')
    .action(async (folder: string, _options: unknown, command: Command) => {
      const { stdout } = app.out;
      const files = await loadRules(folder);
      const loaded = files.flatMap(({ file, rules }) => rules.map(({ id, title, severity }) => ({ file, id, title, level: severity })));
      const refused = files.flatMap(({ file, refused: found }) => found.map(({ line, reason }) => ({ file, line, reason })));
      app.finish(refused.length > 0 ? 1 : 0);
      // The parent command has an option of the same name.
      if (command.optsWithGlobals<{ readonly json?: boolean }>().json) {
        printJson(stdout, { loaded, refused });
        return;
      }
      for (const { file, line, reason } of refused) stdout.write(`${visible(file)}:${line}: ${visible(reason)}\n`);
      stdout.write(`${loaded.length} ${loaded.length === 1 ? 'rule' : 'rules'} would be loaded, ${refused.length} refused.\n`);
    });
}

function detectorJson(detector: (typeof DETECTORS)[number], configured: ReadonlyMap<string, unknown>): Json {
  const { id, title, severity, status, family, kind, subject, events, techniques, blindSpots, falsePositives } = detector;
  return {
    id,
    title,
    severity,
    status,
    family,
    kind,
    subject: String(subject),
    enabled: configured.has(id),
    params: (configured.get(id) ?? null) as Json,
    events: [...events],
    techniques: [...techniques],
    blind_spots: [...blindSpots],
    false_positives: [...falsePositives],
    runbook: `docs/runbooks/${id}.md`,
  };
}
