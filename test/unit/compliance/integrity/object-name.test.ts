import { describe, expect, test } from 'vitest';
import { chainId, digestKeyAt, digestName, logFileTime } from '../../../../services/compliance/integrity/object-name.ts';

const FOLDER = 'AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2023/07/10/';
const NAME = '111122223333_CloudTrail-Digest_eu-west-1_my_trail.1_us-east-1_20230710T120131Z';

describe('a digest’s name', () => {
  test('says account, Region, trail with its home Region, and the end of its hour', () => {
    expect(digestName(`${FOLDER}${NAME}.json.gz`)).toEqual({
      key: `${FOLDER}${NAME}.json.gz`,
      account: '111122223333',
      region: 'eu-west-1',
      trail: 'my_trail.1',
      homeRegion: 'us-east-1',
      time: Date.UTC(2023, 6, 10, 12, 1, 31),
      backfill: false,
    });
  });

  test('says whether it is a backfill, which is another chain', () => {
    const [hourly, backfill] = [digestName(`${NAME}.json.gz`)!, digestName(`${NAME}_backfill.json.gz`)!];
    expect([backfill.backfill, backfill.trail]).toEqual([true, 'my_trail.1']);
    expect(chainId(backfill)).not.toBe(chainId(hourly));
  });

  test('makes the name of another hour, over midnight too', () => {
    for (const suffix of ['', '_backfill']) {
      const name = digestName(`p/${FOLDER}${NAME}${suffix}.json.gz`)!;
      expect(digestKeyAt(name, name.time)).toBe(name.key);
      expect(digestKeyAt(name, Date.UTC(2023, 6, 11, 0, 1, 31))).toBe(
        `p/${FOLDER.replace('/10/', '/11/')}${NAME.replace('10T120131Z', '11T000131Z')}${suffix}.json.gz`,
      );
    }
  });

  test.each([
    '',
    NAME,
    `${NAME}.json`,
    `${NAME}-copy.json.gz`,
    '111122223333_CloudTrail_eu-west-1_20230710T1205Z_abc.json.gz',
    '111122223333_CloudTrail-Digest_eu-west-1_us-east-1_20230710T120131Z.json.gz',
    `x${NAME}.json.gz`,
    NAME.replace('0710T', '1310T'),
  ])('%j is none', (key) => {
    expect(digestName(key)).toBeNull();
  });
});

test.each([
  ['a/b/111122223333_CloudTrail_eu-west-1_20230710T1205Z_AbC-9.json.gz', Date.UTC(2023, 6, 10, 12, 5)],
  ['111122223333_CloudTrail_eu-west-1_20230710T1205Z_AbC_9.json.gz', null],
  ['111122223333_CloudTrail_eu-west-1_20231310T1205Z_AbC.json.gz', null],
  ['notes.txt', null],
])('the time in the log file name %s is %s', (key, time) => {
  expect(logFileTime(key)).toBe(time);
});
