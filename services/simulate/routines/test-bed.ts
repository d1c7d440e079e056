import { AGENTS, via, workload } from '../callers.ts';
import { ACCOUNTS } from '../keyring.ts';
import { decrypt, generateDataKey } from '../operations.ts';
import type { Caller } from '../record.ts';
import type { Stream } from '../stream.ts';
import { nightly, steady } from '../stream.ts';
import type { SimKey, World } from '../world.ts';
import { habit } from './habit.ts';

/** The staging account: the shop's services once more, and what is being tried out. */
export function testBedStreams(world: World): Stream[] {
  const account = ACCOUNTS.staging;
  const role =
    (name: string, agent: string = AGENTS.java) =>
    (time: number): Caller =>
      workload(world, { account, name, agent }, time, 2);
  const key = (name: string): SimKey => world.key(name);
  const s3 = (bucket: string): Record<string, string> => ({ 'aws:s3:arn': `arn:aws:s3:::${bucket}` });
  return [
    habit({
      name: 'staging/secrets',
      perDay: 16,
      rhythm: steady,
      key: key('stg-secrets'),
      caller: (time) => via(role('stg-api')(time), 'secretsmanager.amazonaws.com'),
      call: (time) =>
        decrypt(key('stg-secrets'), {
          context: {
            SecretARN: `arn:aws:secretsmanager:us-east-1:${account}:secret:stg/db-a1B2c3`,
            SecretVersionId: world.stableHex(32, 'stg/db'),
          },
          time,
        }),
    }),
    habit({
      name: 'staging/uploads',
      perDay: 14,
      rhythm: steady,
      key: key('stg-uploads'),
      caller: (time) => via(role('stg-api')(time), 's3.amazonaws.com'),
      call: (time, pick) => (pick % 2 ? decrypt : generateDataKey)(key('stg-uploads'), { context: s3('larkspur-stg-uploads'), time }),
    }),
    habit({
      name: 'staging/mailer',
      perDay: 4,
      rhythm: steady,
      key: key('stg-aws-secretsmanager'),
      caller: (time) => via(role('stg-mailer')(time), 'secretsmanager.amazonaws.com'),
      call: (time) =>
        decrypt(key('stg-aws-secretsmanager'), {
          context: {
            SecretARN: `arn:aws:secretsmanager:us-east-1:${account}:secret:stg/mailer-9ZyXwV`,
            SecretVersionId: world.stableHex(32, 'stg/mailer'),
          },
          time,
        }),
    }),
    habit({
      name: 'staging/report',
      perDay: 4,
      rhythm: nightly(1),
      key: key('stg-scratch'),
      caller: role('stg-report-job', AGENTS.boto),
      call: (time) => decrypt(key('stg-scratch'), { context: { report: 'daily' }, time }),
    }),
    habit({
      name: 'staging/search',
      perDay: 4,
      rhythm: nightly(3),
      key: key('stg-search-poc'),
      caller: role('stg-search-indexer', AGENTS.boto),
      call: (time) => decrypt(key('stg-search-poc'), { context: { index: 'catalogue' }, time }),
    }),
    habit({
      name: 'staging/partner',
      perDay: 4,
      rhythm: steady,
      key: key('stg-partner-import'),
      caller: role('stg-partner-gateway', AGENTS.boto),
      call: (time) => generateDataKey(key('stg-partner-import'), { context: { partner: 'fulfilment' }, time }),
    }),
    habit({
      name: 'staging/flags',
      perDay: 4,
      rhythm: (time) => (time > world.plot.featureKeyCreated + 3_600_000 ? 1 : 0),
      key: key('stg-feature-flags'),
      caller: role('stg-flags', AGENTS.js),
      call: (time) => decrypt(key('stg-feature-flags'), { context: { purpose: 'flags' }, time }),
    }),
  ];
}
