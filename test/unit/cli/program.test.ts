import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { App } from '../../../services/cli/app.ts';
import { setUp } from '../../../services/cli/program.ts';
import { capture, inProcess } from '../../support/out.ts';

/** The words of every command, `config check` too. */
function commandLines(): string[][] {
  const program = new Command();
  setUp(program, { out: { stdout: capture(), stderr: capture() } } as unknown as App);
  const walk = (command: Command, words: string[]): string[][] => [
    words,
    ...command.commands.flatMap((child) => walk(child, [...words, child.name()])),
  ];
  return walk(program, []);
}

describe('help', () => {
  test.each(commandLines().map((words) => [words.join(' ') || '(none)', words] as const))(
    'of %s has examples and the options of all commands',
    async (_name, words) => {
      const { code, stdout, stderr } = await inProcess([...words, '--help']);
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^Usage: kmswatch/);
      expect(stdout).toContain('Examples:\n  $ kmswatch');
      for (const option of ['--config', '--data-dir', '--database-url', '--redis-url', '--listen', '--log-level'])
        expect(stdout).toContain(option);
    },
  );
});

describe('a command line that is not understood ends with 2 and says why on standard error alone', () => {
  test.each([
    [['bogus'], "unknown command 'bogus'"],
    [['finding'], "missing required argument 'id'"],
    [['replay'], "missing required argument 'path'"],
    [['findings', '--severity', 'urgent'], 'There is no severity "urgent"'],
    [['findings', '--detector', 'no-such'], 'There is no detector "no-such"'],
    [['findings', '--limit', '0'], 'whole number from 1'],
    [['findings', '--colour'], "unknown option '--colour'"],
    [['run', '--role', 'everything'], 'There is no role "everything"'],
    [['replay', 'x', '--as-of', 'yesterday'], 'Write a time as in 2026-03-04'],
    [['simulate'], "required option '--out <dir>' not specified"],
    [['simulate', '--out', 'x', '--scale', '-1'], 'above 0'],
    [['quarantine', 'retry'], 'give ids, or --all'],
    [['quarantine', 'retry', '7', '--all'], 'give ids, or --all'],
    [[], 'Usage: kmswatch'],
  ])('%j', async (argv, why) => {
    const { code, stdout, stderr } = await inProcess(argv);
    expect(stderr).toContain(why);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('a failure ends with 1, tells the reason and what to do, and shows no stack', () => {
  test.each([
    [['replay', '/no/such/folder'], '/no/such/folder cannot be read: ENOENT', 'nothing was ingested'],
    [['config', 'print', '--config', '/no/such/file.yaml'], '/no/such/file.yaml', ''],
    [['findings', '--listen', 'nowhere'], 'listen must be HOST:PORT', 'kmswatch config check'],
  ])('%j', async (argv, reason, hint) => {
    const { code, stdout, stderr } = await inProcess(argv);
    expect(stderr).toContain(reason);
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });
});

test('config check tells every problem as JSON and ends with 1', async () => {
  const { code, stdout } = await inProcess(['config', 'check', '--json'], '/nonexistent', {
    KMSWATCH_LISTEN: 'nowhere',
    KMSWATCH_LOG_LEVEL: 'loud',
  });
  const told = JSON.parse(stdout) as { ok: boolean; problems: { path: string; where: string }[] };
  expect(told.ok).toBe(false);
  expect(told.problems.map(({ path, where }) => [path, where])).toEqual([
    ['listen', 'environment variable KMSWATCH_LISTEN'],
    ['log_level', 'environment variable KMSWATCH_LOG_LEVEL'],
  ]);
  expect(code).toBe(1);
});

test('the example configuration is in order and means the defaults', async () => {
  const example = fileURLToPath(new URL('../../../kmswatch.example.yaml', import.meta.url));
  expect(await inProcess(['config', 'check', '--config', example])).toMatchObject({ code: 0, stderr: '' });
  const [shown, defaults] = [
    await inProcess(['config', 'print', '--json', '--config', example]),
    await inProcess(['config', 'print', '--json']),
  ];
  expect(JSON.parse(shown.stdout)).toEqual(JSON.parse(defaults.stdout));
});

test('config print leaves passwords out', async () => {
  const { code, stdout, stderr } = await inProcess(['config', 'print'], '/nonexistent', {
    DATABASE_URL: 'postgres://me:hunter2@db.example.com/kms',
    REDIS_URL: 'redis://:hunter2@cache',
  });
  expect(code).toBe(0);
  expect(stdout).toContain('db.example.com');
  expect(stdout + stderr).not.toContain('hunter2');
});

test('detectors tells of every detector as one JSON document', async () => {
  const { stdout } = await inProcess(['detectors', '--json']);
  const told = JSON.parse(stdout) as { id: string; enabled: boolean; severity: string }[];
  expect(told.length).toBeGreaterThan(20);
  expect(told).toContainEqual(
    expect.objectContaining({ id: 'rotation-disabled', enabled: true, severity: 'high', runbook: 'docs/runbooks/rotation-disabled.md' }),
  );
});
