import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findConfigFile, loadConfig } from '../../../services/platform/config.ts';
import { platformShape } from '../../../services/platform/config/base.ts';
import { exampleYaml } from '../../../services/platform/config/example.ts';
import { type ConfigProblem, configProblems } from '../../../services/platform/config/problems.ts';
import { redactConfig } from '../../../services/platform/config/redact.ts';
import { configReference } from '../../../services/platform/config/reference.ts';

const schema = z.strictObject({
  ...platformShape,
  limits: z
    .strictObject({
      record_bytes: z.int().min(1).max(1_000_000).default(1_000).meta({ description: 'Largest record.', env: 'KMSWATCH_RECORD_BYTES' }),
      strict: z.boolean().default(false).meta({ env: 'KMSWATCH_STRICT', description: 'No mercy.' }),
    })
    .prefault({})
    .meta({ description: 'How much is let in.' }),
  accounts: z
    .array(z.strictObject({ id: z.string().regex(/^\d{12}$/, 'must be twelve digits') }))
    .default([])
    .meta({ description: 'Own accounts.' }),
  tags: z
    .record(z.string(), z.enum(['keep', 'drop']))
    .default({})
    .meta({ description: 'What to do with tags.' }),
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kmswatch-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, name = 'kmswatch.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function problems(text: string, env: Record<string, string> = {}, flags: Record<string, unknown> = {}): string[] {
  const error = thrownBy(() => loadConfig(schema, { file: file(text), env, flags }));
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  const list: readonly ConfigProblem[] = configProblems(error);
  for (const { message } of list) expect((error as Error).message).toContain(message);
  return list.map(({ where, path, message }) => `${where.replace(folder, '')} ${path.map(String).join('.')} ${message}`);
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a configuration', () => {
  test('is the defaults when there is nothing else', () => {
    expect(loadConfig(schema, { env: {} })).toEqual({
      data_dir: '.kmswatch',
      listen: '127.0.0.1:8787',
      log_level: 'info',
      limits: { record_bytes: 1_000, strict: false },
      accounts: [],
      tags: {},
    });
    expect(loadConfig(schema, { file: file(''), env: {} })).toEqual(loadConfig(schema, { env: {} }));
  });

  test('takes flags over the environment over the file', () => {
    const path = file('data_dir: from-file\nlisten: 127.0.0.1:1\nlog_level: warn\n');
    const config = loadConfig(schema, {
      file: path,
      env: { KMSWATCH_LISTEN: '127.0.0.1:2', KMSWATCH_LOG_LEVEL: 'error' },
      flags: { logLevel: 'debug', unknown: 1 },
    });
    expect(config).toMatchObject({ data_dir: 'from-file', listen: '127.0.0.1:2', log_level: 'debug' });
  });

  test('reads numbers and truth values of the environment as what the schema asks for', () => {
    const config = loadConfig(schema, { env: { KMSWATCH_RECORD_BYTES: '42', KMSWATCH_STRICT: 'true', KMSWATCH_LISTEN: '' } });
    expect(config).toMatchObject({ limits: { record_bytes: 42, strict: true }, listen: '127.0.0.1:8787' });
  });

  test('tells everything that is wrong at once, each with its line', () => {
    expect(
      problems(
        [
          'lissten: 127.0.0.1:1',
          'log_level: inf',
          'limits:',
          '  record_bytes: 0',
          '  record_byte: 7',
          'accounts:',
          '  - id: "123456789012"',
          '  - id: 12',
          'tags:',
          '  owner: kep',
        ].join('\n'),
        { KMSWATCH_STRICT: 'yes' },
        { listen: 'nowhere' },
      ).sort(),
    ).toEqual([
      '/kmswatch.yaml:1 lissten is not a known key; did you mean listen?',
      '/kmswatch.yaml:10 tags.owner must be one of keep, drop, not "kep"; did you mean keep?',
      '/kmswatch.yaml:2 log_level must be one of debug, info, warn, error, silent, not "inf"; did you mean info?',
      '/kmswatch.yaml:4 limits.record_bytes must be an integer from 1 to 1000000, not 0',
      '/kmswatch.yaml:5 limits.record_byte is not a known key; did you mean record_bytes?',
      '/kmswatch.yaml:8 accounts.1.id must be text, not 12',
      'environment variable KMSWATCH_STRICT limits.strict must be true or false, not "yes"',
      'flag --listen listen must be HOST:PORT, as in 127.0.0.1:8787',
    ]);
  });

  test.each([
    ['a key that is like no other', 'zzzzzz: 1', /:1 zzzzzz is not a known key; the keys here are database_url, /],
    ['a missing key', 'accounts:\n  - {}', /:2 accounts.0.id is missing; it must be text/],
    ['an empty value', 'data_dir:', /:1 data_dir must be text, not empty/],
    ['a list for a mapping', 'limits: [1]', /:1 limits must be a mapping, not a list/],
    ['a key that is there twice', 'listen: 127.0.0.1:1\nlisten: 127.0.0.1:2', /:2 {2}not valid YAML: Map keys must be unique/],
    ['broken YAML', 'limits: {', /:1 {2}not valid YAML/],
    ['a file that is no mapping', '- 1', /:1 {2}must be a mapping of keys to values/],
    [
      'aliases that multiply',
      `a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]`,
      /alias/i,
    ],
    ['a prototype', '__proto__: {polluted: true}', /__proto__ is not a known key/],
  ])('refuses %s', (_name, text, expected) => {
    const [only, ...more] = problems(text);
    expect(only).toMatch(expected);
    expect(more).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('of a file that is not there is CONFIG_NOT_FOUND', () => {
    expect(() => loadConfig(schema, { file: join(folder, 'none.yaml'), env: {} })).toThrow(
      expect.objectContaining({ code: 'CONFIG_NOT_FOUND' }),
    );
  });

  test('is looked for in the flag, the environment and the directory, in this order', () => {
    file('', 'kmswatch.yaml');
    expect(findConfigFile('a.yaml', { KMSWATCH_CONFIG: 'b.yaml' }, folder)).toBe('a.yaml');
    expect(findConfigFile(undefined, { KMSWATCH_CONFIG: 'b.yaml' }, folder)).toBe('b.yaml');
    expect(findConfigFile(undefined, {}, folder)).toBe(join(folder, 'kmswatch.yaml'));
    expect(findConfigFile(undefined, {}, join(folder, 'elsewhere'))).toBeUndefined();
  });
});

describe('a secret', () => {
  const url = 'postgres://user:pass-word@db.example.com/x';

  test('can be in a file, whose line break does not count', () => {
    const secret = file(`${url}\n`, 'secret');
    expect(loadConfig(schema, { file: file(`database_url_file: ${secret}`), env: {} }).database_url).toBe(url);
    expect(loadConfig(schema, { env: { DATABASE_URL_FILE: secret } }).database_url).toBe(url);
  });

  test('is never value and file at once in one place, but the environment replaces either of the file', () => {
    const secret = file('redis://file', 'secret');
    expect(problems(`redis_url: redis://value\nredis_url_file: ${secret}`)).toEqual([
      '/kmswatch.yaml:2 redis_url_file and redis_url are both set; set one of them',
    ]);
    expect(problems('', { REDIS_URL: 'redis://value', REDIS_URL_FILE: secret })).toEqual([
      'environment variable REDIS_URL_FILE redis_url_file and redis_url are both set; set one of them',
    ]);
    const config = loadConfig(schema, { file: file(`redis_url_file: ${secret}`), env: { REDIS_URL: 'redis://env' } });
    expect(config.redis_url).toBe('redis://env');
    expect(loadConfig(schema, { file: file('redis_url: redis://value'), env: { REDIS_URL_FILE: secret } }).redis_url).toBe('redis://file');
  });

  test.each([
    ['is not there', 'none'],
    ['is empty', 'empty'],
  ])('file that %s is told with its name', (_name, name) => {
    file('\n', 'empty');
    const [only] = problems(`redis_url_file: ${join(folder, name)}`);
    expect(only).toMatch(new RegExp(`:1 redis_url_file cannot be used: .*${name}`));
  });

  test('is not shown, neither in a problem nor in print', () => {
    expect(problems('database_url: [pass-word]').join()).not.toContain('pass-word');
    const config = loadConfig(schema, { env: { DATABASE_URL: url, REDIS_URL: 'just-a-secret' } });
    expect(redactConfig(schema, config)).toMatchObject({ database_url: 'postgres://user:***@db.example.com/x', redis_url: '***' });
    expect(config.database_url).toBe(url);
  });
});

describe('what is generated', () => {
  test('the example file is valid, means the defaults, and names every key', () => {
    const example = exampleYaml(schema, ['kmswatch', '', 'All keys.']);
    expect(loadConfig(schema, { file: file(example), env: {} })).toEqual(loadConfig(schema, { env: {} }));
    const uncommented = example.replaceAll(/^(\s*)# ([a-z_]+: \S)/gm, '$1$2').replaceAll(/^.*_file:.*$/gm, '');
    expect(loadConfig(schema, { file: file(uncommented), env: {} })).toMatchObject({
      database_url: expect.any(String),
      redis_url: expect.any(String),
    });
    for (const key of ['database_url', 'redis_url_file', 'record_bytes', 'accounts', 'tags'])
      expect(example).toMatch(new RegExp(`^ *(# )?${key}:`, 'm'));
  });

  test('the reference has one row a key and is the same each time', () => {
    const reference = configReference(schema);
    expect(reference).toBe(configReference(schema));
    expect(reference).toContain(
      '| `listen` | text | `127.0.0.1:8787` | `KMSWATCH_LISTEN`, `--listen` | HOST:PORT of the status page, the API and the metrics. |',
    );
    expect(reference).toContain('| `limits.record_bytes` | an integer from 1 to 1000000 | `1000` |');
    expect(reference.trim().split('\n')).toHaveLength(2 + 12);
  });
});
