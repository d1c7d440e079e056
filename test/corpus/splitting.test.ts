import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import { openBytes } from '../../services/sources/read.ts';
import { splitPieces, texts } from '../unit/sources/splitting.ts';

const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
const LISTS = ['Records', 'Events', 'logEvents'] as const;

/** The records of a text by JSON.parse: of the whole text if it is one value, else of every line. */
function independently(text: string): unknown[] {
  const parse = (one: string): unknown[] => [JSON.parse(one)];
  let values: unknown[];
  try {
    values = parse(text);
  } catch {
    values = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .flatMap(parse);
  }
  return values.flatMap((value) => {
    if (Array.isArray(value)) return value as unknown[];
    const list = LISTS.map((key) => (value as Record<string, unknown>)[key]).find((one) => Array.isArray(one));
    return (list as unknown[] | undefined) ?? [value];
  });
}

/** Every file of the corpus; none on a machine that does not have it. */
function corpusFiles(): string[] {
  return [CORPUS, join(CORPUS, 'raw-forms')].flatMap((folder) => {
    const files = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
    return files.filter((file) => file.isFile() && !file.name.endsWith('.md')).map((file) => join(folder, file.name));
  });
}

describe('splitting of recorded files', () => {
  it('has files to compare wherever the corpus lies beside the repository', () => {
    expect(corpusFiles().length > 0).toBe(existsSync(CORPUS));
  });

  it.each(corpusFiles().map((path) => [relative(CORPUS, path), path] as const))('finds what JSON.parse finds in %s', async (_, path) => {
    const bytes = readFileSync(path);
    const expected = independently(bytes.toString());
    expect(expected.length).toBeGreaterThan(0);
    for (const opened of [await openBytes(bytes, DEFAULT_LIMITS), await openBytes(gzipSync(bytes), DEFAULT_LIMITS)]) {
      expect(opened.quarantined).toEqual([]);
      expect(texts({ records: [...opened.records] }).map((text) => JSON.parse(text) as unknown)).toEqual(expected);
    }
    const pieces = Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, index) =>
      bytes.subarray(index * 1_000, (index + 1) * 1_000),
    );
    expect(splitPieces(pieces).records).toHaveLength(expected.length);
  });
});
