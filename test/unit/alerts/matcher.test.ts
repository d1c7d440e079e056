import { describe, expect, test } from 'vitest';
import { createMatcher, matcherText, parseMatcher } from '../../../services/alerts/matcher.ts';
import { cpuMs } from '../../support/cpu.ts';

const LABELS = { severity: 'critical', account: '111122223333', owner: 'team-a', text: 'a "quoted" \\ line\nbreak' };

function matches(text: string): boolean | string {
  const parsed = parseMatcher(text);
  return parsed.ok ? parsed.matcher.matches(LABELS) : parsed.problem;
}

describe('a matcher', () => {
  test.each([
    ['severity="critical"', true],
    ['severity=critical', true],
    ['  severity  =  "critical"  ', true],
    ['severity="high"', false],
    ['severity="critica"', false],
    ['severity!="high"', true],
    ['severity!="critical"', false],
    ['severity=~"critical|high"', true],
    ['severity=~"crit"', false],
    ['severity=~"crit.*"', true],
    ['severity=~"high|crit"', false],
    ['severity!~"crit"', true],
    ['severity!~"crit.*"', false],
    ['account=111122223333', true],
    ['missing=""', true],
    ['missing=', true],
    ['missing!=""', false],
    ['missing=~".+"', false],
    ['owner=~"team-[ab]"', true],
    ['owner=~"(?i)TEAM-A"', true],
    ['text="a \\"quoted\\" \\\\ line\\nbreak"', true],
    ['__proto__=""', true],
    ['constructor=""', true],
    ['toString=~".+"', false],
  ])('%s: %s', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  test.each([
    ['', 'must be a label'],
    ['severity', 'must be a label'],
    ['="x"', 'must be a label'],
    ['1a="x"', 'must be a label'],
    ['severity=="x"', 'must be a label'],
    ['severity="x', 'must be a label'],
    ['severity="x" and', 'must be a label'],
    ['severity=~"("', 'no valid regular expression: missing closing'],
    ['severity=~"(?=x)"', 'no valid regular expression'],
    ['severity=~"(a)\\\\1"', 'no valid regular expression'],
    ['severity=~"((x{1000}){1000}){1000}"', 'invalid repeat count'],
    [`severity="${'x'.repeat(1_001)}"`, 'longer than 1000'],
  ])('%s is refused: %s', (text, why) => {
    expect(matches(text)).toContain(why);
  });

  test('takes time in proportion to the text, whatever the expression', () => {
    const parsed = createMatcher({ name: 'owner', operator: '=~', value: '(a+)+(a|aa)*(.*a){8}b' });
    if (!parsed.ok) throw new Error(parsed.problem);
    const { matcher } = parsed;
    expect(cpuMs(() => expect(matcher.matches({ owner: 'a'.repeat(2_000) })).toBe(false))).toBeLessThan(2_000);
  });

  test('says the same when it is written out and read again', () => {
    for (const text of ['a="b"', 'a!="x\\"y\\\\"', 'a=~"b|c"', 'a!~"\\\\d+"']) {
      const parsed = parseMatcher(text);
      const written = parsed.ok ? matcherText(parsed.matcher) : parsed.problem;
      const again = parseMatcher(written);
      expect(again).toMatchObject({ ok: true, matcher: parsed.ok ? { name: parsed.matcher.name, value: parsed.matcher.value } : {} });
    }
  });
});
