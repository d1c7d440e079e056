import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../../support/out.ts';

const WORLDS = [
  { world: 'company', more: ['--days', '1'] },
  { world: 'organization', more: ['--days', '2', '--accounts', '3', '--keys', '9', '--playbook', 'none'] },
] as const;

describe.each(WORLDS)('digests of a simulated $world', ({ world, more }) => {
  let home = '';
  let summary: Record<string, number> = {};
  const simulate = (folder: string, ...others: string[]) =>
    inProcess(['simulate', '--out', folder, '--world', world, ...more, '--end', '2026-03-14T10:20:00Z', '--json', ...others], home);
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'kmswatch-digests-'));
    const { stdout } = await simulate('made', '--digests');
    summary = JSON.parse(stdout) as Record<string, number>;
  });
  afterAll(() => rmSync(home, { recursive: true }));

  async function verify(): Promise<{ code: number; verdict: string; valid: number; problems: { verdict: string; object: string }[] }> {
    const inputs = ['--path', 'made', '--public-keys', 'made/public-keys.json', '--metadata', 'made/digest-metadata.json'];
    const { code, stdout } = await inProcess(['verify', ...inputs, '--json'], home);
    const told = JSON.parse(stdout) as { verdict: string; log_files: { valid: number }; problems: { verdict: string; object: string }[] };
    return { code, verdict: told.verdict, valid: told.log_files.valid, problems: told.problems };
  }

  it('prove every log file', async () => {
    expect(await verify()).toEqual({ code: 0, verdict: 'verified', valid: summary['files'], problems: [] });
    expect(summary['digests']).toBeGreaterThan(40);
  });

  it.each(['CloudTrail', 'CloudTrail-Digest'])('prove nothing of a file below %s of which one byte was altered', async (kind) => {
    const path = filesBelow(join(home, 'made', 'AWSLogs')).find((name) => name.includes(`/${kind}/`)) ?? '';
    const before = readFileSync(path);
    const content = gunzipSync(before);
    const at = content.indexOf('2026') + 3;
    content[at] = '5'.charCodeAt(0);
    writeFileSync(path, gzipSync(content));
    const { code, verdict, problems } = await verify();
    writeFileSync(path, before);
    expect({ code, verdict }).toMatchObject({ code: 1 });
    expect(verdict).not.toBe('verified');
    expect(problems.some(({ object }) => path.endsWith(object))).toBe(true);
  });

  it('leave the log files as they are without', async () => {
    await simulate('plain');
    const logs = (folder: string): string[] =>
      filesBelow(join(home, folder, 'AWSLogs')).filter((name) => !name.includes('/CloudTrail-Digest/'));
    expect(logs('plain').map((name) => name.slice(join(home, 'plain').length))).toEqual(
      logs('made').map((name) => name.slice(join(home, 'made').length)),
    );
    for (const name of logs('plain'))
      expect(readFileSync(name).equals(readFileSync(name.replace(join(home, 'plain'), join(home, 'made'))))).toBe(true);
  });
});

describe('kmswatch simulate --world organization', () => {
  let home = '';
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'kmswatch-simulate-'));
  });
  afterAll(() => rmSync(home, { recursive: true }));
  const small = [
    'simulate',
    '--out',
    '.',
    '--world',
    'organization',
    '--days',
    '40',
    '--accounts',
    '3',
    '--keys',
    '12',
    '--scale',
    '0.1',
    '--end',
    '2026-03-14',
  ];

  it('writes the labels of injected stories beside the log files, and none of them into a log file', async () => {
    const { code, stdout } = await inProcess([...small, '--playbook', 'policy-back-door:quiet', '--playbook', 'root-uses-keys'], home);
    expect(code).toBe(0);
    expect(stdout).toContain('2 injected stories in stories.json');
    const { stories } = JSON.parse(readFileSync(join(home, 'stories.json'), 'utf8')) as { stories: Record<string, unknown>[] };
    expect(stories.map(({ playbook, variant }) => `${String(playbook)}:${String(variant)}`).toSorted()).toEqual([
      'policy-back-door:quiet',
      'root-uses-keys:loud',
    ]);
    for (const { starts_at: from, ends_at: to } of stories) expect(Date.parse(String(from))).toBeLessThanOrEqual(Date.parse(String(to)));
    const logs = filesBelow(join(home, 'AWSLogs'));
    expect(logs.every((name) => name.endsWith('.json.gz'))).toBe(true);
    expect(logs.some((name) => gunzipSync(readFileSync(name)).includes('policy-back-door'))).toBe(false);
  });

  it.each([
    [['--playbook', 'nobody'], 'There is no playbook nobody.'],
    [['--playbook', 'all:noisy'], 'There is no variant noisy.'],
    [['--keys', '2'], 'a key for each'],
  ])('refuses %j', async (wrong, message) => {
    const { code, stderr } = await inProcess([...small, ...wrong], home);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(name).isFile())
    .sort();
}
