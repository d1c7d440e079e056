import { actorName, keyName, when } from '../api/text/words.ts';
import { visible } from '../api/text/visible.ts';
import { SEVERITIES, type Severity } from '../core/severity.ts';
import type { FindingListed } from '../store/read/findings.ts';
import { type OutStream, type Paint, paint } from './out.ts';
import { type Column, table } from './table.ts';

const SHADES: Readonly<Record<Severity, Paint>> = { critical: 'red', high: 'red', medium: 'yellow', low: 'cyan', info: 'dim' };

/** What was found, one finding a row: severity, what, key, who, when, why; with ids and statuses where they are asked for. */
export function findingsTable(stream: OutStream, findings: readonly FindingListed[], options: { readonly ids: boolean }): string {
  const columns: readonly Column[] = [
    ...(options.ids ? [{ head: 'ID' }, { head: 'STATUS' }] : []),
    { head: 'SEVERITY' },
    { head: 'WHAT', least: 20 },
    { head: 'KEY', least: 14 },
    { head: 'WHO', least: 12 },
    { head: 'WHEN (UTC)', least: 10 },
    { head: 'WHY', least: 24 },
  ];
  const rows = findings.map((finding) => [
    ...(options.ids ? [finding.id.slice(0, 8), finding.status] : []),
    severityText(stream, finding.severity),
    visible(finding.title, 120),
    keyName(finding.keyArn, finding.aliases),
    actorName(finding.actorName ?? finding.actor),
    when(finding.lastSeen).replace(' UTC', ''),
    visible(firstSentence(finding.explanation.why), 110),
  ]);
  return table(stream, columns, rows);
}

/** A table has room for one thought; `kmswatch finding` tells the rest. */
function firstSentence(text: string): string {
  return /^.{1,400}?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
}

export function severityText(stream: OutStream, severity: Severity): string {
  return paint(stream, SHADES[severity], severity);
}

/** `2 critical, 5 high`; severities without any are left out. */
export function bySeverity(counts: readonly { readonly severity: string; readonly count: number }[]): string {
  return SEVERITIES.map((severity) => ({
    severity,
    sum: counts.filter((each) => each.severity === severity).reduce((total, each) => total + each.count, 0),
  }))
    .filter(({ sum }) => sum > 0)
    .map(({ severity, sum }) => `${sum} ${severity}`)
    .join(', ');
}
