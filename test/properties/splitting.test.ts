import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { record, split, splitPieces, texts } from '../unit/sources/splitting.ts';

const CONTAINER_KEYS = ['Records', 'Events', 'logEvents'] as const;

/** Objects that are no containers themselves: their keys are never those of one. */
const plainObject = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 6 }).map((key) => `k${key}`),
  fc.jsonValue({ maxDepth: 3 }),
  {
    maxKeys: 4,
    noNullPrototype: true,
  },
);
const container = fc
  .tuple(fc.constantFrom(...CONTAINER_KEYS), fc.array(plainObject, { maxLength: 4 }), plainObject, plainObject)
  .map(([key, list, before, after]) => ({
    ...before,
    [key]: list,
    ...Object.fromEntries(Object.entries(after).map(([name, value]) => [`z${name}`, value])),
  }));
const value = fc.oneof(plainObject, container, fc.array(fc.oneof(plainObject, container, fc.integer()), { maxLength: 4 }));
/** A text of JSON values in every layout. */
const text = fc
  .array(fc.tuple(value, fc.constantFrom(0, 1, 2, '\t'), fc.constantFrom('', ' ', '\n', '\r\n', '\n\n', '\n\uFEFF')), { maxLength: 6 })
  .map((parts) => ({
    values: parts.map(([one]) => one),
    text: parts.map(([one, indent, gap]) => JSON.stringify(one, null, indent) + gap).join(''),
  }));

const SCRAPS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  ' ',
  '\n',
  ',{"a":',
  '{"a":1}',
  ']}',
  '\n{',
  '\uFEFF',
  'é',
  '{"eventVersion":"1"}',
  ',{"eventVersion":',
];
const CONTAINER_SCRAPS = ['{"Records":[', '{"logFiles":[]}', '"Events":[', ']},{"Records":['];

/** Anything but JSON, though it looks like it at places. */
function soup(scraps: readonly string[]): fc.Arbitrary<Buffer> {
  const scrap = fc.constantFrom(...scraps).map((one) => Buffer.from(one));
  const junk = fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes));
  return fc.array(fc.oneof({ weight: 6, arbitrary: scrap }, junk), { maxLength: 60 }).map((parts) => Buffer.concat(parts));
}

function read(one: unknown): unknown[] {
  if (Array.isArray(one))
    return one.flatMap((element: unknown): unknown[] =>
      Array.isArray(element) || typeof element !== 'object' ? [element] : read(element),
    );
  const lists = CONTAINER_KEYS.flatMap((key) => {
    const list = (one as Record<string, unknown>)[key];
    return Object.hasOwn(one as object, key) && Array.isArray(list) ? [list as unknown[]] : [];
  });
  return lists.length > 0 ? lists.flat() : [one];
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe('splitting', () => {
  it('finds the records that JSON.parse finds, whatever the layout and wherever the input is cut', () => {
    fc.assert(
      fc.property(text, cuts, ({ values, text: written }, sizes) => {
        const all = splitPieces(cut(Buffer.from(written), sizes));
        expect(all.quarantined).toEqual([]);
        expect(texts(all).map((one) => JSON.parse(one) as unknown)).toEqual(JSON.parse(JSON.stringify(values.flatMap(read))));
        for (const { offset, bytes } of all.records) {
          expect(
            Buffer.from(written)
              .subarray(offset, offset + bytes.length)
              .equals(bytes),
          ).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('does not depend on where the input is cut, whatever the input', () => {
    fc.assert(
      fc.property(
        soup([...SCRAPS, ...CONTAINER_SCRAPS]),
        cuts,
        fc.constantFrom(5, 30, 1000),
        fc.constantFrom(2, 4, 256),
        (bytes, sizes, maxRecordBytes, maxDepth) => {
          const limits = { maxRecordBytes, maxDepth };
          const whole = split(bytes, limits);
          expect(plain(splitPieces(cut(bytes, sizes), limits))).toEqual(plain(whole));
          expect([...whole.records, ...whole.quarantined].map((one) => one.ordinal).sort((a, b) => Number(a) - Number(b))).toEqual(
            Array.from({ length: whole.records.length + whole.quarantined.length }, (_, ordinal) => ordinal),
          );
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('drops nothing but white space, commas and the brackets of lists', () => {
    fc.assert(
      fc.property(soup(SCRAPS), fc.constantFrom(5, 30, 1000), (bytes, maxRecordBytes) => {
        const { records, quarantined } = split(bytes, { maxRecordBytes, maxDepth: 256 });
        const left = Buffer.from(bytes);
        for (const { offset, bytes: taken } of records) left.fill(' ', offset, offset + taken.length);
        for (const { offset, length } of quarantined) left.fill(' ', offset!, offset! + length!);
        expect(left.toString().replaceAll(/[\s,[\]\uFEFF]/g, '')).toBe('');
      }),
      { numRuns: 2000 },
    );
  });

  const damage = fc.record({
    index: fc.nat(4),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    how: fc.constantFrom('cut', 'drop', 'quote', 'open', 'close', 'byte'),
  });

  it.each(['lines', 'pretty', 'Records', 'pretty Records'] as const)('loses no neighbour of a damaged record (%s)', (form) => {
    fc.assert(
      fc.property(damage, cuts, ({ index, at, how }, sizes) => {
        const indent = form.startsWith('pretty') ? 2 : 0;
        const good = Array.from({ length: 5 }, (_, number) => Buffer.from(JSON.stringify(record(number), null, indent)));
        const all = good.map((bytes, number) => (number === index ? harm(bytes, Math.floor(at * bytes.length), how) : bytes));
        const listed = form.endsWith('Records');
        const parts = all.flatMap((bytes, number) => (number === 0 ? [bytes] : [Buffer.from(listed ? ',' : '\n'), bytes]));
        const input = Buffer.concat([Buffer.from(listed ? '{"Records":[' : ''), ...parts, Buffer.from(listed ? ']}' : '\n')]);
        const found = new Set(texts(splitPieces(cut(input, sizes))));
        const missing = good.filter((bytes, number) => number !== index && !found.has(bytes.toString()));
        expect(missing.map(String)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

function harm(bytes: Buffer, at: number, how: string): Buffer {
  const rest = bytes.subarray(how === 'drop' || how === 'byte' ? at + 1 : at);
  const insert = { cut: '', drop: '', quote: '"', open: '{', close: '}', byte: '\u0000' }[how] ?? '';
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), how === 'cut' ? Buffer.alloc(0) : rest]);
}

function plain(all: ReturnType<typeof split>): unknown {
  return {
    records: all.records.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString('hex') })),
    quarantined: all.quarantined.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString('hex') })),
  };
}
