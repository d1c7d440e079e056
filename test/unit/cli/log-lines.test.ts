import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { logLines } from '../../../services/cli/log-lines.ts';
import { createStatusLine } from '../../../services/cli/status-line.ts';
import { capture } from '../../support/out.ts';

const ENTRY = `${JSON.stringify({
  level: 'warn',
  time: '2026-11-24T18:41:30.030Z',
  receiver: 'log',
  err: { message: 'gone', stack: 'at x' },
  findings: [{ id: '8b608317194e120a', title: 'a finding' }, { id: 'f9ccb2435e6edc93' }],
  msg: 'session \u001b[31mevil',
})}\n`;

describe('a log line', () => {
  test('stays the JSON that it is where nobody watches', () => {
    const stream = capture();
    logLines(stream, createStatusLine(stream)).write(ENTRY);
    expect(stream.text).toBe(ENTRY);
  });

  test('is one line for people on a terminal: errors by their message, lists of objects by their number, nothing that steers it', () => {
    const stream = capture({ isTTY: true });
    logLines(stream, createStatusLine(stream)).write(ENTRY);
    const said = stripVTControlCharacters(stream.text).trim();
    expect(said).toBe('18:41:30 warn  session \\x1b[31mevil receiver=log err=gone findings=[2]');
  });
});
