import type { Command } from 'commander';
import type pg from 'pg';
import { findingJson } from '../../api/json/finding.ts';
import { visible, visibleLines } from '../../api/text/visible.ts';
import { counted, iso, keyName, when } from '../../api/text/words.ts';
import { KmswatchError } from '../../core/errors.ts';
import { eventUuid } from '../../core/ids.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { type EvidenceRecord, readEvidence } from '../../store/evidence.ts';
import { type FindingHistoryEntry, type FindingListed, findFindings, readHistory } from '../../store/read/findings.ts';
import { createNameCache } from '../../store/names.ts';
import { eventsById, type TimelineRow } from '../../store/timeline.ts';
import type { App } from '../app.ts';
import { parseCount } from '../arguments.ts';
import { severityText } from '../findings-table.ts';
import { printJson } from '../json.ts';
import { type OutStream, paint } from '../out.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';

const HISTORY_LIMIT = 100;

interface FindingOptions {
  readonly records: number;
  readonly json?: boolean;
}

export function registerFinding(program: Command, app: App): void {
  program
    .command('finding')
    .summary('explain one finding and show its evidence')
    .description(
      'Explains one finding: what, why, what would make it harmless, what to do now; and shows the CloudTrail records that prove it.',
    )
    .argument('<id>', 'id of the finding, or its beginning')
    .option('--records <n>', 'how many records to print whole', parseCount(0, 1000), 3)
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch finding 3f9c21aa
  $ kmswatch finding 3f9c21aa --records 20
  $ kmswatch finding 3f9c21aa --json`,
    )
    .action((id: string, options: FindingOptions) =>
      withReader(app, async ({ pool }) => {
        const finding = await findOne(pool, id);
        const evidence = await readEvidence(pool, finding.evidence);
        const history = await readHistory(pool, finding.id, HISTORY_LIMIT);
        if (options.json) printJson(app.out.stdout, wholeJson(finding, evidence, history));
        else {
          printFinding(app.out.stdout, finding);
          printEvidence(app.out.stdout, {
            events: await eventsById(pool, finding.evidence.map(eventUuid), createNameCache()),
            evidence,
            records: options.records,
          });
        }
      }),
    );
}

async function findOne(pool: pg.Pool, id: string): Promise<FindingListed> {
  const found = await findFindings(pool, id.toLowerCase(), 6);
  const [finding] = found;
  if (!finding)
    throw new KmswatchError('NOT_FOUND', `There is no finding ${JSON.stringify(id)}.`, {
      hint: '`kmswatch findings` lists them with their ids.',
    });
  if (found.length > 1) {
    const shown = found.slice(0, 5).map((each) => each.id);
    throw new KmswatchError(
      'AMBIGUOUS',
      `Several findings begin with ${JSON.stringify(id)}: ${shown.join(', ')}${found.length > 5 ? ', …' : ''}.`,
      { hint: 'Give more of the id.' },
    );
  }
  return finding;
}

function wholeJson(finding: FindingListed, evidence: readonly EvidenceRecord[], history: readonly FindingHistoryEntry[]): JsonObject {
  const { what, why, benign, now } = finding.explanation;
  return {
    ...findingJson(finding),
    explanation: { what, why, benign, now: [...now] },
    resolved_at: iso(finding.resolvedAt),
    resolution: finding.resolution,
    evaluated_at: iso(finding.evaluatedAt),
    runbook: `docs/runbooks/${finding.detector}.md`,
    history: history.map(({ at, change, by }) => ({ at: iso(at), change, by })),
    evidence_records: evidence.map((record) => ({
      event_id: record.eventId,
      source: record.source,
      batch: record.batchId,
      ordinal: record.ordinal,
      evidence_sha256: record.evidenceSha256,
      record: parsed(record.text),
    })),
  };
}

/** The record as JSON; as text where it is none. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function printFinding(stream: OutStream, finding: FindingListed): void {
  const { explanation } = finding;
  const paragraph = (heading: string, text: string): void =>
    stream.write(`\n${paint(stream, 'bold', heading)}\n  ${visible(text, 10_000)}\n`);
  stream.write(`${severityText(stream, finding.severity)}  ${paint(stream, 'bold', visible(finding.title))}\n`);
  const facts: [string, string][] = [
    ['finding', `${finding.id} (${finding.detector})`],
    [
      'status',
      finding.resolution === null ? finding.status : `${finding.status} ${when(finding.resolvedAt)}: ${visible(finding.resolution)}`,
    ],
    ['key', finding.keyArn === null ? '-' : `${keyName(finding.keyArn, finding.aliases)}  ${visible(finding.keyArn)}`],
    ['who', finding.actor === null ? '-' : visible(finding.actor)],
    ['where', `${visible(finding.account)} ${visible(finding.region)}`],
    [
      'seen',
      finding.occurrences === 1
        ? when(finding.lastSeen)
        : `${counted(finding.occurrences, 'time')}, ${when(finding.firstSeen)} to ${when(finding.lastSeen)}`,
    ],
    ['runbook', `docs/runbooks/${finding.detector}.md`],
  ];
  for (const [name, value] of facts) stream.write(`  ${paint(stream, 'dim', name.padEnd(8))} ${value}\n`);
  paragraph('What', explanation.what);
  paragraph('Why it matters', explanation.why);
  paragraph('What would make it harmless', explanation.benign);
  stream.write(
    `\n${paint(stream, 'bold', 'What to do now')}\n${explanation.now.map((step, at) => `  ${at + 1}. ${visible(step, 4000)}\n`).join('')}`,
  );
}

function printEvidence(
  stream: OutStream,
  shown: { events: readonly TimelineRow[]; evidence: readonly EvidenceRecord[]; records: number },
): void {
  const { events, evidence, records } = shown;
  stream.write(`\n${paint(stream, 'bold', 'Evidence')}\n`);
  const rows = events.map(({ event }) => [
    when(event.eventTime),
    visible(`${event.service}:${event.operation}`),
    visible(event.errorCode ?? event.outcome),
    visible(event.actor.id),
    visible(event.eventId),
  ]);
  stream.write(
    table(stream, [{ head: 'WHEN' }, { head: 'OPERATION' }, { head: 'OUTCOME' }, { head: 'WHO', least: 20 }, { head: 'EVENT ID' }], rows),
  );
  for (const record of evidence.slice(0, records)) {
    stream.write(
      `\n${paint(stream, 'dim', `${record.source} batch ${record.batchId}, record ${record.ordinal}, evidence sha256 ${record.evidenceSha256}`)}\n`,
    );
    const whole = parsed(record.text);
    stream.write(`${visibleLines(typeof whole === 'string' ? whole : JSON.stringify(whole, null, 2))}\n`);
  }
  if (evidence.length > records)
    stream.write(
      `\n${counted(evidence.length - records, 'more record is', 'more records are')} shown with --records ${evidence.length}.\n`,
    );
}
