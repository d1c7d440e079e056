import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../services/platform/logger.ts';
import { openRules, type Rules } from '../../services/workers/rules.ts';
import { command, testFolder } from '../support/cli.ts';
import { openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventId, KEYS, record, roleOf, START } from '../support/records.ts';

const USERS = '3bff4ec5-0c07-4e0c-8f3a-6d6d5c0a0001';
const POLICIES = '3bff4ec5-0c07-4e0c-8f3a-6d6d5c0a0002';

/** Of IAM, which nothing of ours asks for. */
const NEW_USER = `title: A user was made
id: ${USERS}
description: Somebody made an IAM user.
falsepositives: [Onboarding]
logsource: { product: aws, service: cloudtrail }
level: high
detection:
  selection: { eventSource: iam.amazonaws.com, eventName: CreateUser }
  condition: selection
`;
const POLICY_READ = `title: A key policy was read
id: ${POLICIES}
logsource: { product: aws, service: cloudtrail }
level: low
detection:
  selection: { eventName: GetKeyPolicy }
  filter: { userIdentity.arn|contains: ':assumed-role/admin/' }
  condition: selection and not filter
`;

const made = (n: number, by: string): string =>
  JSON.stringify(
    record('CreateUser', START + n * 60_000, {
      eventID: eventId(n),
      eventSource: 'iam.amazonaws.com',
      userIdentity: roleOf(by),
      readOnly: false,
    }),
  );
const read = (n: number, by: string): string =>
  JSON.stringify(
    record('GetKeyPolicy', START + n * 60_000, {
      eventID: eventId(n),
      userIdentity: roleOf(by),
      readOnly: true,
      requestParameters: { keyId: KEYS[0] },
      resources: [{ ARN: KEYS[0], accountId: '111122223333', type: 'AWS::KMS::Key' }],
    }),
  );

test('rules make findings of records that nothing else asks for, once for each caller and key, in any order and however often they come', async () => {
  const { rules } = await rulesOf({ 'user.yml': NEW_USER, 'more/policy.yaml': POLICY_READ });
  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url, { rules });
  const records = [made(1, 'app'), made(2, 'app'), made(3, 'ops'), read(4, 'app'), read(5, 'admin')];
  const dumps = [];
  for (const order of [records, records.toReversed()]) {
    await pipeline.renew();
    for (const each of order) await pipeline.deliver([each]);
    await pipeline.work();
    await pipeline.deliver(order);
    await pipeline.work();
    dumps.push(await findings());
  }
  expect(dumps[0]).toEqual([
    { detector: `sigma-${USERS}`, severity: 'high', actor: expect.stringContaining('app') as string, key_arn: null, occurrences: 2 },
    { detector: `sigma-${USERS}`, severity: 'high', actor: expect.stringContaining('ops') as string, key_arn: null, occurrences: 1 },
    { detector: `sigma-${POLICIES}`, severity: 'low', actor: expect.stringContaining('app') as string, key_arn: KEYS[0], occurrences: 1 },
  ]);
  expect(dumps[1]).toEqual(dumps[0]);

  async function findings(): Promise<object[]> {
    return await pipeline.db
      .selectFrom('finding')
      .select(['detector', 'severity', 'actor', 'key_arn', 'occurrences'])
      .where('detector', 'like', 'sigma-%')
      .orderBy('detector')
      .orderBy('actor')
      .execute();
  }
});

test('a changed rule is in force after the next look; one that no longer loads leaves its former self in force', async () => {
  const { rules, write } = await rulesOf({ 'user.yml': NEW_USER });
  const matching = (): readonly string[] => rules.current.matches(JSON.parse(made(1, 'app')) as Record<string, unknown>);
  expect(matching()).toEqual([USERS]);
  await write('user.yml', NEW_USER.replace('eventName: CreateUser', 'eventName|base64: CreateUser'));
  await rules.reload();
  expect(matching()).toEqual([USERS]);
  await write('user.yml', NEW_USER.replace('CreateUser', 'DeleteUser'));
  await rules.reload();
  expect(matching()).toEqual([]);
  expect(rules.detectors.map(({ detector }) => detector.title)).toEqual(['A user was made']);
});

test('"detectors check" tells what would be loaded, and file, line and reason of what would not', async () => {
  const folder = await testFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await writeFile(join(folder.path, 'a.yml'), NEW_USER);
  await writeFile(join(folder.path, 'b.yml'), POLICY_READ.replace('eventName:', 'eventName|base64:'));
  await writeFile(join(folder.path, 'c.yml'), NEW_USER);
  await writeFile(join(folder.path, 'readme.md'), 'no rule');
  const checked = await command(['detectors', 'check', folder.path, '--json']);
  expect(JSON.parse(checked.stdout)).toEqual({
    loaded: [{ file: 'a.yml', id: USERS, title: 'A user was made', level: 'high' }],
    refused: [
      { file: 'b.yml', line: 6, reason: 'the modifier "base64" is not supported' },
      { file: 'c.yml', line: 1, reason: `the id ${USERS} is that of a rule in a.yml` },
    ],
  });
  expect(checked.code).toBe(1);
  expect((await command(['detectors', 'check', join(folder.path, 'nowhere')])).stderr).toContain('cannot be read');
});

interface TestRules {
  readonly rules: Rules;
  write(name: string, text: string): Promise<void>;
}

async function rulesOf(files: Record<string, string>): Promise<TestRules> {
  const folder = await mkdtemp(join(tmpdir(), 'kmswatch-rules-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  let changed = 1_700_000_000;
  const write = async (name: string, text: string): Promise<void> => {
    const path = join(folder, name.replace('/', '-'));
    await writeFile(path, text);
    await utimes(path, changed, (changed += 10));
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return { rules: await openRules(folder, createLogger('silent')), write };
}
