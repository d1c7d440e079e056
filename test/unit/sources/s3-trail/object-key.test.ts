import { expect, test } from 'vitest';
import { classifyKey, holdsRecords } from '../../../../services/sources/s3-trail/object-key.ts';

const NAME = '111122223333_CloudTrail_eu-west-1_20260301T0005Z_aB3dE5fG7hI9jK1l.json.gz';
const DAY = Date.UTC(2026, 2, 1);
const LOG = { kind: 'log', account: '111122223333', region: 'eu-west-1', organization: null, time: DAY + 5 * 60_000 };

test.each([
  [`AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/${NAME}`, LOG],
  [`some prefix/AWSLogs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/${NAME}`, LOG],
  [`AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1/2026/03/01/${NAME}`, { ...LOG, organization: 'o-exampleorgid' }],
  ['AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/restored.json.gz', { ...LOG, time: DAY }],
  [
    `AWSLogs/111122223333/CloudTrail-NetworkActivity/us-gov-west-1/2026/03/01/x_20260301T0005Z_y.json.gz`,
    { ...LOG, kind: 'network-activity', region: 'us-gov-west-1' },
  ],
  [
    'AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/01/111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260301T013000Z.json.gz',
    { ...LOG, kind: 'digest', time: DAY + 90 * 60_000 },
  ],
  ['AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/03/01/a_20260301T0005Z_b.json.gz', { ...LOG, kind: 'insight' }],
  ['AWSLogs/111122223333/CloudTrail-Aggregated/eu-west-1/2026/03/01/a_20260301T0005Z_b.json.gz', { ...LOG, kind: 'aggregated' }],
])('%s', (key, expected) => {
  expect(classifyKey(key)).toEqual(expected);
});

test.each([
  'AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/03/01/x.log.gz',
  'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/',
  'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/13/01/restored.json.gz',
  'AWSLogs/1111/CloudTrail/eu-west-1/2026/03/01/x.json.gz',
  'AWSLogs/111122223333/CloudTrail/../2026/03/01/x.json.gz',
  'AWSLogs/111122223333/constructor/eu-west-1/2026/03/01/x.json.gz',
  'athena-results/111122223333/CloudTrail/eu-west-1/2026/03/01/x.json.gz',
  'AWSLogs',
  '',
  'AWSLogs/'.repeat(400),
])('%s is foreign', (key) => {
  expect(classifyKey(key).kind).toBe('foreign');
});

test('only log files and network activity hold records', () => {
  expect((['log', 'network-activity', 'digest', 'insight', 'aggregated', 'foreign'] as const).filter(holdsRecords)).toEqual([
    'log',
    'network-activity',
  ]);
});
