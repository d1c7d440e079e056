import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { paint } from '../../../services/cli/out.ts';
import { table } from '../../../services/cli/table.ts';
import { capture } from '../../support/out.ts';

const COLUMNS = [{ head: 'ID' }, { head: 'WHAT', least: 8 }, { head: 'N', align: 'right' }] as const;

describe('table', () => {
  test('puts columns below their heads and numbers to the right', () => {
    expect(
      table(capture(), COLUMNS, [
        ['a', 'one', '1'],
        ['bb', 'another', '20'],
      ]),
    ).toBe(['ID  WHAT      N', 'a   one       1', 'bb  another  20', ''].join('\n'));
  });

  test('breaks flexible columns into lines to fit the width, and loses nothing', () => {
    const drawn = table(capture({ columns: 24 }), COLUMNS, [['abcdef', 'four words are here', '7']]);
    const lines = drawn.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(24);
    expect(drawn.replace(/\s+/g, ' ')).toContain('abcdef four words 7 are here');
  });

  test('breaks a word that is longer than its column instead of cutting it off', () => {
    const arn = `arn:aws:kms:eu-central-1:111122223333:key/${'x'.repeat(36)}`;
    const drawn = table(capture({ columns: 40 }), [{ head: 'KEY', least: 20 }], [[arn]]);
    expect(drawn.replace('KEY', '').replace(/\s+/g, '')).toBe(arn);
    expect(drawn).not.toContain('…');
  });

  test('keeps the id of a key in one piece while a column of sentences can give way', () => {
    const id = 'f31c4580-68c4-43c2-8f25-9360c7627485';
    const columns = [
      { head: 'KEY', least: 14 },
      { head: 'WHY', least: 10 },
    ];
    const row = [id, 'because somebody did something that nobody had expected'];
    expect(table(capture({ columns: 60 }), columns, [row])).toContain(id);
    expect(table(capture({ columns: 40 }), columns, [row])).not.toContain(id);
  });

  test('colours take no room', () => {
    const stream = capture({ color: true });
    const plain = table(capture(), COLUMNS, [['a', 'one', '1']]);
    expect(stripVTControlCharacters(table(stream, COLUMNS, [[paint(stream, 'red', 'a'), 'one', '1']]))).toBe(plain);
  });

  test('wide characters do not push the next column', () => {
    const lines = table(
      capture(),
      [{ head: 'NAME' }, { head: 'X' }],
      [
        ['鍵鍵鍵', 'x'],
        ['abcdef', 'x'],
      ],
    ).split('\n');
    expect(lines[1]).toBe('鍵鍵鍵  x');
    expect(lines[2]).toBe('abcdef  x');
  });
});
