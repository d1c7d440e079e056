import { expect, test } from 'vitest';
import { HOUR } from '../../services/core/clock.ts';
import { alertWorld, finding, START } from '../support/alerts.ts';
import { inProcess } from '../support/out.ts';

interface SilenceJson {
  readonly id: number;
  readonly state: string;
  readonly matchers: string[];
  readonly author: string;
  readonly comment: string;
}

test('alerts lists groups with whom they are told to, how that went, and what is next', async () => {
  await using world = await alertWorld({
    receivers: { team: {}, pager: {} },
    route: { group_wait: '0s', routes: [{ matchers: ['severity=critical'], receiver: 'pager' }] },
  });
  const environment = { DATABASE_URL: world.url };
  expect(await inProcess(['alerts'], '/nonexistent', environment)).toMatchObject({ code: 0, stdout: '', stderr: 'No alerts.\n' });
  world.receivers.get('pager')!.answer = () => ({ ok: false, reason: 'server-error', code: 'http-503', retryable: true });
  await world.find('s', [finding('a'), finding('b', { severity: 'critical', title: 'bad \u001b[31m title' }), finding('c', { key: 3 })]);
  await world.say(finding('c').id, 'acknowledged');
  await world.work();
  const { stdout } = await inProcess(['alerts', '--json'], '/nonexistent', environment);
  expect(JSON.parse(stdout)).toMatchObject([
    {
      receiver: 'pager',
      severity: 'critical',
      open: 1,
      acknowledged: 0,
      labels: { account: '111122223333', family: 'deletion' },
      last_told: { state: 'pending', reason: 'new-group', attempts: 1, error: 'server-error: http-503' },
    },
    {
      receiver: 'team',
      severity: 'high',
      open: 1,
      title: 'finding a',
      last_told: { state: 'delivered', reason: 'new-group' },
      next_at: new Date(START + 24 * HOUR).toISOString(),
    },
    { receiver: 'team', open: 0, acknowledged: 1, last_told: null, next_at: null },
  ]);
  const table = await inProcess(['alerts'], '/nonexistent', environment);
  expect(table.stdout).toContain('http-503');
  expect(table.stdout).not.toContain('\u001b[31m');
  const one = await inProcess(['alerts', '--receiver', 'team', '--json'], '/nonexistent', environment);
  expect(JSON.parse(one.stdout)).toHaveLength(2);
});

test('silence adds, lists and expires silences, and says who and why', async () => {
  await using world = await alertWorld();
  const environment = { DATABASE_URL: world.url, USER: 'ines' };
  const run = async (...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    inProcess(['silence', ...argv], '/nonexistent', environment);
  const added = await run('add', 'severity="low"', 'account!=111122223333', '--comment', 'planned', '--duration', '3d', '--json');
  expect(added).toMatchObject({ code: 0, stderr: '' });
  const silence = JSON.parse(added.stdout) as SilenceJson & { starts_at: string; ends_at: string };
  expect(silence).toMatchObject({
    state: 'active',
    author: 'ines',
    comment: 'planned',
    matchers: ['severity="low"', 'account!="111122223333"'],
  });
  expect(Date.parse(silence.ends_at) - Date.parse(silence.starts_at)).toBe(72 * HOUR);
  expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([{ id: silence.id, state: 'active' }]);
  expect((await run('list')).stdout).toContain('planned');
  expect(await run('expire', String(silence.id))).toMatchObject({ code: 0 });
  expect(await run('expire', String(silence.id))).toMatchObject({ code: 1, stdout: '' });
  expect((await run('list')).stderr).toBe('No silences.\n');
  expect(JSON.parse((await run('list', '--all', '--json')).stdout)).toMatchObject([{ id: silence.id, state: 'expired' }]);
});

test.each([
  [['add', 'severity', '--comment', 'x'], 'must be a label'],
  [['add', 'severity=~"("', '--comment', 'x'], 'no valid regular expression'],
  [['add', 'severity=low'], "required option '--comment"],
  [['add', 'severity=low', '--comment', ' '], 'Give some text'],
  [['add', 'severity=low', '--comment', 'x', '--duration', 'long'], 'Write a duration'],
  [['add', 'severity=low', '--comment', 'x', '--end', '2020-01-01'], 'must end after it starts'],
  [['add', 'severity=~".*"', '--comment', 'x'], 'at least one matcher must not match an empty label'],
  [['add', 'severity!=low', '--comment', 'x'], 'at least one matcher must not match an empty label'],
  [['add', 'severity=low', '--comment', 'x'], '--author is needed'],
  [['expire', 'one'], 'whole numbers'],
])('silence %j is refused with 2: %s', async (argv, why) => {
  const { code, stdout, stderr } = await inProcess(['silence', ...argv]);
  expect(stderr).toContain(why);
  expect([code, stdout]).toEqual([2, '']);
});

test('notify test says that a receiver that there is not is not there, and which there are', async () => {
  expect(await inProcess(['notify', 'test', 'nobody'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('The configuration has log.') as string,
  });
  const { code, stdout, stderr } = await inProcess(['notify', 'test', 'log', '--json']);
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    { receiver: 'log', kind: 'log', ok: true, milliseconds: expect.any(Number) as number, failure: null },
  ]);
  expect(stderr).toContain('this is a test notification');
});
