import { AGENTS, serviceCaller, via, workload } from '../callers.ts';
import { ACCOUNTS } from '../keyring.ts';
import { decrypt, encrypt, generateDataKey, generateMac, reEncrypt, sign, verify, verifyMac } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import type { Call, Caller } from '../record.ts';
import type { Rhythm, Stream } from '../stream.ts';
import { customers, nightly, steady, writeUse } from '../stream.ts';
import type { SimKey, World } from '../world.ts';
import { habit } from './habit.ts';

const PROD = ACCOUNTS.prod;

/** The applications behind the shop, each with a key of its own: some through AWS services, some call KMS themselves. */
export function applicationStreams(world: World): Stream[] {
  const params = world.key('prod-params');
  const lambda = world.key('prod-lambda-env');
  const table = world.key('prod-orders-ddb');
  const signing = world.key('prod-invoice-signing');
  const pii = world.key('prod-customer-pii');
  const west = world.key('prod-customer-pii-west');
  const carrier = world.key('prod-carrier-import');
  const logs = world.key('prod-logs');
  const loyalty = world.key('prod-loyalty');
  const returns = world.key('prod-returns');
  const rhythm = customers(OFFSETS.austin);
  const role =
    (name: string, agent: string = AGENTS.java, endpoint?: string) =>
    (time: number): Caller =>
      workload(world, { account: PROD, name, agent, ...(endpoint === undefined ? {} : { endpoint }) }, time);
  const functionArn = { 'aws:lambda:FunctionArn': `arn:aws:lambda:us-east-1:${PROD}:function:checkout` };
  const orders = { 'aws:dynamodb:tableName': 'orders', 'aws:dynamodb:subscriberId': PROD };
  const customer = (pick: number): Record<string, string> => ({ purpose: 'customer-record', tenant: `t-${pick % 60}` });
  const invoices = role('invoice-renderer', AGENTS.js);
  const records = role('customer-records', AGENTS.java, 'vpce-0a91c7d34be5f6820');
  return [
    habit({
      name: 'shop/params',
      perDay: 27,
      rhythm,
      key: params,
      caller: (time) => via(role('shop-api')(time), 'AWS Internal'),
      call: (time) => decrypt(params, { context: { PARAMETER_ARN: `arn:aws:ssm:us-east-1:${PROD}:parameter/shop/db` }, time }),
    }),
    habit({
      name: 'checkout/environment',
      perDay: 40,
      rhythm,
      key: lambda,
      caller: (time) => via(role('checkout-function')(time), 'lambda.amazonaws.com'),
      call: (time) => decrypt(lambda, { context: functionArn, time }),
    }),
    habit({
      name: 'shop/orders-table',
      perDay: 32,
      rhythm,
      key: table,
      caller: (time) => via(role('shop-api')(time), 'dynamodb.amazonaws.com'),
      call: (time) => decrypt(table, { context: orders, time }),
    }),
    habit({
      name: 'invoices/sign',
      perDay: 18,
      rhythm,
      key: signing,
      caller: invoices,
      call: (time) => sign(signing, { time, naming: 'alias' }),
    }),
    habit({ name: 'invoices/verify', perDay: 5, rhythm, key: signing, caller: invoices, call: (time) => verify(signing, { time }) }),
    ...sessionStreams(world, rhythm),
    habit({
      name: 'customers/read',
      perDay: 27,
      rhythm,
      key: pii,
      caller: records,
      call: (time, pick) => decrypt(pii, { context: customer(pick), naming: 'arn', time }),
    }),
    habit({
      name: 'customers/write',
      perDay: 8,
      rhythm,
      key: pii,
      caller: records,
      call: (time, pick) => (pick % 3 === 0 ? encrypt : generateDataKey)(pii, { context: customer(pick), naming: 'arn', time }),
    }),
    habit({
      name: 'customers/recovery-check',
      perDay: 4,
      rhythm: nightly(4),
      key: west,
      caller: role('recovery-check'),
      call: (time, pick) => decrypt(west, { context: customer(pick), time }),
    }),
    habit({
      name: 'customers/refresh',
      perDay: 4,
      rhythm: nightly(2),
      key: pii,
      caller: records,
      call: (time, pick) => reEncrypt(pii, pii, { context: customer(pick), time }),
    }),
    habit({
      name: 'carrier/labels',
      perDay: 9,
      rhythm,
      key: carrier,
      caller: role('carrier-gateway', AGENTS.boto),
      call: (time) => generateDataKey(carrier, { context: { carrier: 'parcel' }, naming: 'alias', time }),
    }),
    habit({
      name: 'loyalty/points',
      perDay: 4,
      rhythm,
      key: loyalty,
      caller: role('loyalty-service'),
      call: (time) => decrypt(loyalty, { context: { purpose: 'loyalty' }, time }),
    }),
    habit({
      name: 'returns/labels',
      perDay: 4,
      rhythm: (time) => (time > world.plot.returnsKeyCreated + 7_200_000 ? rhythm(time) : 0),
      key: returns,
      caller: role('returns-service', AGENTS.js),
      call: (time) => generateDataKey(returns, { context: { purpose: 'return-label' }, naming: 'alias', time }),
    }),
    habit({
      name: 'shop/log-groups',
      perDay: 6,
      rhythm: steady,
      key: logs,
      caller: () => serviceCaller(PROD, 'logs.amazonaws.com'),
      call: (time) => generateDataKey(logs, { context: { 'aws:logs:arn': `arn:aws:logs:us-east-1:${PROD}:log-group:/shop/api` }, time }),
    }),
  ];
}

/** Session tokens move to the successor key when the alias does. */
function sessionStreams(world: World, rhythm: Rhythm): Stream[] {
  const caller = (time: number): Caller =>
    workload(world, { account: PROD, name: 'session-service', agent: AGENTS.js, endpoint: 'vpce-0a91c7d34be5f6820' }, time);
  const current = (time: number): SimKey =>
    world.key(time < world.plot.sessionKeyReplaced + 60_000 ? 'prod-session-hmac-1' : 'prod-session-hmac-2');
  return [
    {
      name: 'sessions/issue',
      perDay: 27,
      rhythm,
      key: world.key('prod-session-hmac-1'),
      write: (time, scribe) =>
        writeUse(scribe, current(time), { time, caller: caller(time), call: aliased(generateMac(current(time), { time })) }),
    },
    {
      name: 'sessions/check',
      perDay: 43,
      rhythm,
      key: world.key('prod-session-hmac-1'),
      write: (time, scribe) =>
        writeUse(scribe, current(time), { time, caller: caller(time), call: aliased(verifyMac(current(time), { time })) }),
    },
  ];
}

function aliased(call: Call): Call {
  return { ...call, request: { ...call.request, keyId: 'alias/prod-session-hmac' } };
}
