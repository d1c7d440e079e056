import type { Command } from 'commander';
import { alertGroupJson } from '../../api/json/alert-group.ts';
import { visible } from '../../api/text/visible.ts';
import { counted, keyName, number, when } from '../../api/text/words.ts';
import { SEVERITIES } from '../../core/severity.ts';
import { type GroupListed, listGroups } from '../../store/alerts-read.ts';
import type { App } from '../app.ts';
import { parseCount } from '../arguments.ts';
import { severityText } from '../findings-table.ts';
import { printJson } from '../json.ts';
import { withReader } from '../reader.ts';
import { table } from '../table.ts';

const LIMIT = 100;

interface AlertsOptions {
  readonly receiver?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function registerAlerts(program: Command, app: App): void {
  program
    .command('alerts')
    .summary('which groups of findings are told to whom')
    .description('Lists alert groups: what is in them, whom they are told to, when they were told last, and when they are looked at next.')
    .option('--receiver <name>', 'only those of one receiver')
    .option('--limit <n>', 'at most so many', parseCount(1, 10_000), LIMIT)
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch alerts\n  $ kmswatch alerts --receiver on-call --json')
    .action((options: AlertsOptions) =>
      withReader(app, async ({ pool }) => {
        const { receiver, limit } = options;
        const groups = await listGroups(pool, { limit, ...(receiver !== undefined && { receivers: [receiver] }) });
        if (options.json) printJson(app.out.stdout, groups.map(alertGroupJson));
        else print(app, groups);
      }),
    );
}

function print(app: App, groups: readonly GroupListed[]): void {
  const { stdout, stderr } = app.out;
  if (groups.length === 0) {
    stderr.write('No alerts.\n');
    return;
  }
  const columns = [
    { head: 'SEVERITY' },
    { head: 'ALERTS', least: 12 },
    { head: 'WHAT', least: 20 },
    { head: 'GROUP', least: 24 },
    { head: 'RECEIVER' },
    { head: 'LAST TOLD', least: 16 },
    { head: 'NEXT', least: 10 },
  ] as const;
  const rows = groups.map((group) => [
    severityText(stdout, severityOf(group)),
    standings(group),
    visible(group.title, 120),
    groupText(group),
    visible(group.receiver),
    lastTold(group),
    group.wakeAt === null ? '' : when(group.wakeAt),
  ]);
  stdout.write(table(stdout, columns, rows));
}

function standings({ open, acknowledged, suppressed, resolved }: GroupListed): string {
  const parts = { open, acknowledged, suppressed, resolved };
  return Object.entries(parts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${number(count)} ${name}`)
    .join(', ');
}

/** What its alerts have in common, without the names of the labels. */
function groupText({ labels }: GroupListed): string {
  const values = Object.entries(labels).map(([name, value]) => (name === 'key' ? keyName(value) : visible(value, 120)));
  return values.join(' ') || 'all';
}

function lastTold({ last }: GroupListed): string {
  if (!last) return 'not yet';
  if (last.state === 'delivered') return `${when(last.settledAt)} (${last.reason})`;
  if (last.state === 'failed') return `given up ${when(last.settledAt)}: ${visible(last.error ?? '')}`;
  const tries = last.attempts === 0 ? 'waits to be sent' : `${counted(last.attempts, 'try', 'tries')}, next ${when(last.nextAttemptAt)}`;
  return `${tries}${last.error === null ? '' : `: ${visible(last.error)}`}`;
}

function severityOf({ rank }: GroupListed): (typeof SEVERITIES)[number] {
  return SEVERITIES[rank] ?? 'info';
}
