import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNewEnough } from '../../../bin/node24.mjs';

/** Stands in for the command: says what it gets, and ends 3 s after it began at the latest. */
const MAIN = `
const say: (...words: unknown[]) => void = console.log;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { say(signal); if (signal === 'SIGTERM') process.exit(5); });
say('ready', process.argv.slice(2).join(' '));
if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]));
if (process.argv[2] === 'crash') process.kill(process.pid, 'SIGKILL');
setTimeout(() => process.exit(9), 3_000);
`;

describe('the launcher', () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'kmswatch-launcher-'));
    cpSync(fileURLToPath(new URL('../../../bin', import.meta.url)), join(root, 'bin'), { recursive: true });
    mkdirSync(join(root, 'services/cli'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    writeFileSync(join(root, 'services/cli/main.ts'), MAIN);
    // Takes the way of an old Node, which a test that runs on Node 24 cannot take otherwise.
    const old = `import { runAndExit } from './bin/node24.mjs'; runAndExit(process.execPath, ['bin/kmswatch.mjs', ...process.argv.slice(2)]);`;
    writeFileSync(join(root, 'old.mjs'), old);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  function launch(
    file: string,
    ...args: string[]
  ): { child: ChildProcess; output: () => string; said: (word: string) => Promise<void>; ended: Promise<unknown[]> } {
    const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const said = async (word: string): Promise<void> => {
      while (!output.includes(word)) await once(child.stdout, 'data');
    };
    return { child, output: () => output, said, ended: once(child, 'close') };
  }

  it.each(['old.mjs', 'bin/kmswatch.mjs'])('hands on arguments and exit code and prints nothing of its own (%s)', async (file) => {
    const { ended, output } = launch(file, 'exit', '3');
    expect(await ended).toEqual([3, null]);
    expect(output()).toBe('ready exit 3\n');
  });

  it('ends by the signal that the command ended by', async () => {
    expect(await launch('old.mjs', 'crash').ended).toEqual([null, 'SIGKILL']);
  });

  it('forwards each signal once', async () => {
    const { child, ended, output, said } = launch('old.mjs', 'wait');
    await said('ready');
    child.kill('SIGINT');
    await said('SIGINT');
    child.kill('SIGTERM');
    expect(await ended).toEqual([5, null]);
    expect(output()).toBe('ready wait\nSIGINT\nSIGTERM\n');
  });

  it('takes the command along when it is killed without warning', async () => {
    const { child, ended, output, said } = launch('old.mjs', 'wait');
    await said('ready');
    child.kill('SIGKILL');
    await ended;
    expect(output()).toBe('ready wait\nSIGTERM\n');
  });

  it.each([
    ['20.20.2', false],
    ['24.2.0', false],
    ['24.3.0', true],
    ['25.0.0', true],
  ])('knows whether Node %s runs TypeScript without a warning: %s', (version, expected) => {
    expect(isNewEnough(version)).toBe(expected);
  });
});
