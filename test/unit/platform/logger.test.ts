import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { KmswatchError } from '../../../services/core/errors.ts';
import { createLogger, withoutCredentials } from '../../../services/platform/logger.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): { text: string; line: Record<string, unknown> } {
  let text = '';
  write(createLogger('debug', { write: (chunk: string) => void (text += chunk) }));
  return { text, line: JSON.parse(text) as Record<string, unknown> };
}

describe('a log line', () => {
  test('is one JSON object with level, time and message', () => {
    const { line } = logged((logger) => logger.info({ batch: 7 }, 'batch stored'));
    expect(line).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), batch: 7, msg: 'batch stored' });
  });

  test('holds no secret, wherever it was put', () => {
    const url = 'postgres://user:pass-word@db.example.com:5432/x';
    const { text } = logged((logger) =>
      logger.error(
        {
          password: 'pass-word',
          url,
          config: { database_url: url, secret: 'pass-word', encryptionContext: { a: 'pass-word' } },
          err: new KmswatchError('DATABASE_UNREACHABLE', `cannot reach ${url}`, { cause: new Error(url) }),
        },
        `lost ${url}`,
      ),
    );
    expect(text).not.toContain('pass-word');
    expect(text).toContain('postgres://user:***@db.example.com:5432/x');
  });

  test('goes to standard error and never to standard output', () => {
    const module = fileURLToPath(new URL('../../../services/platform/logger.ts', import.meta.url));
    const code = `import { createLogger } from ${JSON.stringify(module)}; createLogger('info').info('hello');`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(stderr).toContain('"msg":"hello"');
  });
});

test.each([
  ['no url here: a:b@c', 'no url here: a:b@c'],
  ['redis://:pass@host', 'redis://:***@host'],
  ['x postgres://u:p@ss@h/d and amqp://u:p@h', 'x postgres://u:***@h/d and amqp://u:***@h'],
  ['https://example.com/a:b@c', 'https://example.com/a:b@c'],
])('credentials are taken out of %j', (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
});

test('taking out credentials stays fast on hostile text', () => {
  const since = performance.now();
  withoutCredentials('a://a:'.repeat(50_000));
  withoutCredentials(`a://${'a:'.repeat(200_000)}`);
  expect(performance.now() - since).toBeLessThan(2_000);
});
