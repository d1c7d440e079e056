import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { afterEach, expect, test, vi } from 'vitest';
import { fixedClock } from '../../../services/core/clock.ts';
import { AWS_FAILURES, type AwsPlace, awsFailure, createAws, partitionOf, roleArn } from '../../../services/platform/aws.ts';
import { type AwsServer, HOME_ACCOUNT, startAws } from '../../support/aws/server.ts';

const ROLE = { arn: 'arn:aws:iam::111122223333:role/reader', externalId: 'ours' };
const PLACE: AwsPlace = { region: 'eu-west-1', role: ROLE };

afterEach(() => vi.unstubAllEnvs());

async function server(): Promise<AwsServer> {
  const aws = await startAws();
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
  return aws;
}

function client(settings: ReturnType<ReturnType<typeof createAws>['settings']>): CloudTrailClient {
  return new CloudTrailClient(settings);
}

test('a role is assumed once for all who need it at a time, with its external id', async () => {
  await using server1 = await server();
  server1.sts.externalId = 'ours';
  const aws = createAws({ clock: fixedClock(Date.now()), version: '1.2.3' });
  const places = ['eu-west-1', 'us-east-1', 'eu-central-1'].map((region) => ({ region, role: ROLE }));
  await Promise.all(places.map((place) => client(aws.settings(place)).send(new LookupEventsCommand({}))));
  expect(server1.requests.filter(({ operation }) => operation === 'AssumeRole')).toHaveLength(1);
  const lookups = server1.requests.filter(({ operation }) => operation === 'LookupEvents');
  expect(new Set(lookups.map(({ region, account }) => `${account} ${region}`))).toEqual(
    new Set(places.map(({ region }) => `111122223333 ${region}`)),
  );
  expect(lookups[0]?.userAgent).toContain('kmswatch/1.2.3');
});

test('a call is made once: pauses and repetitions are up to the caller', async () => {
  await using server1 = await server();
  server1.onRequest = ({ service }) => (service === 'cloudtrail' ? { kind: 'unavailable' } : null);
  const aws = createAws({ clock: fixedClock(Date.now()), version: '1' });
  await expect(client(aws.settings(PLACE)).send(new LookupEventsCommand({}))).rejects.toThrow('try later');
  expect(server1.requests.filter(({ operation }) => operation === 'LookupEvents')).toHaveLength(1);
});

test('credentials are asked for again shortly before they expire, after a failure, and when they were forgotten', async () => {
  await using server1 = await server();
  let now = Date.now();
  const aws = createAws({ clock: { now: () => now }, version: '1' });
  const assumptions = (): number => server1.requests.filter(({ operation }) => operation === 'AssumeRole').length;
  server1.sts.denied.add('111122223333');
  await expect(aws.settings(PLACE).credentials()).rejects.toMatchObject({ name: 'AccessDenied' });
  server1.sts.denied.clear();
  await aws.settings(PLACE).credentials();
  await aws.settings(PLACE).credentials();
  expect(assumptions()).toBe(2);
  now += 53 * 60_000;
  await aws.settings(PLACE).credentials();
  expect(assumptions()).toBe(2);
  now += 2 * 60_000;
  await aws.settings(PLACE).credentials();
  expect(assumptions()).toBe(3);
  aws.forget(PLACE);
  await aws.settings(PLACE).credentials();
  expect(assumptions()).toBe(4);
});

test('whose credentials these are is told by AWS', async () => {
  await using server1 = await server();
  const aws = createAws({ clock: fixedClock(Date.now()), version: '1' });
  expect(await aws.accountOf({ region: 'eu-west-1', role: null })).toBe(HOME_ACCOUNT);
  expect(await aws.accountOf(PLACE)).toBe('111122223333');
  server1.onRequest = () => ({ kind: 'cut' });
  await expect(aws.accountOf(PLACE)).rejects.toMatchObject({ name: 'AwsFailure', reason: 'network' });
});

test.each([
  ['ThrottlingException', 'throttled'],
  ['AccessDeniedException', 'access-denied'],
  ['UnrecognizedClientException', 'access-denied'],
  ['ExpiredTokenException', 'credentials-expired'],
  ['InvalidNextTokenException', 'token-invalid'],
  ['InvalidTimeRangeException', 'request-invalid'],
] as const)('an answer %s, which is HTTP 400 like the others, is known by its name: %s', async (code, reason) => {
  await using server1 = await server();
  server1.onRequest = ({ service }) => (service === 'cloudtrail' ? { kind: 'error', code } : null);
  const aws = createAws({ clock: fixedClock(Date.now()), version: '1' });
  const error: unknown = await client(aws.settings(PLACE))
    .send(new LookupEventsCommand({}))
    .catch((thrown: unknown) => thrown);
  const failure = awsFailure(error);
  expect(failure).toMatchObject({ reason, code, retryable: AWS_FAILURES[reason].retryable });
  expect(failure.cause).toBe(error);
});

test('a server error, a cut or refused connection and an answer that does not come may pass; an error of our own is none of AWS', async () => {
  const aws = createAws({ clock: fixedClock(Date.now()), version: '1' });
  const lookup = async (timeoutMs?: number): Promise<unknown> =>
    await client(aws.settings(PLACE, timeoutMs)).send(new LookupEventsCommand({})).catch(awsFailure);
  {
    await using server1 = await server();
    await aws.settings(PLACE).credentials();
    server1.onRequest = () => ({ kind: 'unavailable' });
    expect(await lookup()).toMatchObject({ reason: 'service-error', retryable: true });
    server1.onRequest = () => ({ kind: 'cut' });
    expect(await lookup()).toMatchObject({ reason: 'network', retryable: true });
    server1.onRequest = () => ({ kind: 'slow', ms: 500 });
    expect(await lookup(100)).toMatchObject({ reason: 'network', retryable: true });
  }
  expect(await lookup()).toMatchObject({ reason: 'network', retryable: true });
  expect(awsFailure(new TypeError('x is not a function'))).toMatchObject({ reason: 'unknown', retryable: false });
  expect(awsFailure('text')).toMatchObject({ reason: 'unknown' });
});

test.each([
  ['eu-west-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['us-iso-east-1', 'aws-iso'],
  ['us-isob-east-1', 'aws-iso-b'],
  ['eusc-de-east-1', 'aws-eusc'],
])('roles of %s are in the partition %s', (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
  expect(roleArn('audit/reader', { account: '111122223333', region })).toBe(`arn:${partition}:iam::111122223333:role/audit/reader`);
});
