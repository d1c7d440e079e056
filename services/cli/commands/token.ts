import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../alerts/duration.ts';
import { visible } from '../../api/text/visible.ts';
import { iso, when } from '../../api/text/words.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Scope, SCOPES } from '../../core/scope.ts';
import { recordAudit } from '../../store/audit.ts';
import { createToken, listTokens, revokeToken, type Token } from '../../store/tokens.ts';
import type { App } from '../app.ts';
import { printJson } from '../json.ts';
import { withReader, withWriter } from '../reader.ts';
import { table } from '../table.ts';

interface CreateOptions {
  readonly scope: Scope;
  readonly expires?: number;
  readonly json?: boolean;
}

export function registerToken(program: Command, app: App): void {
  const token = program
    .command('token')
    .summary('tokens for the HTTP API')
    .description(
      'Tokens for the HTTP API. A viewer reads; a responder also acknowledges, resolves, suppresses and silences; an admin also sees the audit log and the queues.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ kmswatch token create grafana --scope viewer\n  $ kmswatch token list\n  $ kmswatch token revoke 3f9c21aa04d1',
    );
  token
    .command('create')
    .description('Makes a token and prints it. It is stored hashed and cannot be shown again.')
    .argument('<name>', 'what it is for', parseName)
    .option('--scope <scope>', SCOPES.join(', '), parseScope, 'viewer' satisfies Scope)
    .option('--expires <time>', 'after how long it ends, as in 90d; default never', parseSpan)
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ kmswatch token create grafana\n  $ kmswatch token create on-call --scope responder --expires 90d --json',
    )
    .action(async (name: string, { scope, expires, json }: CreateOptions) =>
      withWriter(app, async ({ pool }) => {
        const at = app.clock.now();
        const by = userOf(app);
        const expiresAt = expires === undefined ? null : at + expires;
        const made = await createToken(pool, { name, scope, createdBy: by, createdAt: at, expiresAt, random: randomBytes });
        await recordAudit(pool, {
          at,
          principal: by,
          scope: 'admin',
          action: 'token.create',
          target: made.id,
          detail: { name, scope, expires_at: iso(expiresAt) },
        });
        if (json) printJson(app.out.stdout, { id: made.id, name, scope, expires_at: iso(expiresAt), token: made.token });
        else {
          app.out.stdout.write(`${made.token}\n`);
          app.out.stderr.write(
            `Token ${made.id} (${scope}) ${expiresAt === null ? 'does not expire' : `expires ${when(expiresAt)}`}. It is not shown again.\n`,
          );
        }
      }),
    );
  token
    .command('list')
    .description('Lists tokens, the latest first; never the tokens themselves.')
    .option('--json', 'print them as a JSON array')
    .addHelpText('after', '\nExamples:\n  $ kmswatch token list\n  $ kmswatch token list --json')
    .action((options: { readonly json?: boolean }) =>
      withReader(app, async ({ pool }) => {
        const tokens = await listTokens(pool);
        if (options.json) printJson(app.out.stdout, tokens.map(tokenJson));
        else print(app, tokens);
      }),
    );
  token
    .command('revoke')
    .description('Revokes a token: within a second it is refused.')
    .argument('<id>', 'id, as "kmswatch token list" shows it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  $ kmswatch token revoke 3f9c21aa04d1')
    .action((id: string, { json }: { readonly json?: boolean }) =>
      withWriter(app, async ({ pool }) => {
        const at = app.clock.now();
        const revoked = await revokeToken(pool, id, at);
        app.finish(revoked ? 0 : 1);
        if (revoked)
          await recordAudit(pool, { at, principal: userOf(app), scope: 'admin', action: 'token.revoke', target: id, detail: {} });
        if (json) printJson(app.out.stdout, { id, revoked });
        else if (revoked) app.out.stdout.write(`Token ${id} is revoked.\n`);
        else app.out.stderr.write(`No token ${visible(id, 40)} holds; "kmswatch token list" shows them.\n`);
      }),
    );
}

function print(app: App, tokens: readonly Token[]): void {
  if (tokens.length === 0) {
    app.out.stderr.write('There are no tokens.\n');
    return;
  }
  const columns = [
    { head: 'ID' },
    { head: 'NAME', least: 12 },
    { head: 'SCOPE' },
    { head: 'STATE' },
    { head: 'CREATED' },
    { head: 'LAST USED' },
  ] as const;
  const rows = tokens.map((each) => [
    each.id,
    visible(each.name, 60),
    each.scope,
    stateOf(each, app.clock.now()),
    when(each.createdAt),
    each.lastUsedAt === null ? 'never' : when(each.lastUsedAt),
  ]);
  app.out.stdout.write(table(app.out.stdout, columns, rows));
}

function stateOf({ revokedAt, expiresAt }: Token, now: number): string {
  if (revokedAt !== null) return `revoked ${when(revokedAt)}`;
  if (expiresAt === null) return 'holds';
  return expiresAt <= now ? 'expired' : `until ${when(expiresAt)}`;
}

function tokenJson({ id, name, scope, createdAt, createdBy, expiresAt, revokedAt, lastUsedAt }: Token): JsonObject {
  return {
    id,
    name,
    scope,
    created_at: iso(createdAt),
    created_by: createdBy,
    expires_at: iso(expiresAt),
    revoked_at: iso(revokedAt),
    last_used_at: iso(lastUsedAt),
  };
}

function userOf({ env }: App): string {
  return `cli:${(env['USER'] ?? env['LOGNAME'] ?? 'unknown').slice(0, 100)}`;
}

function parseName(text: string): string {
  const name = text.trim();
  if (name === '' || name.length > 100) throw new InvalidArgumentError('A name has 1 to 100 characters.');
  return name;
}

function parseScope(text: string): Scope {
  const scope = SCOPES.find((each) => each === text);
  if (!scope) throw new InvalidArgumentError(`It is one of ${SCOPES.join(', ')}.`);
  return scope;
}

function parseSpan(text: string): number {
  const span = parseDuration(text);
  if (span === null || span <= 0) throw new InvalidArgumentError('Write a time as in 12h or 90d.');
  return span;
}
