import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visible, visibleJson, visibleLines } from '../../../../services/api/text/visible.ts';

const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** Any text, rich in what terminals and readers can be fooled with. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u001b[2J', '\u009b31m', '\r', '\n', '\u202e', '\u2066', '\u200d', '\ud800', '\u0007', '\u{e0041}', '\u2028'),
    ),
  )
  .map((parts) => parts.join(''));

describe('visible', () => {
  test.each([
    ['an escape sequence', '\u001b]0;title\u0007x', String.raw`\x1b]0;title\x07x`],
    ['a C1 control', '\u009b31mred', String.raw`\x9b31mred`],
    ['line breaks', 'a\r\nb\u2028c', String.raw`a\x0d\x0ab\u{2028}c`],
    ['a right-to-left override', 'admin\u202Enimda', String.raw`admin\u{202e}nimda`],
    ['what cannot be seen', 'ad\u200Bmin\u00AD', String.raw`ad\u{200b}min\xad`],
    ['a lone surrogate', 'x\uD800y', String.raw`x\u{d800}y`],
  ])('shows %s as an escape', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('leaves what people write as it is', () => {
    expect(visible('Größe 鍵 مفتاح 🔑 {"a": 1}')).toBe('Größe 鍵 مفتاح 🔑 {"a": 1}');
  });

  test('never lets a steering character through, whatever the text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(visible(text)).not.toMatch(DANGEROUS);
        expect(visible(text).isWellFormed()).toBe(true);
      }),
    );
  });

  test('is at most as long as asked for, and says that something is missing', () => {
    expect(visible('abcdef', 4)).toBe('abc…');
    expect(visible('abcd', 4)).toBe('abcd');
  });
});

test('visibleLines keeps line breaks and nothing else', () => {
  expect(visibleLines('a\n\u001bb\r\n')).toBe('a\n\\x1bb\\x0d\n');
});

test('visibleJson means the same as before and lets no steering character through', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), hostile, (value, text) => {
      const json = visibleJson(JSON.stringify({ value, [text]: text }, null, 2));
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, [text]: text })));
      expect(json.replaceAll('\n', '')).not.toMatch(DANGEROUS);
    }),
  );
});
