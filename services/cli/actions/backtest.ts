import { actorName, counted, iso, keyName, number, when } from '../../api/text/words.ts';
import { visible } from '../../api/text/visible.ts';
import { KmswatchError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { configureDetectors, type ConfiguredDetector, type DetectorSettings } from '../../detectors/configure.ts';
import { DETECTORS } from '../../detectors/registry.ts';
import { isSigma } from '../../detectors/sigma/detector.ts';
import { monotonicMs } from '../../platform/clock.ts';
import { type BacktestFinding, backtest } from '../../workers/backtest.ts';
import type { App } from '../app.ts';
import type { BacktestArguments } from '../commands/backtest.ts';
import { severityText } from '../findings-table.ts';
import { printJson } from '../json.ts';
import { withService } from '../opened.ts';
import { table } from '../table.ts';

const ROWS = 100;

/** @throws KmswatchError CONFIG_INVALID for a detector or parameter that does not exist */
export async function runBacktest(app: App, options: BacktestArguments): Promise<void> {
  await withService(app, { judgeBy: 'clock', name: 'backtest', quiet: true }, async ({ deps, config, lifecycle }) => {
    const configured = detectorOf(options.detector, config.detectors[options.detector] ?? {}, {});
    const tried = detectorOf(options.detector, config.detectors[options.detector] ?? {}, options.set);
    const [from, to] = [options.from ?? 0, options.to ?? deps.clock.now()];
    const since = monotonicMs();
    const result = await backtest(deps, {
      configured,
      tried,
      from,
      to,
      signal: lifecycle.signal,
      onProgress: (done) => app.status.show(`${number(done)} subjects judged …`),
    });
    app.status.clear();
    const { stdout, stderr } = app.out;
    app.finish(result.failures.length > 0 ? 1 : 0);
    if (options.json) {
      printJson(stdout, {
        detector: options.detector,
        from: iso(from),
        to: iso(to),
        params: tried.params as Json,
        configured_params: configured.params as Json,
        subjects: result.subjects,
        failures: result.failures.map((failure) => visible(failure)),
        findings: result.findings.map(findingOf),
        elapsed_ms: Math.round(monotonicMs() - since),
      });
      return;
    }
    for (const failure of result.failures.slice(0, 20)) stderr.write(`Failed on ${visible(failure, 300)}\n`);
    const shown = result.findings.slice(-ROWS);
    if (shown.length > 0) stdout.write(findings(app, shown));
    if (shown.length < result.findings.length)
      stderr.write(`The latest ${number(shown.length)} of ${number(result.findings.length)}; --json gives all.\n`);
    const count = (matches: (each: BacktestFinding) => boolean): number => result.findings.filter(matches).length;
    stdout.write(
      `${counted(
        count(({ tried: is }) => is),
        'finding',
      )} with the parameters tried, ${number(count(({ configured: is }) => is))} as configured: ${number(count((each) => each.tried && !each.configured))} more, ${number(count((each) => !each.tried))} fewer. ${counted(result.subjects, 'subject')} judged.\n`,
    );
  });
}

function detectorOf(id: string, settings: DetectorSettings, tried: Readonly<Record<string, unknown>>): ConfiguredDetector {
  if (isSigma(id))
    throw new KmswatchError('CONFIG_INVALID', 'rules of yours match records when they are stored and cannot be tried on what is stored');
  const detector = DETECTORS.find((each) => each.id === id);
  if (!detector) throw new KmswatchError('CONFIG_INVALID', `there is no detector ${JSON.stringify(id)}; "kmswatch detectors" lists them`);
  const [configured] = configureDetectors([detector], { [id]: { ...settings, ...tried, enabled: true } });
  return configured as ConfiguredDetector;
}

function findings(app: App, shown: readonly BacktestFinding[]): string {
  const { stdout } = app.out;
  const columns = [
    { head: '' },
    { head: 'SEVERITY' },
    { head: 'WHAT', least: 20 },
    { head: 'KEY', least: 14 },
    { head: 'WHO', least: 12 },
    { head: 'LAST (UTC)' },
    { head: 'TIMES', align: 'right' },
  ] as const;
  const rows = shown.map(({ finding, tried, configured }) => [
    tried ? (configured ? '' : '+') : '-',
    severityText(stdout, finding.severity),
    visible(finding.title, 120),
    keyName(finding.keyArn, []),
    actorName(finding.actor),
    when(finding.lastSeen).replace(' UTC', ''),
    number(finding.occurrences),
  ]);
  return table(stdout, columns, rows);
}

function findingOf({ finding, tried, configured }: BacktestFinding): JsonObject {
  return {
    id: finding.id,
    tried,
    configured,
    severity: finding.severity,
    open: finding.open,
    title: finding.title,
    key_arn: finding.keyArn,
    actor: finding.actor,
    account: finding.account,
    region: finding.region,
    first_seen: iso(finding.firstSeen),
    last_seen: iso(finding.lastSeen),
    occurrences: finding.occurrences,
    evidence: [...finding.evidence],
    details: finding.details,
  };
}
