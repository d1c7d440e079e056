import { type Command, InvalidArgumentError } from 'commander';
import { suppressionJson } from '../../api/json/suppression.ts';
import { visible } from '../../api/text/visible.ts';
import { counted, number, when } from '../../api/text/words.ts';
import { DETECTORS } from '../../detectors/registry.ts';
import { isSigma } from '../../detectors/sigma/detector.ts';
import { findKeys } from '../../store/read/keys.ts';
import { addSuppression, endSuppression, listSuppressions, type Suppression } from '../../store/suppressions.ts';
import type { App } from '../app.ts';
import { parseTime } from '../arguments.ts';
import { printJson } from '../json.ts';
import { withReader, withWriter } from '../reader.ts';
import { table } from '../table.ts';

interface AddOptions {
  readonly detector?: string;
  readonly key?: string;
  readonly actor?: string;
  readonly account?: string;
  readonly tag?: { readonly key: string; readonly value: string };
  readonly reason: string;
  readonly author: string;
  readonly until: number;
  readonly json?: boolean;
}

export function registerSuppress(program: Command, app: App): void {
  const suppress = program
    .command('suppress')
    .summary('say that findings are expected')
    .description(
      'Suppressions: findings that are expected, with the reason, who says so and until when. They are kept, counted and shown as suppressed.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ kmswatch suppress add --detector new-actor-for-key --key alias/orders --reason "migration to EKS" --author ines --until 2026-12-31
  $ kmswatch suppress list
  $ kmswatch suppress end 3 --author ines`,
    );
  const add = suppress
    .command('add')
    .description('Suppresses findings that fit all that is given. At least one of detector, key, actor, account and tag must be.')
    .option('--detector <id>', 'id of a detector', parseDetector)
    .option('--key <key>', 'ARN, id or alias of a key')
    .option('--actor <id>', 'canonical id of an actor, as "kmswatch finding" shows it')
    .option('--account <account>', 'account of the finding', parseAccount)
    .option('--tag <key=value>', 'tag of the key', parseTag)
    .requiredOption('--reason <text>', 'why they are expected', parseWords)
    .requiredOption('--author <name>', 'who says so', parseWords)
    .requiredOption('--until <time>', 'when it ends, as in 2026-12-31', parseTime)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ kmswatch suppress add --detector off-hours-use --tag team=sre --reason "night shift" --author ines --until 2027-01-31',
    )
    .action(async (options: AddOptions) => {
      if ([options.detector, options.key, options.actor, options.account, options.tag].every((each) => each === undefined))
        add.error('error: give at least one of --detector, --key, --actor, --account, --tag');
      if (options.until <= app.clock.now()) add.error('error: --until is in the past');
      await withWriter(app, async ({ pool }) => {
        const keys = options.key === undefined ? [] : await findKeys(pool, options.key, 2);
        if (keys.length > 1) add.error(`error: --key ${options.key ?? ''} stands for several keys: give the ARN`);
        const added = await addSuppression(
          pool,
          {
            detector: options.detector ?? null,
            keyArn: options.key === undefined ? null : (keys[0]?.arn ?? options.key),
            actor: options.actor ?? null,
            account: options.account ?? null,
            tag: options.tag ?? null,
            reason: options.reason,
            author: options.author,
            endsAt: options.until,
          },
          app.clock.now(),
        );
        if (options.json) printJson(app.out.stdout, added);
        else
          app.out.stdout.write(
            `Suppression ${added.id} holds until ${when(options.until)}; ${counted(added.findings, 'finding')} suppressed by it now.\n`,
          );
      });
    });
  suppress
    .command('list')
    .description('Lists suppressions that hold, the latest first.')
    .option('--all', 'those that have ended as well')
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch suppress list\n  $ kmswatch suppress list --all --json')
    .action((options: { readonly all?: boolean; readonly json?: boolean }) =>
      withReader(app, async ({ pool }) => {
        const found = await listSuppressions(pool, { at: app.clock.now(), all: options.all === true });
        if (options.json) printJson(app.out.stdout, found.map(suppressionJson));
        else print(app, found);
      }),
    );
  suppress
    .command('end')
    .description('Ends a suppression before its time; its findings are open again.')
    .argument('<id>', 'id, as "kmswatch suppress list" shows it', parseId)
    .requiredOption('--author <name>', 'who ends it', parseWords)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch suppress end 3 --author ines')
    .action((id: number, { author, json }: { readonly author: string; readonly json?: boolean }) =>
      withWriter(app, async ({ pool }) => {
        const ended = await endSuppression(pool, id, { by: author, at: app.clock.now() });
        app.finish(ended ? 0 : 1);
        if (json) printJson(app.out.stdout, { id, ended });
        else if (ended) app.out.stdout.write(`Suppression ${id} has ended.\n`);
        else app.out.stderr.write(`No suppression ${id} holds; "kmswatch suppress list" shows those that do.\n`);
      }),
    );
}

function print(app: App, found: readonly Suppression[]): void {
  const { stdout, stderr } = app.out;
  if (found.length === 0) {
    stderr.write('Nothing is suppressed.\n');
    return;
  }
  const columns = [
    { head: 'ID', align: 'right' },
    { head: 'WHAT', least: 24 },
    { head: 'FINDINGS', align: 'right' },
    { head: 'WHY', least: 20 },
    { head: 'WHO' },
    { head: 'UNTIL' },
  ] as const;
  const rows = found.map((each) => [
    String(each.id),
    visible(scopeOf(each), 300),
    number(each.findings),
    visible(each.reason, 300),
    visible(each.author, 60),
    each.endedAt === null ? when(each.endsAt) : `ended ${when(each.endedAt)}`,
  ]);
  stdout.write(table(stdout, columns, rows));
}

function scopeOf({ detector, keyArn, actor, account, tag }: Suppression): string {
  const parts = { detector, key: keyArn, actor, account, tag: tag && `${tag.key}=${tag.value}` };
  return Object.entries(parts)
    .flatMap(([name, value]) => (value === null ? [] : `${name} ${value}`))
    .join(', ');
}

function parseDetector(text: string): string {
  if (!isSigma(text) && !DETECTORS.some(({ id }) => id === text)) throw new InvalidArgumentError('"kmswatch detectors" lists the ids.');
  return text;
}

function parseAccount(text: string): string {
  if (!/^\d{12}$/.test(text)) throw new InvalidArgumentError('An account has 12 digits.');
  return text;
}

function parseTag(text: string): { key: string; value: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write a tag as key=value.');
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

function parseWords(text: string): string {
  const words = text.trim();
  if (words === '' || words.length > 1_000) throw new InvalidArgumentError('Give 1 to 1,000 characters.');
  return words;
}

function parseId(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('An id is a whole number.');
  return Number(text);
}
