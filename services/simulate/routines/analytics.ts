import { AGENTS, foreignCaller, serviceCaller, userCaller, via, workload } from '../callers.ts';
import { ACCOUNTS, PARTNER_ACCOUNT } from '../keyring.ts';
import { decrypt, generateDataKey } from '../operations.ts';
import type { Stream } from '../stream.ts';
import { nightly, steady, writeUse } from '../stream.ts';
import type { World } from '../world.ts';

const DATA = ACCOUNTS.data;

/** The data account: nightly loads, the warehouse, and a partner who reads what is exported for it. */
export function analyticsStreams(world: World): Stream[] {
  const lake = world.key('data-lake');
  const euLake = world.key('data-eu-lake');
  const warehouse = world.key('data-warehouse');
  const churn = world.key('data-churn-model');
  const features = world.key('data-churn-features');
  const exported = world.key('data-export');
  const lambda = world.key('data-aws-lambda');
  const through = (name: string, service: string) => (time: number) =>
    via(workload(world, { account: DATA, name, agent: AGENTS.boto }, time, 2), service);
  const glue = through('glue-etl', 's3.amazonaws.com');
  const trainer = through('churn-trainer', 's3.amazonaws.com');
  const exporter = through('order-exporter', 's3.amazonaws.com');
  const bucket = (name: string): Record<string, string> => ({ 'aws:s3:arn': `arn:aws:s3:::${name}` });
  return [
    {
      name: 'lake/load',
      key: lake,
      perDay: 45,
      rhythm: nightly(2),
      write: (time, scribe) =>
        writeUse(scribe, lake, {
          time,
          caller: glue(time),
          call: (scribe.random.chance(0.4) ? generateDataKey : decrypt)(lake, {
            context: bucket(`larkspur-lake-${scribe.random.pick(['raw', 'clean', 'marts'])}`),
            time,
          }),
        }),
    },
    {
      name: 'lake/load-eu',
      key: euLake,
      perDay: 24,
      rhythm: nightly(1),
      write: (time, scribe) =>
        writeUse(scribe, euLake, {
          time,
          caller: glue(time),
          call: (scribe.random.chance(0.4) ? generateDataKey : decrypt)(euLake, { context: bucket('larkspur-lake-eu'), time }),
        }),
    },
    {
      name: 'warehouse/open',
      key: warehouse,
      perDay: 10,
      rhythm: steady,
      write: (time, scribe) =>
        writeUse(scribe, warehouse, {
          time,
          caller: serviceCaller(DATA, 'redshift.amazonaws.com'),
          call: decrypt(warehouse, {
            context: {
              'aws:redshift:arn': `arn:aws:redshift:us-east-1:${DATA}:cluster:marts`,
              'aws:redshift:createtime': '20240611T0904Z',
            },
            time,
          }),
        }),
    },
    {
      name: 'churn/train',
      key: churn,
      perDay: 7,
      rhythm: nightly(4),
      write: (time, scribe) =>
        writeUse(scribe, churn, { time, caller: trainer(time), call: decrypt(churn, { context: bucket('larkspur-churn-model'), time }) }),
    },
    {
      name: 'churn/features',
      key: features,
      perDay: 5,
      rhythm: nightly(4),
      write: (time, scribe) =>
        writeUse(scribe, features, {
          time,
          caller: trainer(time),
          call: decrypt(features, { context: bucket('larkspur-churn-features'), time }),
        }),
    },
    {
      name: 'export/write',
      key: exported,
      perDay: 7,
      rhythm: nightly(6),
      write: (time, scribe) =>
        writeUse(scribe, exported, {
          time,
          caller: exporter(time),
          call: generateDataKey(exported, { context: bucket('larkspur-order-export'), time }),
        }),
    },
    {
      name: 'export/partner',
      key: exported,
      perDay: 6,
      rhythm: nightly(7),
      write: (time, scribe) => {
        const caller = foreignCaller(
          world,
          { account: PARTNER_ACCOUNT, role: 'order-import', session: 'order-import' },
          's3.amazonaws.com',
        );
        writeUse(scribe, exported, {
          time,
          caller,
          call: { ...decrypt(exported, { context: bucket('larkspur-order-export'), time }), shared: true, recipient: DATA },
        });
      },
    },
    {
      name: 'export/on-premises',
      key: exported,
      perDay: 4,
      rhythm: nightly(8),
      write: (time, scribe) => {
        const caller = userCaller(world, { account: DATA, name: 'svc-bookkeeping' }, { from: '198.51.100.140', agent: AGENTS.boto });
        writeUse(scribe, exported, {
          time,
          caller: via(caller, 's3.amazonaws.com'),
          call: decrypt(exported, { context: bucket('larkspur-order-export'), time }),
        });
      },
    },
    {
      name: 'alerts/environment',
      key: lambda,
      perDay: 5,
      rhythm: steady,
      write: (time, scribe) =>
        writeUse(scribe, lambda, {
          time,
          caller: through('data-alerts', 'lambda.amazonaws.com')(time),
          call: decrypt(lambda, { context: { 'aws:lambda:FunctionArn': `arn:aws:lambda:us-east-1:${DATA}:function:load-alerts` }, time }),
        }),
    },
  ];
}
