import { describe, expect, test } from 'vitest';
import { durationText, parseDuration } from '../../../services/alerts/duration.ts';
import { labelsOf, labelText } from '../../../services/alerts/labels.ts';
import { type Matcher, parseMatcher } from '../../../services/alerts/matcher.ts';
import { createRoute, placementsOf, type RouteSettings, routesOf, targetKey, targetsIn } from '../../../services/alerts/route.ts';

function matchers(...texts: string[]): Matcher[] {
  return texts.map((text) => {
    const parsed = parseMatcher(text);
    if (!parsed.ok) throw new Error(parsed.problem);
    return parsed.matcher;
  });
}

const TREE: RouteSettings = {
  receiver: 'default',
  group_wait: 1_000,
  routes: [
    { matchers: matchers('severity="critical"'), receiver: 'pager', continue: true, escalate: { after: 60_000, receiver: 'boss' } },
    {
      matchers: matchers('account="111122223333"'),
      receiver: 'team-a',
      group_by: ['detector'],
      routes: [
        { matchers: matchers('family="rotation"'), receiver: 'auditors', repeat_interval: 5_000 },
        { matchers: matchers('severity=~"low|info"'), group_by: ['...'] },
      ],
    },
    { matchers: matchers('account="444455556666"'), receiver: 'team-b' },
    { matchers: matchers('severity="critical"'), receiver: 'never' },
  ],
};
const root = createRoute(TREE);
const base = { severity: 'high', detector: 'key-disabled', family: 'deletion', account: '999900001111', region: 'eu-west-1' };

describe('an alert', () => {
  test.each([
    [{}, ['default']],
    [{ severity: 'critical', account: '111122223333' }, ['pager', 'team-a']],
    [{ severity: 'critical', account: '444455556666' }, ['pager', 'team-b']],
    [{ severity: 'critical' }, ['pager', 'never']],
    [{ account: '111122223333' }, ['team-a']],
    [{ account: '111122223333', family: 'rotation' }, ['auditors']],
    [{ account: '111122223333', family: 'rotation', severity: 'low' }, ['auditors']],
    [{ account: '111122223333', severity: 'low' }, ['team-a']],
  ])('%j goes to %j', (labels, receivers) => {
    expect(routesOf(root, { ...base, ...labels }).map(({ receiver }) => receiver)).toEqual(receivers);
  });

  test('is grouped by account, key and family, unless the route says otherwise; what is missing is no label of the group', () => {
    const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/1';
    const labels = { ...base, key: keyArn };
    expect(placementsOf(root, labels).map(({ groupLabels }) => groupLabels)).toEqual([
      { account: '999900001111', family: 'deletion', key: keyArn },
    ]);
    expect(placementsOf(root, base).map(({ groupKey }) => groupKey)).toEqual(['{}:{account="999900001111", family="deletion"}']);
    expect(placementsOf(root, { ...labels, account: '111122223333' })[0]?.groupLabels).toEqual({ detector: 'key-disabled' });
    expect(placementsOf(root, { ...labels, account: '111122223333', severity: 'low' })[0]?.groupLabels).toEqual({
      ...labels,
      account: '111122223333',
      severity: 'low',
    });
  });

  test('has a group of its own with the receiver that it escalates to', () => {
    const placements = placementsOf(root, { ...base, severity: 'critical' });
    expect(placements.map(({ receiver, route }) => [receiver, route])).toEqual([
      ['pager', '{}/{severity="critical"}'],
      ['boss', '{}/{severity="critical"}/escalated'],
      ['never', '{}/{severity="critical"}#2'],
    ]);
    expect(new Set(placements.map(({ groupId }) => groupId)).size).toBe(3);
    const targets = targetsIn(root);
    for (const placement of placements) expect(targets.get(targetKey(placement))).toMatchObject({ receiver: placement.receiver });
    expect(targets.get(targetKey(placements[1]!))?.escalatesAfter).toBe(60_000);
    expect(targets.get(targetKey(placements[0]!))?.escalatesAfter).toBe(null);
  });

  test('has timing and escalation from the routes above, which a route may take back', () => {
    const tree = createRoute({
      receiver: 'a',
      group_wait: 1,
      group_interval: 2,
      escalate: { after: 3, receiver: 'b' },
      routes: [{ matchers: matchers('severity="low"'), group_wait: 9, escalate: false }],
    });
    const [low] = routesOf(tree, { severity: 'low' });
    expect(low).toMatchObject({ receiver: 'a', timing: { groupWait: 9, groupInterval: 2 }, escalation: null });
    expect(routesOf(tree, {})[0]).toMatchObject({ timing: { groupWait: 1, groupInterval: 2 }, escalation: { afterMs: 3, receiver: 'b' } });
  });
});

describe('labels', () => {
  const of = { severity: 'high', detector: 'd', family: 'f', account: '1', region: 'r', keyArn: null, tags: {} } as const;

  test('are made of the finding, its key and the tags of the key', () => {
    expect(labelsOf({ ...of, keyArn: 'arn', tags: { 'Cost Center': '42', Owner: 'ines' } }, ['team', 'owner'])).toEqual({
      severity: 'high',
      detector: 'd',
      family: 'f',
      account: '1',
      region: 'r',
      key: 'arn',
      owner: 'ines',
      tag_Cost_Center: '42',
      tag_Owner: 'ines',
    });
    expect(labelsOf(of, ['owner'])).not.toHaveProperty('key');
  });

  test('do not depend on the order of tags, and no tag can take the place of another label', () => {
    const tags = { 'a b': '1', a_b: '2', __proto__x: '3', severity: 'low', OWNER: 'x', owner: 'y' };
    const turned = Object.fromEntries(Object.entries(tags).toReversed());
    expect(labelsOf({ ...of, tags }, ['owner'])).toEqual(labelsOf({ ...of, tags: turned }, ['owner']));
    expect(labelsOf({ ...of, tags }, ['owner'])).toMatchObject({ severity: 'high', tag_severity: 'low', tag_a_b: '1', owner: 'x' });
  });

  test('are bounded in number and length', () => {
    const tags = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`t${n}`, 'v'.repeat(10_000)]));
    const labels = labelsOf({ ...of, tags }, []);
    expect(Object.keys(labels).length).toBeLessThan(60);
    expect(Math.max(...Object.values(labels).map((value) => value.length))).toBeLessThanOrEqual(2_048);
  });

  test('are written in one way, whatever is in them', () => {
    expect(labelText({ b: '2', a: 'x"\n}' })).toBe('{a="x\\"\\n}", b="2"}');
  });
});

describe('durations', () => {
  test.each([0, 1, 999, 60_500, 5_400_000, 86_400_000, 694_861_001])(
    '%i ms are the same when they are written and read again',
    (milliseconds) => {
      expect(parseDuration(durationText(milliseconds))).toBe(milliseconds);
    },
  );

  test.each([
    ['0', 0],
    ['0s', 0],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['2w', 1_209_600_000],
    ['1m500ms', 60_500],
    ['', null],
    ['5', null],
    ['-5m', null],
    ['5 m', null],
    ['1m1h', null],
    ['1.5h', null],
    ['5minutes', null],
  ])('%j is %j ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
});
