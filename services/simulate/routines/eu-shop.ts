import { roleCaller, serviceCaller, via, workload } from '../callers.ts';
import { ACCOUNTS, REGIONS } from '../keyring.ts';
import { decrypt, generateDataKey, generateDataKeyWithoutPlaintext } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import type { Caller } from '../record.ts';
import type { Stream } from '../stream.ts';
import { customers, nightly, steady } from '../stream.ts';
import type { World } from '../world.ts';
import { habit } from './habit.ts';

const PROD = ACCOUNTS.prod;
const REGION = REGIONS.EU;
const BACKUP = { account: PROD, name: 'AWSBackupDefaultServiceRole', path: '/service-role/' };

/** What else the EU shop and its reports run on: little used, and quiet. */
export function euShopStreams(world: World): Stream[] {
  const params = world.key('eu-params');
  const logs = world.key('eu-logs');
  const vault = world.key('eu-backup');
  const table = world.key('eu-orders-ddb');
  const queue = world.key('eu-mail-queue');
  const marts = world.key('data-eu-marts');
  const rhythm = customers(OFFSETS.berlin);
  const through =
    (name: string, service: string) =>
    (time: number): Caller =>
      via(workload(world, { account: PROD, name }, time), service);
  return [
    habit({
      name: 'eu-shop/settings',
      perDay: 3,
      rhythm,
      key: params,
      caller: through('eu-shop-api', 'AWS Internal'),
      call: (time) => decrypt(params, { context: { PARAMETER_ARN: `arn:aws:ssm:${REGION}:${PROD}:parameter/eu-shop/db` }, time }),
    }),
    habit({
      name: 'eu-shop/log-groups',
      perDay: 2,
      rhythm: steady,
      key: logs,
      caller: () => serviceCaller(PROD, 'logs.amazonaws.com'),
      call: (time) => generateDataKey(logs, { context: { 'aws:logs:arn': `arn:aws:logs:${REGION}:${PROD}:log-group:/eu-shop/api` }, time }),
    }),
    habit({
      name: 'eu-shop/backup',
      perDay: 2,
      rhythm: nightly(4),
      key: vault,
      caller: (time) =>
        via(roleCaller(world, BACKUP, { session: 'AWSBackup-backup', since: time - 60_000, from: '', agent: '' }), 'backup.amazonaws.com'),
      call: (time, pick) => generateDataKeyWithoutPlaintext(vault, { context: { 'aws:backup:request-id': `eu-${time}-${pick}` }, time }),
    }),
    habit({
      name: 'eu-shop/orders-table',
      perDay: 3,
      rhythm,
      key: table,
      caller: through('eu-shop-api', 'dynamodb.amazonaws.com'),
      call: (time) => decrypt(table, { context: { 'aws:dynamodb:tableName': 'eu-orders', 'aws:dynamodb:subscriberId': PROD }, time }),
    }),
    habit({
      name: 'eu-shop/mail-queue',
      perDay: 3,
      rhythm,
      key: queue,
      caller: through('eu-shop-worker', 'sqs.amazonaws.com'),
      call: (time) => generateDataKey(queue, { context: { 'aws:sqs:arn': `arn:aws:sqs:${REGION}:${PROD}:eu-mail` }, time }),
    }),
    habit({
      name: 'eu-marts/open',
      perDay: 2,
      rhythm: steady,
      key: marts,
      caller: () => serviceCaller(ACCOUNTS.data, 'redshift.amazonaws.com'),
      call: (time) =>
        decrypt(marts, { context: { 'aws:redshift:arn': `arn:aws:redshift:${REGION}:${ACCOUNTS.data}:cluster:eu-marts` }, time }),
    }),
  ];
}
