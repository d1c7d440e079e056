import type { Command } from 'commander';
import { configureDetectors } from '../../detectors/configure.ts';
import { DETECTORS } from '../../detectors/registry.ts';
import { type App, readConfig } from '../app.ts';
import { severityText } from '../findings-table.ts';
import type { Json } from '../../core/json.ts';
import { printJson } from '../json.ts';
import { table } from '../table.ts';

export function registerDetectors(program: Command, app: App): void {
  program
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
