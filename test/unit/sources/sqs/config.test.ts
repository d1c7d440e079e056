import { expect, test } from 'vitest';
import { s3TrailSchema } from '../../../../services/sources/s3-trail/config.ts';
import { queueName, regionOf } from '../../../../services/sources/sqs-config.ts';

const url = 'https://sqs.eu-west-1.amazonaws.com/111122223333/trail';

test.each([
  [url, 'eu-west-1'],
  ['https://sqs-fips.us-gov-west-1.amazonaws.com/111122223333/trail', 'us-gov-west-1'],
  ['https://sqs.cn-north-1.amazonaws.com.cn/111122223333/trail', 'cn-north-1'],
  ['https://vpce-0a1b2c3d.sqs.eu-west-1.vpce.amazonaws.com/111122223333/trail', null],
])('%s: Region %s', (given, region) => {
  expect(regionOf({ url: given })).toBe(region);
});

test('a queue has one name, whatever the way to it', () => {
  expect(queueName({ url })).toBe('111122223333/trail@eu-west-1');
  expect(queueName({ url: 'https://vpce-0a1b2c3d.sqs.eu-west-1.vpce.amazonaws.com/111122223333/trail', region: 'eu-west-1' })).toBe(
    queueName({ url }),
  );
});

test.each([
  ['no queue', { queues: [] }, /expected array to have >=1/],
  ['a queue twice', { queues: [{ url }, { url }] }, /same queue as an entry above/],
  ['an unknown Region', { queues: [{ url: 'http://127.0.0.1:4566/111122223333/trail' }] }, /URL does not tell the Region/],
  ['a FIFO queue, which S3 cannot write to', { queues: [{ url: `${url}.fifo` }] }, /URL of a standard SQS queue/],
  ['a field that is not known', { queues: [{ url, bucket: 'x' }] }, /bucket/],
])('%s is refused', (_, settings, says) => {
  expect(s3TrailSchema.safeParse(settings).error?.message).toMatch(says);
});
