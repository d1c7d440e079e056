import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generate } from '../../../scripts/generate.ts';

describe('generated files', () => {
  let root: string;
  const generators = [() => new Map([['docs/reference/keys.md', 'keys\n']]), () => Promise.resolve(new Map([['example.yaml', 'a: 1\n']]))];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kmswatch-generate-'));
    mkdirSync(join(root, 'docs/reference'), { recursive: true });
    writeFileSync(join(root, 'docs/reference/keys.md'), 'edited by hand\n');
    writeFileSync(join(root, 'docs/reference/old.md'), 'of a generator that is gone\n');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('are reported when stale, missing or left over, and not touched by a check', async () => {
    expect(await generate(root, generators, false)).toEqual(['docs/reference/keys.md', 'docs/reference/old.md', 'example.yaml']);
    expect(readFileSync(join(root, 'docs/reference/keys.md'), 'utf8')).toBe('edited by hand\n');
    expect(existsSync(join(root, 'example.yaml'))).toBe(false);
  });

  it('are in order after they have been written', async () => {
    await generate(root, generators, true);
    expect(await generate(root, generators, false)).toEqual([]);
    expect(readFileSync(join(root, 'docs/reference/keys.md'), 'utf8')).toBe('keys\n');
    expect(existsSync(join(root, 'docs/reference/old.md'))).toBe(false);
  });
});
