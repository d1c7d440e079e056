import { describe, expect, test } from 'vitest';
import { bar, createStatusLine } from '../../../services/cli/status-line.ts';
import { capture } from '../../support/out.ts';

describe('on a terminal', () => {
  test('the line is drawn over, and what is printed goes above it', () => {
    let now = 0;
    const stream = capture({ isTTY: true, columns: 20 });
    const status = createStatusLine(stream, () => now);
    status.show('one');
    now = 1_000;
    status.show('two');
    status.print('a remark\n');
    status.clear();
    status.print('done\n');
    expect(stream.text).toBe('one\r\u001b[2Ktwo\r\u001b[2Ka remark\ntwo\r\u001b[2Kdone\n');
  });

  test('it never is as wide as the terminal, and is drawn ten times a second at most', () => {
    const stream = capture({ isTTY: true, columns: 10 });
    const status = createStatusLine(stream, () => 0);
    status.show('x'.repeat(50));
    status.show('again');
    expect(stream.text).toBe('x'.repeat(9));
  });
});

describe('elsewhere', () => {
  test('plain lines come every five seconds, none for what is quicker', () => {
    let now = 0;
    const stream = capture();
    const status = createStatusLine(stream, () => now);
    for (now = 0; now <= 11_000; now += 500) status.show(`at ${now}`);
    status.clear();
    expect(stream.text).toBe('at 5000\nat 10000\n');
  });
});

test.each([
  [0, 10, '  0 %', 0],
  [5, 10, ' 50 %', 10],
  [10, 10, '100 %', 20],
  [12, 10, '100 %', 20],
  [0, 0, '100 %', 20],
])('%d of %d are%s', (done, total, percent, cells) => {
  expect(bar(done, total)).toBe(`[${'█'.repeat(cells)}${'─'.repeat(20 - cells)}] ${percent}`);
});
