import { describe, expect, test } from 'vitest';
import type { About } from '../../../services/core/about.ts';
import { configureDetectors, relevanceFilter } from '../../../services/detectors/configure.ts';
import { changeWindowAt, isAllowedRegion, keyKnowledge, knownRole, resourceId } from '../../../services/detectors/organization.ts';
import { DETECTORS } from '../../../services/detectors/registry.ts';
import { strangersAmong } from '../../../services/detectors/strangers.ts';
import { configSchema } from '../../../services/workers/config.ts';
import { organizationOf } from '../../../services/workers/organization.ts';
import { ADMIN } from './a-key.ts';

const ACCOUNT = '111122223333';
const config = (organization: object, sources: object = {}) => organizationOf(configSchema.parse({ organization, sources }));

describe('what the organization tells', () => {
  test('nothing, where nothing is configured: no account is ours, every Region allowed', () => {
    const nobody = config({});
    expect(isAllowedRegion(nobody, 'ap-southeast-1')).toBeNull();
    expect(strangersAmong(nobody, { accounts: ['444455556666'] }, ACCOUNT)).toMatchObject({
      accounts: ['444455556666'],
      severity: 'medium',
    });
    expect(strangersAmong(nobody, { accounts: [ACCOUNT] }, ACCOUNT)).toBeNull();
  });

  test('who is a stranger', () => {
    const known = config({ accounts: [ACCOUNT], trusted_accounts: ['444455556666'], organization_ids: ['o-a1b2c3d4e5'] });
    expect(strangersAmong(known, { accounts: ['444455556666'], others: ['organization o-a1b2c3d4e5'] }, ACCOUNT)).toBeNull();
    expect(strangersAmong(known, { accounts: ['777788889999'] }, ACCOUNT)?.severity).toBe('high');
    expect(strangersAmong(known, { accounts: [], others: ['organization o-zzzzzzzzzz'] }, ACCOUNT)?.severity).toBe('high');
    expect(strangersAmong(known, { accounts: [], others: ['VPC endpoint vpce-0a1b'] }, ACCOUNT)?.severity).toBe('medium');
  });

  test("change windows: weekly ones in UTC, over midnight and over the week's end too, and single ones", () => {
    const windows = config({
      change_windows: [
        { name: 'release', weekdays: ['tue', 'thu'], from: '20:00', to: '22:00' },
        { name: 'sunday night', weekdays: ['sun'], from: '23:00', to: '01:00' },
        { name: 'move', begins: '2026-03-01T00:00:00Z', ends: '2026-03-02T00:00:00Z' },
      ],
    });
    const at = (time: string) => changeWindowAt(windows, Date.parse(time));
    expect(at('2026-02-10T20:00:00Z')).toBe('release');
    expect(at('2026-02-10T22:00:00Z')).toBeNull();
    expect(at('2026-02-11T21:00:00Z')).toBeNull();
    expect(at('2026-02-12T21:59:59Z')).toBe('release');
    expect(at('2026-02-15T23:30:00Z')).toBe('sunday night');
    expect(at('2026-02-16T00:59:00Z')).toBe('sunday night');
    expect(at('2026-02-16T01:00:00Z')).toBeNull();
    expect(at('2026-03-01T12:00:00Z')).toBe('move');
  });

  test('keys by ARN before tags, each fact from whoever tells it first', () => {
    const arn = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1`;
    const organization = config({
      keys: [
        { tag: { key: 'data', value: 'customer' }, criticality: 'critical', owner: 'crm' },
        { arn, criticality: 'high' },
      ],
    });
    const tags = { data: { value: 'customer', at: 1, origin: 'x' } };
    expect(keyKnowledge(organization, { arn, facts: { tags } })).toEqual({ criticality: 'high', owner: 'crm' });
    expect(keyKnowledge(organization, { arn: 'other', facts: { tags: { data: { value: null, at: 1, origin: 'x' } } } })).toEqual({
      criticality: null,
      owner: null,
    });
  });

  test('roles by name or ARN, with or without path', () => {
    const organization = config({
      break_glass_roles: [`arn:aws:iam::${ACCOUNT}:role/emergency/${ADMIN.name}`],
      pipeline_roles: ['ci-deploy'],
    });
    expect(knownRole(organization, ADMIN)).toBe('break-glass role');
    expect(knownRole(organization, { ...ADMIN, id: 'x', name: 'ci-deploy' })).toBe('pipeline role');
    expect(knownRole(organization, { ...ADMIN, id: 'x', name: 'other' })).toBeNull();
    expect(knownRole(organization, { ...ADMIN, type: 'iam-user', name: 'ci-deploy' })).toBeNull();
  });

  test('what kmswatch lives on: what is named, and the queues and roles of the sources', () => {
    const queue = `https://sqs.eu-west-1.amazonaws.com/${ACCOUNT}/kmswatch-trail`;
    const { monitor, logBuckets } = config(
      { monitor: [`arn:aws:events:eu-west-1:${ACCOUNT}:rule/kmswatch`], log_buckets: ['a-logs'] },
      {
        s3_trail: { queues: [{ url: queue, role_arn: `arn:aws:iam::${ACCOUNT}:role/audit/reader`, buckets: ['org-logs'] }] },
        lookup_events: { accounts: [{ account: '444455556666' }], role_name: 'audit/lookup', regions: ['eu-west-1'] },
      },
    );
    expect([...(monitor ?? [])].sort()).toEqual([
      `events:eu-west-1:${ACCOUNT}:kmswatch`,
      `iam::${ACCOUNT}:reader`,
      'iam::444455556666:lookup',
      `sqs:eu-west-1:${ACCOUNT}:kmswatch-trail`,
    ]);
    expect([...(logBuckets ?? [])].sort()).toEqual(['a-logs', 'org-logs']);
  });

  test('one resource has one name, however it is named', () => {
    const at = { service: 'sqs', account: ACCOUNT, region: 'eu-west-1' };
    const name = `sqs:eu-west-1:${ACCOUNT}:q`;
    expect(resourceId(`https://sqs.eu-west-1.amazonaws.com/${ACCOUNT}/q`, at)).toBe(name);
    expect(resourceId(`https://eu-west-1.queue.amazonaws.com/${ACCOUNT}/q`, at)).toBe(name);
    expect(resourceId(`arn:aws-cn:sqs:eu-west-1:${ACCOUNT}:q`, at)).toBe(name);
    expect(resourceId('q', at)).toBe(name);
    expect(resourceId('reader', { ...at, service: 'iam' })).toBe(`iam::${ACCOUNT}:reader`);
    expect(resourceId('', at)).toBeNull();
    expect(resourceId('arn:aws:sns:eu-west-1:111122223333:topic', at)).toBeNull();
  });

  test.each([
    ['a criticality of neither key nor tag', { keys: [{ criticality: 'high' }] }],
    [
      'a window that ends before it begins',
      { change_windows: [{ name: 'x', begins: '2026-03-02T00:00:00Z', ends: '2026-03-01T00:00:00Z' }] },
    ],
    ['a time of day that there is not', { change_windows: [{ name: 'x', weekdays: ['mon'], from: '24:00', to: '01:00' }] }],
    ['a resource of another kind', { monitor: ['arn:aws:s3:::bucket'] }],
    ['an account that is none', { trusted_accounts: ['1234'] }],
    ['a field that is unknown', { trusted: [] }],
  ])('refuses %s', (_what, organization) => {
    expect(configSchema.safeParse({ organization }).success).toBe(false);
  });
});

describe('which records of other services are ingested', () => {
  const detectors = configureDetectors(DETECTORS, {});
  const known = config({ log_buckets: ['org-logs'], monitor: [`arn:aws:sqs:eu-west-1:${ACCOUNT}:q`] });
  const about = (more: Partial<About>): About => ({
    service: '',
    operation: '',
    account: ACCOUNT,
    region: 'eu-west-1',
    resource: null,
    part: null,
    ...more,
  });
  const takes = (service: string, operation: string, more: Partial<About> = {}, organization = known) =>
    relevanceFilter(detectors, organization)(service, operation, () => about({ ...more, service, operation }));

  test.each([
    ['an object deleted in some bucket', false, 's3', 'DeleteObject', { resource: 'photos', part: 'a.jpg' }],
    ['an object deleted in a log bucket', true, 's3', 'DeleteObject', { resource: 'org-logs', part: 'a.jpg' }],
    [
      'a log file deleted anywhere',
      true,
      's3',
      'DeleteObject',
      { resource: 'x', part: `p/AWSLogs/o-a1b2c3d4e5/${ACCOUNT}/CloudTrail/eu-west-1/f.json.gz` },
    ],
    ['any bucket policy', true, 's3', 'PutBucketPolicy', { resource: 'photos' }],
    ['our queue purged', true, 'sqs', 'PurgeQueue', { resource: `https://sqs.eu-west-1.amazonaws.com/${ACCOUNT}/q` }],
    ['another queue purged', false, 'sqs', 'PurgeQueue', { resource: `https://sqs.eu-west-1.amazonaws.com/${ACCOUNT}/other` }],
    ['another role changed', false, 'iam', 'PutRolePolicy', { resource: 'app' }],
    ['a snapshot shared', true, 'ec2', 'ModifySnapshotAttribute', {}],
    ['what no detector names', false, 'ec2', 'RunInstances', {}],
    ['KMS always', true, 'kms', 'Decrypt', {}],
  ] as const)('%s: %s', (_what, expected, service, operation, more) => {
    expect(takes(service, operation, more)).toBe(expected);
  });

  test('asked by name alone, whatever could matter does', () => {
    expect(relevanceFilter(detectors, known)('iam', 'PutRolePolicy')).toBe(true);
    expect(relevanceFilter(detectors)('s3', 'DeleteObject', () => about({}))).toBe(true);
  });
});
