import type { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { type AreaWish, findAreas, isLogFile } from '../../../../services/sources/backfill/areas.ts';
import type { Buckets } from '../../../../services/sources/trail-objects.ts';

const PLACE = { bucket: 'trail-logs', queue: null, region: null };
const ALL: AreaWish = { prefix: '', organization: null, accounts: null, regions: null };
const [ONE, TWO] = ['111122223333', '444455556666'];

/** A bucket that holds these keys; lists two folders a page. */
function bucketOf(keys: readonly string[]): { buckets: Buckets; asked: string[] } {
  const asked: string[] = [];
  const send = async ({ input }: ListObjectsV2Command): Promise<object> => {
    const { Prefix = '', ContinuationToken } = input;
    if (ContinuationToken === undefined) asked.push(Prefix);
    const below = keys.filter((key) => key.startsWith(Prefix)).map((key) => key.slice(Prefix.length));
    const folders = [
      ...new Set(below.filter((rest) => rest.includes('/')).map((rest) => `${Prefix}${rest.slice(0, rest.indexOf('/'))}/`)),
    ].sort();
    const from = Number(ContinuationToken ?? 0);
    const isLast = from + 2 >= folders.length;
    return {
      CommonPrefixes: folders.slice(from, from + 2).map((name) => ({ Prefix: name })),
      IsTruncated: !isLast,
      ...(!isLast && { NextContinuationToken: String(from + 2) }),
    };
  };
  const buckets = { clientFor: () => ({ send }), forget: () => undefined, close: () => undefined } as unknown as Buckets;
  return { buckets, asked };
}

const found = async (keys: readonly string[], wish: Partial<AreaWish> = {}): Promise<string[]> => {
  const areas = await findAreas(bucketOf(keys).buckets, PLACE, { ...ALL, ...wish }, new AbortController().signal);
  return areas.map(({ folder }) => folder);
};

const KEYS = [
  `AWSLogs/${ONE}/CloudTrail/eu-west-1/2026/03/01/x`,
  `AWSLogs/${ONE}/CloudTrail/us-east-1/2026/03/01/x`,
  `AWSLogs/${ONE}/CloudTrail-Digest/eu-west-1/2026/03/01/x`,
  `AWSLogs/${ONE}/CloudTrail-Insight/eu-west-1/2026/03/01/x`,
  `AWSLogs/${ONE}/elasticloadbalancing/eu-west-1/2026/03/01/x`,
  `AWSLogs/${TWO}/CloudTrail-NetworkActivity/eu-west-1/2026/03/01/x`,
  `AWSLogs/o-exampleorg1/${ONE}/CloudTrail/eu-west-1/2026/03/01/x`,
  `AWSLogs/o-exampleorg1/${TWO}/CloudTrail/ap-southeast-2/2026/03/01/x`,
  `AWSLogs/somebody/else/x`,
  `AWSLogs/${ONE}/CloudTrail/not a\0Region/2026/03/01/x`,
  `team/AWSLogs/${TWO}/CloudTrail/eu-west-1/2026/03/01/x`,
];

test('every account and Region that has log files is found, of organizations too, and nothing else', async () => {
  expect(await found(KEYS)).toEqual([
    `AWSLogs/${ONE}/CloudTrail/eu-west-1/`,
    `AWSLogs/${ONE}/CloudTrail/us-east-1/`,
    `AWSLogs/${TWO}/CloudTrail-NetworkActivity/eu-west-1/`,
    `AWSLogs/o-exampleorg1/${ONE}/CloudTrail/eu-west-1/`,
    `AWSLogs/o-exampleorg1/${TWO}/CloudTrail/ap-southeast-2/`,
  ]);
  expect(await found(KEYS, { prefix: 'team' })).toEqual([`team/AWSLogs/${TWO}/CloudTrail/eu-west-1/`]);
  expect(await found(KEYS, { prefix: 'other' })).toEqual([]);
});

test('what is asked for is not looked up, and narrows what is found', async () => {
  expect(await found(KEYS, { organization: 'o-exampleorg1', accounts: [TWO] })).toEqual([
    `AWSLogs/o-exampleorg1/${TWO}/CloudTrail/ap-southeast-2/`,
  ]);
  expect(await found(KEYS, { accounts: [TWO], regions: ['eu-west-1'] })).toEqual([
    `AWSLogs/${TWO}/CloudTrail-NetworkActivity/eu-west-1/`,
    `AWSLogs/${TWO}/CloudTrail/eu-west-1/`,
    `AWSLogs/o-exampleorg1/${TWO}/CloudTrail-NetworkActivity/eu-west-1/`,
    `AWSLogs/o-exampleorg1/${TWO}/CloudTrail/eu-west-1/`,
  ]);
  const { buckets, asked } = bucketOf(KEYS);
  const all = { ...ALL, organization: 'o-exampleorg1', accounts: [ONE], regions: ['eu-west-1'] };
  await findAreas(buckets, PLACE, all, new AbortController().signal);
  expect(asked).toEqual([]);
});

test.each([
  [`AWSLogs/${ONE}/CloudTrail/eu-west-1/2026/03/01/${ONE}_CloudTrail_eu-west-1_20260301T0105Z_abc.json.gz`, true],
  [`AWSLogs/${ONE}/CloudTrail-Digest/eu-west-1/2026/03/01/x.json.gz`, false],
  [`AWSLogs/${ONE}/CloudTrail/eu-west-1/2026/03/01/`, false],
  [`AWSLogs/${ONE}/CloudTrail/eu-west-1/2026/03/01/copies/x.json.gz`, false],
])('%s is a log file: %s', (key, is) => {
  expect(isLogFile(key)).toBe(is);
});
