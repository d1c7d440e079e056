import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPaths, type Found, walk } from '../../../../services/sources/replay/walk.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmswatch-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function found(path = folder): Promise<[string, string][]> {
  const all: Found[] = [];
  for await (const one of walk(path)) all.push(one);
  return all.map(({ kind, path: at }) => [at.slice(folder.length + 1), kind]);
}

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), name);
  }
}

describe('walk', () => {
  it('finds every file of the S3 layout in the order of names, digests and hidden files too', async () => {
    const names = [
      '.hidden',
      'AWSLogs/111122223333/CloudTrail/eu-central-1/2024/03/01/b.json.gz',
      'AWSLogs/111122223333/CloudTrail/eu-central-1/2024/03/02/a.json.gz',
      'AWSLogs/111122223333/CloudTrail/us-east-1/2024/03/01/a.json.gz',
      'AWSLogs/111122223333/CloudTrail-Digest/eu-central-1/2024/03/01/d.json.gz',
      'z.json',
    ];
    await put(...names.toReversed());
    expect(await found()).toEqual(names.map((name) => [name, 'file']));
  });

  it('gives size and time of a file', async () => {
    await put('a');
    const [one] = await Array.fromAsync(walk(join(folder, 'a')));
    expect(one).toMatchObject({ kind: 'file', path: join(folder, 'a'), size: 1, mtimeMs: expect.any(Number) });
  });

  it('follows links, and ends although they make circles', async () => {
    await put('a/b/file', 'c/other');
    await symlink('../..', join(folder, 'a/b/up'));
    await symlink('a/b/file', join(folder, 'link'));
    await symlink('c', join(folder, 'd'));
    expect(await found()).toEqual([
      ['a/b/file', 'file'],
      ['c/other', 'file'],
      ['link', 'file'],
    ]);
    expect(await found(join(folder, 'd'))).toEqual([['d/other', 'file']]);
  });

  it('leaves nothing out without a word: dangling links, link circles, sockets, named pipes', async () => {
    await put('good');
    await symlink('nowhere', join(folder, 'dangling'));
    await symlink('circle', join(folder, 'circle'));
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
    expect(await found()).toEqual([
      ['circle', 'unreadable'],
      ['dangling', 'unreadable'],
      ['good', 'file'],
      ['pipe', 'unreadable'],
      ['socket', 'unreadable'],
    ]);
    expect(await found(join(folder, 'pipe'))).toEqual([['pipe', 'pipe']]);
    await new Promise((resolve) => server.close(resolve));
  });

  it('finds nothing in an empty folder', async () => {
    expect(await found()).toEqual([]);
  });

  it('refuses paths that are not there, with a hint', async () => {
    await put('a');
    await expect(checkPaths([join(folder, 'a'), folder])).resolves.toBeUndefined();
    await expect(checkPaths([folder, join(folder, 'b')])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', hint: expect.any(String) });
  });
});
