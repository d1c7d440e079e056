/**
 * `deploy/terraform`: no provider can be had here, so nothing of it was applied. What can be said without one: it parses, it is formatted,
 * modules and templates are given exactly what they ask for, and a policy simulator allows what the code calls and denies what would do harm.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { format } from '@cdktf/hcl-tools';
import { parse } from '@cdktf/hcl2json';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const TERRAFORM = join(ROOT, 'deploy/terraform');
const files = filesUnder(TERRAFORM).filter((file) => file.endsWith('.tf'));
const modules = [...new Set(files.map((file) => dirname(file)))].toSorted();

type Block = Readonly<Record<string, unknown>>;

describe('the configuration', () => {
  test.each(files.map((file) => relative(TERRAFORM, file)))('%s parses and is formatted', async (name) => {
    const text = read(name);
    expect(await parse(name, text)).toBeTypeOf('object');
    expect(await format(text)).toBe(text);
  });

  test.each(modules.map((folder) => relative(TERRAFORM, folder)))(
    '%s declares what it uses, uses what it declares, and describes it',
    async (name) => {
      const { text, blocks } = await moduleOf(join(TERRAFORM, name));
      for (const kind of ['variable', 'output'] as const) {
        expect(
          named(blocks[kind])
            .filter(([, [body]]) => !Object.hasOwn(body ?? {}, 'description'))
            .map(([each]) => each),
        ).toEqual([]);
      }
      const declared = named(blocks['variable']).map(([each]) => each);
      expect([...new Set(matches(text, /\bvar\.(\w+)/g))].toSorted()).toEqual(declared.toSorted());
      const local = (Array.isArray(blocks['locals']) ? blocks['locals'] : []).flatMap((each: Block) => Object.keys(each));
      expect([...new Set(matches(text, /\blocal\.(\w+)/g))].toSorted()).toEqual(local.toSorted());
    },
  );

  test('the examples give modules that are there what they ask for, and nothing else', async () => {
    const calls = [];
    for (const folder of modules) {
      for (const [name, [call]] of named((await moduleOf(folder)).blocks['module'])) {
        const given = Object.keys(call ?? {}).filter((key) => !['source', 'providers'].includes(key));
        const variables = named((await moduleOf(resolve(folder, String(call?.['source'])))).blocks['variable']);
        const wanted = variables.filter(([, [body]]) => !Object.hasOwn(body ?? {}, 'default')).map(([each]) => each);
        const strange = given.filter((key) => !variables.some(([each]) => each === key));
        const missing = wanted.filter((key) => !given.includes(key));
        expect({ name, strange, missing }).toEqual({ name, strange: [], missing: [] });
        calls.push(name);
      }
    }
    expect(calls.length).toBeGreaterThan(5);
  });

  test('every policy template is used, and given exactly the names that stand in it', () => {
    const uses = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/templatefile\("\$\{path\.module\}\/([^"]+)",\s*\{([^}]*)\}\)/g)].map((match) => ({
        path: resolve(dirname(file), match[1] ?? ''),
        names: matches(match[2] ?? '', /^\s*(\w+)\s*=/gm).toSorted(),
      })),
    );
    const templates = filesUnder(join(TERRAFORM, 'policies'));
    expect([...new Set(uses.map(({ path }) => path))].toSorted()).toEqual(templates.toSorted());
    // A name that CloudFormation fills in makes the regular expression end early; that use is looked at by eye.
    for (const { path, names } of uses.filter((use) => !use.path.endsWith('inventory.json.tftpl'))) {
      expect({ path, names: [...new Set(matches(readFileSync(path, 'utf8'), /\$\{(\w+)\}/g))].toSorted() }).toEqual({ path, names });
    }
  });
});

const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/0a0a0a0a-0000-4000-8000-000000000001`;
const QUEUE = `arn:aws:sqs:eu-west-1:${ACCOUNT}:kmswatch-trail`;
const DEAD = `${QUEUE}-dead`;
const BUCKET = 'arn:aws:s3:::org-cloudtrail-logs';
const FILE = `${BUCKET}/AWSLogs/o-abc/${ACCOUNT}/CloudTrail/eu-west-1/2026/11/24/a.json.gz`;
const SERVICE_ROLE = `arn:aws:iam::${OTHER}:role/kmswatch`;
const VALUES: Readonly<Record<string, string>> = {
  partition: 'aws',
  dns_suffix: 'amazonaws.com',
  account: ACCOUNT,
  reader_role_name: 'kmswatch-reader',
  service_role_arn: SERVICE_ROLE,
  external_id: 'kmswatch-7f3c',
  bucket: 'org-cloudtrail-logs',
  prefix: '',
  key_arn: KEY,
  queue_arn: QUEUE,
  dead_letter_queue_arn: DEAD,
  sender_service: 's3.amazonaws.com',
  sender_arn: BUCKET,
  sender_account: ACCOUNT,
};

/** Every operation of AWS that the code calls: the IAM action it needs, a resource, and what the request says besides. */
const CALLS: Readonly<Record<string, { action: string; resource: string; context?: Record<string, string> }>> = {
  'cloudtrail:LookupEvents': { action: 'cloudtrail:LookupEvents', resource: '*' },
  'cloudtrail:ListPublicKeys': { action: 'cloudtrail:ListPublicKeys', resource: '*' },
  'kms:ListKeys': { action: 'kms:ListKeys', resource: '*' },
  'kms:ListAliases': { action: 'kms:ListAliases', resource: '*' },
  'kms:DescribeKey': { action: 'kms:DescribeKey', resource: KEY },
  'kms:GetKeyLastUsage': { action: 'kms:GetKeyLastUsage', resource: KEY },
  'kms:GetKeyPolicy': { action: 'kms:GetKeyPolicy', resource: KEY },
  'kms:GetKeyRotationStatus': { action: 'kms:GetKeyRotationStatus', resource: KEY },
  'kms:ListGrants': { action: 'kms:ListGrants', resource: KEY },
  'kms:ListKeyRotations': { action: 'kms:ListKeyRotations', resource: KEY },
  'kms:ListResourceTags': { action: 'kms:ListResourceTags', resource: KEY },
  's3:GetObject': { action: 's3:GetObject', resource: FILE },
  's3:HeadObject': { action: 's3:GetObject', resource: FILE },
  's3:ListObjectsV2': { action: 's3:ListBucket', resource: BUCKET, context: { 's3:prefix': `AWSLogs/o-abc/${ACCOUNT}/` } },
  'sqs:ReceiveMessage': { action: 'sqs:ReceiveMessage', resource: QUEUE },
  'sqs:DeleteMessageBatch': { action: 'sqs:DeleteMessage', resource: QUEUE },
  'sqs:ChangeMessageVisibilityBatch': { action: 'sqs:ChangeMessageVisibility', resource: QUEUE },
  'sqs:GetQueueAttributes': { action: 'sqs:GetQueueAttributes', resource: DEAD },
};
/** Of receivers, which are given permissions where they are set up (docs/receivers.md), and what needs none. */
const ELSEWHERE = ['sns:Publish', 'securityhub:BatchImportFindings', 'sts:GetCallerIdentity'];

const READER = [
  'event-history.json.tftpl',
  'inventory.json.tftpl',
  'trail-files.json.tftpl',
  'trail-key.json.tftpl',
  'queue-reader.json.tftpl',
];
/** As AWS makes it for a new key: the account decides by its IAM policies. */
const DELEGATING = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }],
};

describe('the policies', () => {
  test('what the code calls is what is simulated here', () => {
    const called = filesUnder(join(ROOT, 'services'))
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([a-z]+)'/g)].flatMap((match) =>
          matches(match[1] ?? '', /\b(\w+)Command\b/g).map((operation) => `${match[2]}:${operation}`),
        ),
      );
    const unknown = [...new Set(called)].filter((call) => !Object.hasOwn(CALLS, call) && !ELSEWHERE.includes(call));
    expect(unknown).toEqual([]);
    expect(called).toContain('cloudtrail:LookupEvents');
  });

  test.each(Object.entries(CALLS))('%s is allowed', async (_call, { action, resource, context }) => {
    expect(await decide(action, resource, context)).toBe('Allowed');
  });

  test('the files are decrypted through S3 and not otherwise', async () => {
    expect(await decide('kms:Decrypt', KEY, { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' })).toBe('Allowed');
    expect(await decide('kms:Decrypt', KEY, {})).toBe('ImplicitlyDenied');
    expect(await decide('kms:Decrypt', KEY, { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' })).toBe('ImplicitlyDenied');
  });

  test('a key whose policy does not let the account decide cannot be described, whatever the role may', async () => {
    const closed = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/admin` }, Action: 'kms:*', Resource: '*' }],
    };
    expect(await decide('kms:DescribeKey', KEY, {}, closed)).toBe('ImplicitlyDenied');
  });

  test.each([
    ['kms:Encrypt', KEY],
    ['kms:GenerateDataKey', KEY],
    ['kms:Sign', KEY],
    ['kms:CreateGrant', KEY],
    ['kms:PutKeyPolicy', KEY],
    ['kms:ScheduleKeyDeletion', KEY],
    ['kms:DisableKey', KEY],
    ['kms:EnableKeyRotation', KEY],
    ['kms:CreateKey', '*'],
    ['kms:DescribeKey', `arn:aws:kms:eu-west-1:${OTHER}:key/0a0a0a0a-0000-4000-8000-000000000001`],
    ['cloudtrail:StopLogging', `arn:aws:cloudtrail:eu-west-1:${ACCOUNT}:trail/org`],
    ['cloudtrail:DeleteTrail', `arn:aws:cloudtrail:eu-west-1:${ACCOUNT}:trail/org`],
    ['cloudtrail:PutEventSelectors', `arn:aws:cloudtrail:eu-west-1:${ACCOUNT}:trail/org`],
    ['s3:PutObject', FILE],
    ['s3:DeleteObject', FILE],
    ['s3:PutBucketPolicy', BUCKET],
    ['s3:GetObject', `${BUCKET}/other/secret.txt`],
    ['s3:GetObject', 'arn:aws:s3:::another-bucket/AWSLogs/x'],
    ['sqs:SendMessage', QUEUE],
    ['sqs:PurgeQueue', QUEUE],
    ['sqs:DeleteQueue', QUEUE],
    ['sqs:SetQueueAttributes', QUEUE],
    ['sqs:ReceiveMessage', DEAD],
    ['sqs:DeleteMessage', DEAD],
    ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/admin`],
    ['sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/admin`],
    ['secretsmanager:GetSecretValue', `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:a-AbCdEf`],
  ])('%s on %s is denied to the reader', async (action, resource) => {
    expect(await decide(action, resource)).not.toBe('Allowed');
  });

  test.each([
    [`arn:aws:iam::${ACCOUNT}:role/kmswatch-reader`, 'Allowed'],
    [`arn:aws:iam::${ACCOUNT}:role/kmswatch-reader-trail`, 'Allowed'],
    [`arn:aws:iam::${ACCOUNT}:role/admin`, 'ImplicitlyDenied'],
  ])('the service may assume %s: %s', async (role, expected) => {
    expect(
      await decided({
        principal: SERVICE_ROLE,
        action: 'sts:AssumeRole',
        resource: role,
        identity: ['assume-readers.json.tftpl'],
        resourcePolicy: policyOf('reader-trust.json.tftpl'),
        context: { 'sts:ExternalId': 'kmswatch-7f3c' },
      }),
    ).toBe(expected);
  });

  test.each([
    ['the service without the external id', SERVICE_ROLE, {}],
    ['the service with another external id', SERVICE_ROLE, { 'sts:ExternalId': 'guess' }],
    ['another role with the external id', `arn:aws:iam::${OTHER}:role/other`, { 'sts:ExternalId': 'kmswatch-7f3c' }],
  ])('the reader role is not assumed by %s', async (_who, principal, context) => {
    expect(
      await decided({
        principal,
        action: 'sts:AssumeRole',
        resource: `arn:aws:iam::${ACCOUNT}:role/kmswatch-reader`,
        identity: ['assume-readers.json.tftpl'],
        resourcePolicy: policyOf('reader-trust.json.tftpl'),
        context,
      }),
    ).not.toBe('Allowed');
  });

  test.each([
    ['s3.amazonaws.com', BUCKET, ACCOUNT, 'true', true],
    ['s3.amazonaws.com', 'arn:aws:s3:::somebody-elses', ACCOUNT, 'true', false],
    ['s3.amazonaws.com', BUCKET, OTHER, 'true', false],
    ['sns.amazonaws.com', BUCKET, ACCOUNT, 'true', false],
    ['s3.amazonaws.com', BUCKET, ACCOUNT, 'false', false],
  ])('%s for %s of %s, TLS %s, may write to the queue: %s', async (principal, sender, account, tls, allowed) => {
    const decision = await decided({
      principal,
      action: 'sqs:SendMessage',
      resource: QUEUE,
      identity: [],
      resourcePolicy: policyOf('queue.json.tftpl'),
      context: { 'aws:SourceArn': sender, 'aws:SourceAccount': account, 'aws:SecureTransport': tls },
    });
    expect(decision === 'Allowed').toBe(allowed);
  });
});

function decide(action: string, resource: string, context: Record<string, string> = {}, keyPolicy: object = DELEGATING): Promise<string> {
  return decided({
    principal: `arn:aws:iam::${ACCOUNT}:role/kmswatch-reader`,
    action,
    resource,
    identity: READER,
    resourcePolicy: resource.startsWith(`arn:aws:kms:eu-west-1:${ACCOUNT}`) ? keyPolicy : undefined,
    context,
  });
}

interface Question {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly identity: readonly string[];
  readonly resourcePolicy: object | undefined;
  readonly context: Record<string, string>;
}

async function decided({ principal, action, resource, identity, resourcePolicy, context }: Question): Promise<string> {
  const answer = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: /:(\d{12}):/.exec(resource)?.[1] ?? ACCOUNT },
        contextVariables: context,
      },
      identityPolicies: identity.map((name) => ({ name, policy: policyOf(name) })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy && { resourcePolicy }),
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(JSON.stringify(answer.errors));
  return answer.overallResult;
}

function policyOf(template: string): object {
  const text = read(`policies/${template}`).replace(/\$\{(\w+)\}/g, (_all, name: string) => VALUES[name] ?? `no value for ${name}`);
  return JSON.parse(text) as object;
}

async function moduleOf(folder: string): Promise<{ text: string; blocks: Record<string, unknown> }> {
  const text = filesUnder(folder)
    .filter((file) => file.endsWith('.tf') && dirname(file) === folder)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  return { text, blocks: (await parse('module.tf', text)) as Record<string, unknown> };
}

function named(blocks: unknown): [string, Block[]][] {
  return Object.entries((blocks ?? {}) as Record<string, Block[]>);
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

function read(name: string): string {
  return readFileSync(join(TERRAFORM, name), 'utf8');
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesUnder(path) : [path]));
}
