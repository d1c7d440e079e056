/** Receivers that take findings: Security Hub, OCSF, SNS. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SEVERITIES } from '../../../services/core/severity.ts';
import { FINDING_STATUSES } from '../../../services/core/finding.ts';
import { ALERT_LIMIT } from '../../../services/notifiers/contract.ts';
import { batches } from '../../../services/notifiers/security-hub/batches.ts';
import { securityFinding } from '../../../services/notifiers/security-hub/finding.ts';
import { detectionFinding } from '../../../services/notifiers/ocsf/detection-finding.ts';
import { publishInput } from '../../../services/notifiers/sns/message.ts';
import { startAwsSink } from '../../support/notifiers/aws-sink.ts';
import { alertView, AT, CASES, flood, hostile, largest, notification, resolved } from '../../support/notifiers/notifications.ts';
import { ASFF, OCSF_2004, problemsBy } from '../../support/notifiers/schemas.ts';
import { startSink } from '../../support/notifiers/sink.ts';
import { createTools, deliver, receiverOf } from '../../support/notifiers/tools.ts';

const HUB = { partition: 'aws', region: 'eu-west-1', account: '999988887777' };
const asff = problemsBy(ASFF);
const ocsf = problemsBy(OCSF_2004);
const ALL = [...Object.values(CASES), largest];

/** A finding of every severity and standing, with and without what may be missing. */
const VARIANTS = SEVERITIES.flatMap((severity) =>
  FINDING_STATUSES.flatMap((status) => [
    alertView({ severity, status, resolvedAt: status === 'resolved' ? AT : null }),
    alertView({ severity, status, keyArn: null, keyName: null, actor: null, url: null, runbookUrl: null, family: 'unheard-of' }),
    alertView({ severity, status, title: '\u0000', explanation: { what: '', why: '', benign: '', now: [] } }),
  ]),
);

test('every finding is valid ASFF', () => {
  for (const alert of [...ALL.flatMap(({ alerts }) => alerts), ...VARIANTS]) {
    expect(asff(securityFinding(alert, HUB, AT))).toEqual([]);
  }
});

test('the schema of ASFF refuses what AWS refuses', () => {
  const good = securityFinding(alertView(), HUB, AT);
  const without = ({ Types: _types, ...rest }: typeof good): object => rest;
  for (const bad of [
    without(good),
    { ...good, Title: 'x'.repeat(257) },
    { ...good, Severity: { Label: 'SEVERE' } },
    { ...good, UpdatedAt: 'yesterday' },
    { ...good, Extra: 1 },
  ]) {
    expect(asff(bad)).not.toEqual([]);
  }
});

test('every finding is a valid Detection Finding of OCSF', () => {
  for (const told of ALL) for (const alert of told.alerts) expect(ocsf(detectionFinding(alert, told, '1'))).toEqual([]);
  for (const alert of VARIANTS) expect(ocsf(detectionFinding(alert, notification(), '1'))).toEqual([]);
});

test('the schema of OCSF refuses a wrong class, a wrong pair and what is missing', () => {
  const good = detectionFinding(alertView(), notification(), '1');
  for (const bad of [
    { ...good, class_uid: 2003 },
    { ...good, severity: 'Low' },
    { ...good, type_uid: 200403 },
    { ...good, finding_info: {} },
    { ...good, time: '2026' },
  ]) {
    expect(ocsf(bad)).not.toEqual([]);
  }
});

test('a finding is created, updated and closed in OCSF, archived in Security Hub, and keeps its id', () => {
  const activity = (told: typeof resolved): unknown => detectionFinding(told.alerts[0]!, told, '1').activity_id;
  expect([activity(notification()), activity(notification({ reason: 'repeat' })), activity(resolved)]).toEqual([1, 2, 3]);
  const [open, closed] = [notification(), resolved].map(({ alerts, at }) => securityFinding(alerts[0]!, HUB, at));
  expect([open?.RecordState, closed?.RecordState]).toEqual(['ACTIVE', 'ARCHIVED']);
  expect(open?.Id).toBe(closed?.Id);
});

test('Security Hub gets findings under the account of the credentials, or the one that is configured', async () => {
  const sink = await startAwsSink();
  await deliver(receiverOf({ security_hub: { region: 'cn-north-1' } }, createTools()), notification());
  await deliver(receiverOf({ security_hub: { region: 'eu-west-1', account: '111122223333' } }, createTools()), notification());
  const imported = sink.requests
    .filter(({ path }) => path.startsWith('/findings'))
    .map(({ body }) => (JSON.parse(body) as { Findings: { AwsAccountId: string; ProductArn: string }[] }).Findings[0]);
  expect(imported.map((finding) => [finding?.AwsAccountId, finding?.ProductArn])).toEqual([
    ['999988887777', 'arn:aws-cn:securityhub:cn-north-1:999988887777:product/999988887777/default'],
    ['111122223333', 'arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default'],
  ]);
});

test.each([
  ['InternalException', true],
  ['LimitExceededException', true],
  ['InvalidInputException', false],
])('a finding that Security Hub refuses with %s is told of', async (ErrorCode, retryable) => {
  const sink = await startAwsSink();
  sink.failed = [{ Id: 'x', ErrorCode, ErrorMessage: 'secret words' }];
  expect(await deliver(receiverOf({ security_hub: { region: 'eu-west-1' } }, createTools()), flood)).toEqual({
    ok: false,
    code: ErrorCode,
    reason: 'partial',
    retryable,
  });
});

test('a code that Security Hub has not is not repeated', async () => {
  const sink = await startAwsSink();
  sink.failed = [{ Id: 'x', ErrorCode: '<script>', ErrorMessage: '' }];
  expect(await deliver(receiverOf({ security_hub: { region: 'eu-west-1' } }, createTools()), flood)).toMatchObject({
    code: 'finding-refused',
    retryable: false,
  });
});

test.each([
  ['ThrottlingException', 400, 'rate-limited', true],
  ['AccessDeniedException', 403, 'unauthorized', false],
  ['InternalException', 500, 'server-error', true],
  ['ExpiredTokenException', 403, 'unauthorized', true],
  ['InvalidParameterException', 400, 'rejected', false],
  ['NotFoundException', 404, 'misconfigured', false],
])('AWS answering %s (%i) is %s', async (code, status, reason, retryable) => {
  const sink = await startAwsSink();
  sink.error = { code, status };
  const tools = createTools();
  const configs = [
    { sns: { topic_arn: 'arn:aws:sns:eu-west-1:111122223333:kmswatch' } },
    { security_hub: { region: 'eu-west-1', account: '111122223333' } },
  ];
  for (const config of configs) {
    expect(await deliver(receiverOf(config, tools), notification())).toEqual({ ok: false, code, reason, retryable });
  }
});

test('AWS that cannot be reached is tried again', async () => {
  const sink = await startAwsSink();
  sink.answer = () => 'cut';
  for (const config of [{ sns: { topic_arn: 'arn:aws:sns:eu-west-1:111122223333:kmswatch' } }, { security_hub: { region: 'eu-west-1' } }]) {
    expect(await deliver(receiverOf(config, createTools()), notification())).toMatchObject({
      ok: false,
      reason: 'unreachable',
      retryable: true,
    });
  }
});

test('batches hold 100 findings and 5 MB, and every finding is in one', () => {
  const sized = (bytes: number): { text: string } => ({ text: 'x'.repeat(bytes) });
  expect(batches(Array.from({ length: 250 }, () => sized(10))).map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(batches(Array.from({ length: 50 }, () => sized(200_000))).every((batch) => JSON.stringify(batch).length <= 5_100_000)).toBe(true);
  expect(batches([sized(10), sized(300_000), sized(10)]).map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(batches([])).toEqual([]);
  expect(ALERT_LIMIT).toBeLessThanOrEqual(100);
});

test('a finding is never larger than Security Hub takes', () => {
  for (const alert of largest.alerts) expect(Buffer.byteLength(JSON.stringify(securityFinding(alert, HUB, AT)))).toBeLessThan(240_000);
});

test('a message for SNS is within 256 KB, and its subject is what SNS takes', () => {
  for (const told of ALL) {
    const { Message = '', Subject = '', MessageAttributes = {} } = publishInput(told, 'arn:aws:sns:eu-west-1:111122223333:kmswatch');
    expect(Buffer.byteLength(Message) + Buffer.byteLength(JSON.stringify(MessageAttributes))).toBeLessThan(262_144);
    expect(Subject).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,98}$/);
    expect(Object.keys(JSON.parse(Message) as object).sort()).toEqual(['default', 'email', 'sms']);
    for (const { StringValue } of Object.values(MessageAttributes)) expect(StringValue).not.toBe('');
  }
});

test('only a FIFO topic gets ids of group and repetition, which are the same for the same notification', () => {
  const topic = 'arn:aws:sns:eu-west-1:111122223333:kmswatch';
  expect(publishInput(notification(), topic)).not.toHaveProperty('MessageGroupId');
  const fifo = [notification(), notification(), resolved, hostile].map((told) => publishInput(told, `${topic}.fifo`));
  expect(fifo[0]).toEqual(fifo[1]);
  expect(fifo[0]?.MessageGroupId).toBe(fifo[2]?.MessageGroupId);
  expect(fifo[0]?.MessageDeduplicationId).not.toBe(fifo[2]?.MessageDeduplicationId);
  for (const { MessageGroupId, MessageDeduplicationId } of fifo)
    expect(`${MessageGroupId}${MessageDeduplicationId}`).toMatch(/^[0-9a-f]{80}$/);
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'kmswatch-ocsf-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

test('a full OCSF file is put aside whole, nothing is lost, and the oldest go', async () => {
  const path = folder();
  const file = join(path, 'findings.ndjson');
  let now = AT;
  const receiver = receiverOf(
    { ocsf: { file, file_max_bytes: 10_000, file_keep: 3 } },
    createTools({ clock: { now: () => (now += 1_000) } }),
  );
  writeFileSync(join(path, 'findings.ndjson.2-other'), 'not ours');
  const told = notification({ alerts: flood.alerts.slice(0, 4) });
  for (let count = 0; count < 3; count++) await deliver(receiver, told);
  const written = readdirSync(path).filter((name) => name !== 'findings.ndjson.2-other');
  expect(written.flatMap((name) => lines(join(path, name))).map((line) => (JSON.parse(line) as { class_uid: number }).class_uid)).toEqual(
    Array.from({ length: 12 }, () => 2004),
  );
  for (let count = 0; count < 10; count++) await deliver(receiver, told);
  expect(readdirSync(path)).toHaveLength(1 + 3 + 1);
  expect(readFileSync(join(path, 'findings.ndjson.2-other'), 'utf8')).toBe('not ours');
  for (const name of readdirSync(path)) expect(readFileSync(join(path, name)).length).toBeLessThanOrEqual(10_000);
});

test('many who write to one OCSF file at a time spoil no line', async () => {
  const path = folder();
  const file = join(path, 'findings.ndjson');
  const receivers = Array.from({ length: 8 }, () => receiverOf({ ocsf: { file, file_max_bytes: 100_000 } }, createTools()));
  await Promise.all(
    receivers.flatMap((receiver) => Array.from({ length: 5 }, () => deliver(receiver, notification({ alerts: flood.alerts })))),
  );
  const all = readdirSync(path).flatMap((name) => lines(join(path, name)));
  expect(all).toHaveLength(8 * 5 * flood.alerts.length);
  for (const line of all) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test('half a line that a crash left is not joined to the next one', async () => {
  const file = join(folder(), 'findings.ndjson');
  writeFileSync(file, '{"class_uid":2004,"ti');
  await deliver(receiverOf({ ocsf: { file } }, createTools()), notification());
  expect(lines(file).map((line) => line.slice(-1))).toEqual(['i', '}']);
});

test('a file that cannot be written is tried again', async () => {
  const receiver = receiverOf({ ocsf: { file: join(folder(), 'missing', 'findings.ndjson') } }, createTools());
  expect(await deliver(receiver, notification())).toEqual({ ok: false, code: 'ENOENT', reason: 'internal', retryable: true });
});

test('OCSF over HTTP is an array of events, and the same again has the same ids', async () => {
  await using sink = await startSink();
  const receiver = receiverOf({ ocsf: { url: sink.url, authorization: 'Splunk x', allow_private: true, allow_http: true } }, createTools());
  await deliver(receiver, flood);
  await deliver(receiver, flood);
  const [first, second] = sink.requests.map(({ body }) =>
    (JSON.parse(body) as { metadata: { uid: string } }[]).map(({ metadata }) => metadata.uid),
  );
  expect(first).toEqual(second);
  expect(new Set(first).size).toBe(flood.alerts.length);
  expect(sink.requests[0]?.headers.authorization).toBe('Splunk x');
});
