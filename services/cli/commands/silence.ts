import { type Command, InvalidArgumentError } from 'commander';
import { silenceJson } from '../../api/json/silence.ts';
import { visible } from '../../api/text/visible.ts';
import { when } from '../../api/text/words.ts';
import { parseDuration } from '../../alerts/duration.ts';
import { type Matcher, matcherText, parseMatcher } from '../../alerts/matcher.ts';
import { silenceState } from '../../alerts/silence.ts';
import { addSilence, expireSilence, listSilences, type StoredSilence } from '../../store/silences.ts';
import type { App } from '../app.ts';
import { parseTime } from '../arguments.ts';
import { printJson } from '../json.ts';
import { withReader, withWriter } from '../reader.ts';
import { table } from '../table.ts';

const TEXT_LIMIT = 1_000;
const DEFAULT_DURATION = '2h';

interface AddOptions {
  readonly comment: string;
  readonly author?: string;
  readonly duration: number;
  readonly start?: number;
  readonly end?: number;
  readonly json?: boolean;
}

export function registerSilence(program: Command, app: App): void {
  const silence = program
    .command('silence')
    .summary('tell nobody of certain alerts for a time')
    .description(
      'Silences: while one is active, alerts that all its matchers match are told to nobody. Findings are found and kept as ever.',
    )
    .addHelpText(
      'after',
      `\nExamples:\n  $ kmswatch silence add 'account="111122223333"' --comment "planned migration"\n  $ kmswatch silence list`,
    );
  const add = silence
    .command('add')
    .description(
      'Silences alerts that all matchers match, written as in Alertmanager: label=value, label!=value, label=~regex, label!~regex.',
    )
    .argument('<matcher...>', 'as in severity="low" or detector=~"key-.*"', parseMatchers)
    .requiredOption('--comment <text>', 'why', parseText)
    .option('--author <name>', 'who; default: the user of the system', parseText)
    .option('--duration <time>', 'for how long, as in 30m, 2h or 3d', parseDurationText, parseDuration(DEFAULT_DURATION) ?? 0)
    .option('--start <time>', 'from when; default now', parseTime)
    .option('--end <time>', 'until when, in place of --duration', parseTime)
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch silence add 'detector="rotation-overdue"' 'owner="payments"' --comment "rotates on Friday" --duration 3d
  $ kmswatch silence add 'account=~"1111.*"' --comment "game day" --start 2026-12-01T08:00:00Z --end 2026-12-01T18:00:00Z`,
    )
    .action(async (matchers: readonly Matcher[], options: AddOptions) => {
      const now = app.clock.now();
      const startsAt = options.start ?? now;
      const endsAt = options.end ?? startsAt + options.duration;
      if (endsAt <= startsAt || endsAt <= now) add.error('error: a silence must end after it starts, and not in the past');
      // As in Alertmanager: who wants to silence everything should say what.
      if (matchers.every((matcher) => matcher.matches({}))) add.error('error: at least one matcher must not match an empty label');
      const author = options.author ?? app.env['USER'] ?? app.env['LOGNAME'];
      if (author === undefined || author === '') add.error('error: --author is needed here');
      await withWriter(app, async ({ pool }) => {
        const parts = matchers.map(({ name, operator, value }) => ({ name, operator, value }));
        const added = await addSilence(pool, {
          matchers: parts,
          author: author ?? '',
          comment: options.comment,
          createdAt: now,
          startsAt,
          endsAt,
        });
        if (options.json) printJson(app.out.stdout, silenceJson(added, now));
        else app.out.stdout.write(`Silence ${added.id}: ${visible(matchersText(added))}, until ${when(added.endsAt)}.\n`);
      });
    });
  silence
    .command('list')
    .description('Lists silences that have not ended, the latest first.')
    .option('--all', 'those that have ended, too')
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch silence list\n  $ kmswatch silence list --all --json')
    .action((options: { readonly all?: boolean; readonly json?: boolean }) =>
      withReader(app, async ({ pool }) => {
        const now = app.clock.now();
        const silences = await listSilences(pool, { now, all: options.all === true });
        if (options.json)
          printJson(
            app.out.stdout,
            silences.map((each) => silenceJson(each, now)),
          );
        else print(app, silences, now);
      }),
    );
  silence
    .command('expire')
    .description('Ends a silence now. What it kept quiet and is still so is told at once.')
    .argument('<id>', 'as "kmswatch silence list" shows it', parseId)
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch silence expire 3')
    .action((id: number, options: { readonly json?: boolean }) =>
      withWriter(app, async ({ pool }) => {
        const expired = await expireSilence(pool, id, app.clock.now());
        if (!expired) {
          app.out.stderr.write(`There is no silence ${id} that has not ended.\n`);
          app.finish(1);
        } else if (options.json) printJson(app.out.stdout, silenceJson(expired, app.clock.now()));
        else app.out.stdout.write(`Silence ${id} has ended.\n`);
      }),
    );
}

function print(app: App, silences: readonly StoredSilence[], now: number): void {
  const { stdout, stderr } = app.out;
  if (silences.length === 0) {
    stderr.write('No silences.\n');
    return;
  }
  const columns = [
    { head: 'ID', align: 'right' },
    { head: 'STATE' },
    { head: 'MATCHERS', least: 24 },
    { head: 'FROM' },
    { head: 'UNTIL' },
    { head: 'WHO' },
    { head: 'WHY', least: 20 },
  ] as const;
  const rows = silences.map((each) => [
    String(each.id),
    silenceState(each, now),
    visible(matchersText(each), 400),
    when(each.startsAt),
    when(each.endsAt),
    visible(each.author, 100),
    visible(each.comment, 300),
  ]);
  stdout.write(table(stdout, columns, rows));
}

function matchersText({ matchers }: StoredSilence): string {
  return matchers.map(matcherText).join(' ');
}

function parseMatchers(text: string, before: readonly Matcher[] = []): readonly Matcher[] {
  const parsed = parseMatcher(text);
  if (!parsed.ok) throw new InvalidArgumentError(`It ${parsed.problem}.`);
  return [...before, parsed.matcher];
}

function parseDurationText(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === null || milliseconds === 0) throw new InvalidArgumentError('Write a duration as in 30m, 2h or 3d.');
  return milliseconds;
}

function parseText(text: string): string {
  if (text.trim() === '' || text.length > TEXT_LIMIT) throw new InvalidArgumentError(`Give some text, at most ${TEXT_LIMIT} characters.`);
  return text;
}

function parseId(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Ids are whole numbers.');
  return Number(text);
}
