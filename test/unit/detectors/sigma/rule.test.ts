import { describe, expect, it, test } from 'vitest';
import { readRules } from '../../../../services/detectors/sigma/rule.ts';
import { ruleSetOf, servicesOf } from '../../../../services/detectors/sigma/rule-set.ts';

const RECORD = {
  eventName: 'PutKeyPolicy',
  eventSource: 'kms.amazonaws.com',
  sourceIPAddress: '10.1.2.3',
  errorCode: null,
  readOnly: false,
  userAgent: 'aws-cli/2.15 Python/3.11',
  userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/Deploy/ci', userName: 'Deploy' },
  requestParameters: { keyId: '0a0a0a0a-0000-4000-8000-000000000001', bytes: 64, list: ['a', { name: 'b*c' }], nothing: null },
};

describe('a selection', () => {
  test.each([
    ['text, whatever its case', 'eventName: putkeypolicy', true],
    ['other text', 'eventName: PutKey', false],
    ['a list of values', 'eventName: [DisableKey, PutKeyPolicy]', true],
    ['a wildcard', "eventName: 'Put*Policy'", true],
    ['one character', "eventName: 'Put?eyPolicy'", true],
    ['one character too few', "eventName: 'Put?Policy'", false],
    ['an escaped wildcard', "requestParameters.list.name: 'b\\*c'", true],
    ['an escaped wildcard that is none', "eventName: 'Put\\*Policy'", false],
    ['contains', 'userAgent|contains: PYTHON', true],
    ['contains, case respected', 'userAgent|contains|cased: PYTHON', false],
    ['contains all', 'userAgent|contains|all: [aws-cli, python]', true],
    ['contains all but one', 'userAgent|contains|all: [aws-cli, ruby]', false],
    ['startswith', 'userAgent|startswith: aws-', true],
    ['startswith with a wildcard', "userAgent|startswith: 'aws-*/2'", true],
    ['endswith', 'userAgent|endswith: /3.11', true],
    ['endswith of a middle', 'userAgent|endswith: Python', false],
    ['a regular expression', "userIdentity.arn|re: '::\\d{12}:assumed-role/'", true],
    ['a regular expression respects case', 'eventName|re: putkeypolicy', false],
    ['a regular expression told not to', 'eventName|re|i: ^putkeypolicy$', true],
    ['a network', 'sourceIPAddress|cidr: 10.0.0.0/8', true],
    ['another network', 'sourceIPAddress|cidr: 192.168.0.0/16', false],
    ['a network against what is no address', 'eventName|cidr: 0.0.0.0/0', false],
    ['exists', 'requestParameters.keyId|exists: true', true],
    ['exists not', 'requestParameters.policy|exists: false', true],
    ['null for what is null', 'errorCode: null', true],
    ['null for what is missing', 'errorMessage: null', true],
    ['null for what is there', 'eventName: null', false],
    ['a truth value', 'readOnly: false', true],
    ['a truth value written as text', "readOnly: 'False'", true],
    ['a number', 'requestParameters.bytes: 64', true],
    ['a larger number', 'requestParameters.bytes|gte: 65', false],
    ['a number in order', 'requestParameters.bytes|lt: 65', true],
    ['an element of a list', 'requestParameters.list: a', true],
    ['a whole object by its JSON', 'requestParameters|contains: \'"bytes":64\'', true],
    ['a field like another', 'userIdentity.arn|fieldref|contains: userIdentity.userName', true],
    ['a field unlike another', 'userIdentity.arn|fieldref: userIdentity.userName', false],
    ['what is no own field', 'constructor: "*"', false],
    ['what lies in the prototype', '__proto__.constructor|exists: true', false],
  ])('%s', (_name, field, expected) => {
    expect(matches(`  sel:\n    ${field}\n  condition: sel`)).toBe(expected);
  });

  it('joins fields by and, and maps in a list by or', () => {
    expect(matches('  sel:\n    eventName: PutKeyPolicy\n    readOnly: true\n  condition: sel')).toBe(false);
    expect(matches('  sel:\n    - readOnly: true\n    - eventName: PutKeyPolicy\n  condition: sel')).toBe(true);
  });

  it('finds words anywhere in the record', () => {
    expect(matches('  words: [deploy]\n  condition: words')).toBe(true);
    expect(matches('  words: [nowhere]\n  condition: words')).toBe(false);
  });
});

describe('a condition', () => {
  test.each([
    ['yes and no', false],
    ['yes or no', true],
    ['not no', true],
    ['no or yes and no', false],
    ['(no or yes) and yes', true],
    ['yes and not (no or yes)', false],
    ['1 of sel_*', true],
    ['all of sel_*', false],
    ['any of them', true],
    ['all of them', false],
    ['yes and not 1 of sel_y*', false],
    ['YES_IS_CASED or yes', null],
    ['yes and', null],
    ['(yes', null],
    ['yes yes', null],
    ['1 of other_*', null],
    ['yes | count() > 5', null],
    ['', null],
  ])('%s: %s', (condition, expected) => {
    const selections = 'yes sel_yes no sel_no'.split(' ').map((name) => `  ${name}:\n    readOnly: ${String(name.endsWith('no'))}`);
    expect(matches(`${selections.join('\n')}\n  condition: '${condition}'`)).toBe(expected);
  });
});

describe('a rule that cannot be loaded', () => {
  const HEAD = 'title: A rule\nid: 3bff4ec5-0c07-4e0c-8f3a-6d6d5c0a0001\nlogsource:\n  product: aws\n  service: cloudtrail\n';
  test.each([
    [
      'a modifier nobody knows',
      `${HEAD}detection:\n  sel:\n    eventName: X\n    eventName|base64: Y\n  condition: sel`,
      9,
      /modifier "base64"/,
    ],
    ['look-behind', `${HEAD}detection:\n  sel:\n    eventName|re: '(?<=a)b'\n  condition: sel`, 8, /regular expression/],
    [
      'another log source',
      'title: A\nid: 3bff4ec5-0c07-4e0c-8f3a-6d6d5c0a0001\nlogsource:\n  product: windows\ndetection:\n  condition: a',
      4,
      /log source/,
    ],
    ['no id', 'title: A rule\nlogsource:\n  product: aws\n', 1, /needs an id/],
    ['a bad network', `${HEAD}detection:\n  sel:\n    sourceIPAddress|cidr: 10.0.0.0/33\n  condition: sel`, 8, /network/],
    ['a missing selection', `${HEAD}detection:\n  sel:\n    eventName: X\n  condition: other`, 9, /"other"/],
    ['an unknown level', `${HEAD}level: dreadful\ndetection:\n  sel:\n    a: b\n  condition: sel`, 6, /level "dreadful"/],
    ['a correlation', 'title: A\ncorrelation:\n  type: event_count', 3, /correlations/],
    ['no YAML', 'title: [', 1, /no valid YAML/],
    ['an alias bomb', `a: &a [x]\nb: *a`, 1, /aliases/],
    ['depth', `${'a:\n'.repeat(0)}${Array.from({ length: 60 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}`, 1, /deeper/],
    ['a list for a rule', '- a', 1, /must be a map/],
  ])('says why: %s', (_name, text, line, reason) => {
    const { rules, refused } = readRules(text);
    expect(rules).toEqual([]);
    expect(refused).toEqual([{ line, reason: expect.stringMatching(reason) as string }]);
  });

  it('does not keep its neighbours from being loaded', () => {
    const rule = `${HEAD}detection:\n  sel:\n    eventName: X\n  condition: sel`;
    const { rules, refused } = readRules(`title: [\n---\n${rule}`);
    expect(rules.map(({ title }) => title)).toEqual(['A rule']);
    expect(refused).toHaveLength(1);
  });
});

it('an expensive regular expression takes no time', () => {
  const set = ruleOf(`  sel:\n    userAgent|re: '^(a+)+$'\n  condition: sel`);
  const since = process.cpuUsage();
  set.matches({ ...RECORD, userAgent: `${'a'.repeat(60_000)}!` });
  expect(process.cpuUsage(since).user).toBeLessThan(2_000_000);
});

it('rules are tried on the operations they name, and tell the services they name', () => {
  const set = ruleOf('  sel:\n    eventSource: [kms.amazonaws.com, iam.amazonaws.com]\n    eventName: PutKeyPolicy\n  condition: sel');
  expect(set.matches(RECORD)).toEqual([ID]);
  expect(set.matches({ ...RECORD, eventName: 'DisableKey' })).toEqual([]);
  expect(servicesOf(set)).toEqual(['iam', 'kms']);
});

const ID = '3bff4ec5-0c07-4e0c-8f3a-6d6d5c0a0001';

/** Null where the rule is refused. */
function matches(detection: string): boolean | null {
  const { rules } = readRules(text(detection));
  const [rule] = rules;
  if (!rule) return null;
  // The index by operation must not lose what the rule itself matches.
  expect(ruleSetOf(rules).matches(RECORD)).toEqual(rule.match.test(RECORD) ? [ID] : []);
  return rule.match.test(RECORD);
}

function ruleOf(detection: string): ReturnType<typeof ruleSetOf> {
  const { rules, refused } = readRules(text(detection));
  expect(refused).toEqual([]);
  return ruleSetOf(rules);
}

function text(detection: string): string {
  return `title: A rule\nid: ${ID}\nlogsource:\n  product: aws\n  service: cloudtrail\nlevel: high\ndetection:\n${detection}\n`;
}
