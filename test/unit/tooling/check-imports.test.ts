import { describe, expect, it } from 'vitest';
import { checkImports, readSources } from '../../../scripts/check-imports.ts';

/** Violations of one planted file, beside the files that it may import. */
function plant(path: string, text: string): string[] {
  return checkImports(
    new Map([
      ['services/detectors/deletion/key-deleted.ts', 'export default defineDetector({});'],
      ['services/detectors/deletion/waiting-period.ts', 'export const DAYS = 7;'],
      [path, text],
    ]),
  );
}

describe('the rooms of the architecture', () => {
  it('are kept by every file of ours', () => {
    const sources = readSources(new URL('../../../', import.meta.url));
    expect(sources.size).toBeGreaterThan(20);
    expect(checkImports(sources)).toEqual([]);
  });

  it.each([
    ['core imports nothing of ours', 'services/core/a.ts', `import { b } from '../keys/b.ts';`],
    ['a type import counts too', 'services/core/a.ts', `import type { B } from '../store/b.ts';`],
    ['an inline import type counts too', 'services/core/a.ts', `export type A = import('../store/b.ts').B;`],
    ['a re-export counts too', 'services/normalize/a.ts', `export * from '../platform/b.ts';`],
    ['a named re-export counts too', 'services/normalize/a.ts', `export { b } from '../platform/b.ts';`],
    ['a dynamic import counts too', 'services/keys/a.ts', `export const a = () => import('../store/b.ts');`],
    ['platform knows nothing of KMS', 'services/platform/a.ts', `import { b } from '../keys/b.ts';`],
    ['simulate imports core only', 'services/simulate/a.ts', `import { b } from '../normalize/b.ts';`],
    ['sources do not store', 'services/sources/replay/a.ts', `import { b } from '../../store/b.ts';`],
    ['services do not import tests', 'services/cli/a.ts', `import { b } from '../../test/support/b.ts';`],
    ['an unknown room is refused', 'services/sundries/a.ts', `import { b } from '../core/b.ts';`],
    ['migrations import nothing of ours', 'migrations/0002_a.ts', `import { b } from '../services/core/b.ts';`],
    ['no detector a detector', 'services/detectors/deletion/a.ts', `import k from './key-deleted.ts';`],
    ['no detector a detector of another folder', 'services/detectors/access/a.ts', `import k from '../deletion/key-deleted.ts';`],
    ['no source a source', 'services/sources/s3-trail/a.ts', `import { b } from '../replay/b.ts';`],
    ['pure rooms do no I/O', 'services/detectors/a.ts', `import { readFileSync } from 'node:fs';`],
    ['pure rooms know no database', 'services/core/a.ts', `import { Kysely } from 'kysely';`],
    ['environment', 'services/cli/a.ts', `export const a = () => process.env.HOME;`],
    ['clock', 'services/store/a.ts', `export const a = () => Date.now();`],
    ['clock by constructor', 'services/store/a.ts', `export const a = () => new Date();`],
    ['timers', 'services/workers/a.ts', `export const a = () => setTimeout(() => 1, 5);`],
    ['timers by another name', 'services/workers/a.ts', `export const a = () => globalThis.setInterval(() => 1, 5);`],
    ['timers by module', 'services/workers/a.ts', `import { setTimeout as wait } from 'node:timers/promises';`],
    ['console', 'services/api/a.ts', `export const a = () => console.log('x');`],
    ['signals', 'services/platform/a.ts', `export const a = () => process.on('SIGTERM', () => 1);`],
    ['signals, once', 'services/cli/a.ts', `export const a = () => process.once("SIGINT", () => 1);`],
    ['nothing runs at import', 'services/core/a.ts', `start();`],
    ['names that say nothing', 'services/core/string-utils.ts', 'export const a = 1;'],
    ['folders that say nothing', 'test/helpers/a.ts', 'export const a = 1;'],
    ['a file that cannot be parsed', 'services/core/a.ts', 'export const = ;'],
  ])('catches a planted violation: %s', (_, path, text) => {
    expect(plant(path, text)).toEqual([expect.stringMatching(new RegExp(`^${path}:1: `))]);
  });

  it.each([
    ['own room', 'services/core/a.ts', `import { b } from './b.ts';`],
    ['detectors may use keys', 'services/detectors/deletion/a.ts', `import { b } from '../../keys/b.ts';`],
    ['the detector registry may import detectors', 'services/detectors/registry.ts', `import k from './deletion/key-deleted.ts';`],
    ['a detector may import what is no detector', 'services/detectors/deletion/a.ts', `import { DAYS } from './waiting-period.ts';`],
    [
      'the composition root may import all',
      'services/workers/a.ts',
      `import { b } from '../store/b.ts';\nimport { c } from '../sources/c.ts';`,
    ],
    ['platform has the clock', 'services/platform/a.ts', `export const a = () => Date.now();`],
    ['main.ts listens to signals and runs', 'services/cli/main.ts', `process.on('SIGINT', () => 1);`],
    ['words in comments and strings', 'services/core/a.ts', `// console.log, Date.now()\nexport const a = 'process.env';`],
    ['properties of the same name', 'services/core/a.ts', `export const a = (clock: { setTimeout: number }) => clock.setTimeout;`],
    ['a date of a given time', 'services/core/a.ts', `export const a = (t: number) => new Date(t);`],
  ])('allows %s', (_, path, text) => {
    expect(plant(path, text)).toEqual([]);
  });
});
