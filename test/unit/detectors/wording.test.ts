import { expect, test } from 'vitest';
import { DAY } from '../../../services/core/clock.ts';
import {
  actorName,
  argument,
  caller,
  callerFirst,
  iso,
  keyArguments,
  listed,
  moment,
  period,
  proofs,
  span,
} from '../../../services/detectors/wording.ts';
import { anEvent, day, KEY, role } from './a-key.ts';

test('names from records cannot break out of their sentence', () => {
  const hostile = { ...role('x'), name: `a\u001b[2J\u202e\n${'z'.repeat(500)}` };
  expect(actorName(hostile)).not.toMatch(/[\u0000-\u001f\u202e]/);
  expect(actorName(hostile).length).toBeLessThan(200);
});

test('only text that no shell takes for anything else becomes an argument', () => {
  expect(argument(KEY, 'KEY_ARN')).toBe(KEY);
  for (const bad of ['', '-x', '--profile', 'a b', 'a;b', '$(a)', '`a`', "a'b", 'a|b', 'a>b', 'a\nb', 'x'.repeat(300)])
    expect(argument(bad, 'SAFE')).toBe('SAFE');
  expect(keyArguments({ arn: `${KEY};rm`, region: 'eu-central-1' })).toBe('--key-id KEY_ARN --region eu-central-1');
});

test('a caller is told with session and the service it came through, AWS without either', () => {
  const person = anEvent('DisableKey', day(0), { sessionName: 'kim', callingService: 'cloudformation' });
  expect(caller(person)).toBe('role KeyAdministrator of account 111122223333 (session kim) through cloudformation');
  expect(callerFirst(person)).toMatch(/^Role KeyAdministrator/);
  const aws = anEvent('DeleteKey', day(0), {
    actor: { type: 'aws', id: 'aws', account: null, name: 'AWS Internal' },
    callingService: 'aws-internal',
  });
  expect(caller(aws)).toBe('AWS itself');
});

test('dates that are none are said to be none', () => {
  expect(iso(Number.NaN)).toBeNull();
  expect(iso(9e15)).toBeNull();
  expect(moment(9e15)).toBe('an unreadable date');
  expect(moment(day(0))).toBe('2026-01-01 00:00 UTC');
});

test('spans are whole days, periods of one moment are one moment', () => {
  expect([span(0, DAY - 1), span(0, DAY), span(5 * DAY, 0)]).toEqual(['less than a day', '1 day', '5 days']);
  expect(period(day(0), day(0) + 1)).toBe('on 2026-01-01 00:00 UTC');
  expect(period(day(0), day(1))).toBe('from 2026-01-01 00:00 UTC to 2026-01-02 00:00 UTC');
});

test('lists end with how many are not shown, proofs leave out inventories', () => {
  expect(listed(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
  expect(
    proofs({ value: 1, at: 0, origin: 'e' }, undefined, { value: 2, at: 0, origin: 'inventory:7' }, { value: 3, at: 0, origin: 'e' }),
  ).toEqual(['e']);
});
