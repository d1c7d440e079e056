import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testFolder } from '../../support/cli.ts';
import { inProcess } from '../../support/out.ts';

const OWN = join(import.meta.dirname, '../../fixtures/detectors');
const RULE = '3bff4ec5-0c07-4e0c-8f3a-6d6d5c0a0011';
const DISABLED = `title: A key was disabled
id: ${RULE}
logsource: { product: aws, service: cloudtrail }
level: low
detection:
  selection: { eventSource: kms.amazonaws.com, eventName: DisableKey }
  filter: { errorCode|exists: true }
  condition: selection and not filter
`;

interface Told {
  readonly passed: number;
  readonly failed: number;
  readonly fixtures: readonly {
    readonly fixture: string;
    readonly result: string;
    readonly unexpected: object;
    readonly missing: object;
    readonly problem: string | null;
  }[];
  readonly refused: readonly { readonly file: string; readonly line: number; readonly reason: string }[];
}

async function told(argv: readonly string[]): Promise<Told & { readonly code: number }> {
  const { code, stdout } = await inProcess(['detectors', 'test', ...argv, '--json']);
  return { code, ...(JSON.parse(stdout) as Told) };
}

/** A folder with a copy of one of our fixtures, changed. */
async function changed(detector: string, name: string, change: (fixture: Record<string, unknown>) => object) {
  const folder = await testFolder();
  const fixture = JSON.parse(await readFile(join(OWN, 'key-disabled/match-disabled.json'), 'utf8')) as Record<string, unknown>;
  await put(join(folder.path, detector, `${name}.json`), JSON.stringify(change(fixture)));
  return folder;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

describe('kmswatch detectors test', () => {
  test('passes on the fixtures of the detectors that ship, only those that were named', async () => {
    expect(await told(['key-disabled', 'source-silent', 'log-integrity-broken'])).toMatchObject({ code: 0, failed: 0 });
    const { code, stdout } = await inProcess(['detectors', 'test', 'key-disabled']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/key-disabled\/match-disabled +key-disabled +key-disabled +ok/);
    expect(stdout).toMatch(/key-disabled\/failed-not-found +nothing +nothing +ok/);
    expect(stdout).toMatch(/key-disabled\/mended +resolved: key-disabled +resolved: key-disabled +ok/);
    expect(stdout).toMatch(/\n4 passed, 0 failed\n$/);
  });

  test('says what fired and should not, and what did not fire, and fails', async () => {
    await using folder = await changed('key-disabled', 'wrong', (fixture) => ({
      ...fixture,
      expect: { open: ['alias-deleted'], resolved: ['rotation-disabled'] },
    }));
    const { code, stdout } = await inProcess(['detectors', 'test', '--fixtures', folder.path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/key-disabled\/wrong .*failed/);
    expect(stdout).toContain(`${folder.path}/key-disabled/wrong.json:
  fired and should not: key-disabled (open)
  did not fire: alias-deleted (open)
  did not fire: rotation-disabled (resolved)
0 passed, 1 failed
`);
    expect(await told(['--fixtures', folder.path])).toMatchObject({
      code: 1,
      passed: 0,
      failed: 1,
      fixtures: [
        {
          fixture: 'key-disabled/wrong',
          result: 'failed',
          unexpected: { open: ['key-disabled'], resolved: [] },
          missing: { open: ['alias-deleted'], resolved: ['rotation-disabled'] },
        },
      ],
    });
  });

  test('does not take a finding that is resolved for one that is open', async () => {
    await using folder = await changed('key-disabled', 'wrong', (fixture) => ({
      ...fixture,
      expect: { open: [], resolved: ['key-disabled'] },
    }));
    const { code, fixtures } = await told(['--fixtures', folder.path]);
    expect(code).toBe(1);
    expect(fixtures[0]).toMatchObject({ unexpected: { open: ['key-disabled'] }, missing: { resolved: ['key-disabled'] } });
  });

  test.each([
    ['is no JSON', () => 'no json', /JSON/],
    ['has no records', (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), records: [] }), /records/],
    ['has a field that does not exist', (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), expects: {} }), /expects/],
    [
      'has a record that is none',
      (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), records: [{ eventSource: 'kms.amazonaws.com' }] }),
      /record 1 is not understood: no-event-id/,
    ],
    [
      'names a parameter that does not exist',
      (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), config: { 'key-disabled': { minimum: 1 } } }),
      /minimum/,
    ],
    [
      'expects a detector that does not exist',
      (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), expect: { open: ['key-enabled'], resolved: [] } }),
      /there is no detector key-enabled/,
    ],
  ])('names the file and the reason when one %s, and judges the others', async (_what, change, reason) => {
    await using folder = await testFolder();
    const text = await readFile(join(OWN, 'key-disabled/match-disabled.json'), 'utf8');
    await put(join(folder.path, 'key-disabled/bad.json'), change(text));
    await put(join(folder.path, 'key-disabled/good.json'), text);
    const { code, stdout } = await inProcess(['detectors', 'test', '--fixtures', folder.path]);
    expect(code).toBe(1);
    expect(stdout).toContain(`${folder.path}/key-disabled/bad.json:\n`);
    expect(stdout.slice(stdout.indexOf('bad.json:'))).toMatch(reason);
    expect(stdout).toMatch(/1 passed, 1 failed\n$/);
  });

  test('refuses a detector of which there are no fixtures, and a folder that is not there', async () => {
    const unknown = await inProcess(['detectors', 'test', 'key-enabled']);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('there are no fixtures of a detector "key-enabled"');
    const absent = await inProcess(['detectors', 'test', '--fixtures', '/nonexistent/fixtures']);
    expect(absent).toMatchObject({ code: 1, stdout: '' });
    expect(absent.stderr).toContain('/nonexistent/fixtures cannot be read');
    await using empty = await testFolder();
    expect((await inProcess(['detectors', 'test', '--fixtures', empty.path])).stderr).toContain('there are no fixtures in');
  });

  test('runs fixtures of rules that the user brings, on records that matched and on those that did not', async () => {
    await using folder = await testFolder();
    await put(join(folder.path, 'rules/disabled.yml'), DISABLED);
    const own = `sigma-${RULE}`;
    for (const [name, open] of [
      ['match-disabled', ['key-disabled', own]],
      ['failed-not-found', []],
    ] as const) {
      const fixture = JSON.parse(await readFile(join(OWN, `key-disabled/${name}.json`), 'utf8')) as object;
      await put(join(folder.path, `fixtures/${own}/${name}.json`), JSON.stringify({ ...fixture, expect: { open, resolved: [] } }));
    }
    const given = ['--fixtures', join(folder.path, 'fixtures')];
    expect(await told([...given, '--rules', join(folder.path, 'rules')])).toMatchObject({ code: 0, passed: 2, failed: 0 });
    const without = await told(given);
    expect(without).toMatchObject({ code: 1, passed: 0, failed: 2 });
    expect(without.fixtures[0]?.problem).toBe(`there is no detector ${own}; rules of yours are loaded by --rules`);
  });

  test('judges no rule of the user in fixtures of other detectors, and fails when a rule is refused', async () => {
    await using folder = await testFolder();
    await put(join(folder.path, 'rules/disabled.yml'), DISABLED);
    await cp(join(OWN, 'key-disabled'), join(folder.path, 'fixtures/key-disabled'), { recursive: true });
    const argv = ['--fixtures', join(folder.path, 'fixtures'), '--rules', join(folder.path, 'rules')];
    expect(await told(argv)).toMatchObject({ code: 0, failed: 0 });
    await put(join(folder.path, 'rules/other.yml'), 'title: none\n');
    const refused = await told(argv);
    expect(refused).toMatchObject({ code: 1, failed: 0 });
    expect(refused.refused[0]).toMatchObject({ file: 'other.yml' });
  });
});
