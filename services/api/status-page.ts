/** The page at `/`: what was ingested, what is open, where to look further. No scripts. */
import type { FindingListed } from '../store/read/findings.ts';
import type { SourceSummary } from '../store/read/batches.ts';
import type { SourceStanding } from '../workers/source-standings.ts';
import { lagText, sourceWarnings } from './text/sources.ts';
import { actorName, keyName, number, when } from './text/words.ts';
import { type Html, html, htmlText } from './html.ts';

export interface StatusPage {
  readonly version: string;
  readonly sources: readonly SourceSummary[];
  /** How late and how completely each source delivers. */
  readonly standings: readonly SourceStanding[];
  readonly keys: number;
  /** The most urgent open findings. */
  readonly findings: readonly FindingListed[];
  /** How many are open in all. */
  readonly open: number;
}

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1b1f24; background: #fff; }
  h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #d8dee4; overflow-wrap: anywhere; }
  th { font-weight: 600; color: #57606a; white-space: nowrap; } td.number, th.number { text-align: right; }
  .critical, .high { color: #a40e26; font-weight: 600; } .medium { color: #7d4e00; } nav a { margin-right: 1rem; }
  @media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117; } a { color: #79b8ff; } th { color: #9aa4af; } th, td { border-color: #30363d; } .critical, .high { color: #ff8b94; } .medium { color: #e3b341; } }
`;

export function statusPage(page: StatusPage): string {
  return htmlText(html`<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>kmswatch</title><style>${raw(STYLE)}</style></head>
<body>
<h1>kmswatch ${page.version}</h1>
<nav><a href="/metrics">Metrics</a><a href="/healthz">Alive?</a><a href="/readyz">Ready?</a></nav>
<h2>Ingested</h2>
${page.sources.length === 0 ? html`<p>Nothing yet. <code>npx kmswatch replay PATH</code> reads CloudTrail files.</p>` : sourcesTable(page.sources)}
<p>${number(page.keys)} KMS keys are known.</p>
${page.standings.length === 0 ? null : html`<h2>Coverage</h2>${standingsTable(page.standings)}${warnings(page.standings)}<p><code>npx kmswatch coverage</code> draws it hour by hour.</p>`}
<h2>Open findings (${number(page.open)})</h2>
${page.findings.length === 0 ? html`<p>None.</p>` : findingsTable(page.findings)}
${page.open > page.findings.length ? html`<p>The ${number(page.findings.length)} most urgent are shown; <code>npx kmswatch findings</code> lists all.</p>` : null}
${page.findings.length === 0 ? null : html`<h2>Runbooks</h2><ul>${runbooks(page.findings)}</ul>`}
</body></html>`);
}

/** Only for what stands in this file. */
function raw(text: string): Html {
  return html([text] as unknown as TemplateStringsArray);
}

function sourcesTable(sources: readonly SourceSummary[]): Html {
  const heads = ['records', 'of KMS', 'new', 'duplicates', 'conflicts', 'quarantined', 'failed', 'waiting'];
  const rows = sources.map(
    (each) =>
      html`<tr><td>${each.source}</td>${[
        each.records,
        each.relevant,
        each.new,
        each.duplicates,
        each.conflicts,
        each.quarantined,
        each.failed,
        each.unfinished,
      ].map(
        (value) => html`<td class="number">${number(value)}</td>`,
      )}<td>${when(each.newestEvent)}</td><td>${when(each.lastStoredAt)}</td></tr>`,
  );
  return html`<table><thead><tr><th>source</th>${heads.map((head) => html`<th class="number">${head}</th>`)}<th>newest event</th><th>last stored</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function standingsTable(standings: readonly SourceStanding[]): Html {
  const rows = standings.map(
    ({ source, newestEvent, lastSuccess, lag, channels, missingHours }) =>
      html`<tr><td>${source}</td><td>${when(newestEvent)}</td><td>${when(lastSuccess)}</td><td class="number">${lagText(lag?.p50)}</td><td class="number">${lagText(lag?.p95)}</td><td class="number">${number(channels)}</td><td class="number">${number(missingHours)}</td></tr>`,
  );
  const heads = ['half within', '95 % within', 'accounts × Regions', 'hours missing (7 d)'];
  return html`<table><thead><tr><th>source</th><th>newest event</th><th>last heard</th>${heads.map((head) => html`<th class="number">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
}

function warnings(standings: readonly SourceStanding[]): Html | null {
  const told = standings.flatMap(sourceWarnings);
  return told.length === 0 ? null : html`<ul>${told.map((text) => html`<li class="medium">${text}</li>`)}</ul>`;
}

function findingsTable(findings: readonly FindingListed[]): Html {
  const rows = findings.map(
    (finding) =>
      html`<tr id="finding-${finding.id}"><td class="${finding.severity}">${finding.severity}</td><td>${finding.title}<br><small>${finding.detector} · ${finding.id}</small></td><td>${keyName(finding.keyArn, finding.aliases)}</td><td>${actorName(finding.actorName ?? finding.actor)}</td><td>${when(finding.lastSeen)}</td><td>${finding.explanation.why}</td></tr>`,
  );
  return html`<table><thead><tr><th>severity</th><th>what</th><th>key</th><th>who</th><th>when</th><th>why</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function runbooks(findings: readonly FindingListed[]): Html[] {
  return [...new Set(findings.map(({ detector }) => detector))]
    .toSorted()
    .map((detector) => html`<li><code>docs/runbooks/${detector}.md</code></li>`);
}
