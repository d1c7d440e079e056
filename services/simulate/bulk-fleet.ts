import { DAY, HOUR } from '../core/clock.ts';
import { isoSeconds } from './instants.ts';
import { Random } from './random.ts';
import type { Caller } from './record.ts';
import type { SimKey } from './world.ts';

/** One account in one Region: its keys, and who uses them. */
export interface BulkAccount {
  readonly account: string;
  readonly region: string;
  readonly keys: readonly SimKey[];
  readonly actors: readonly BulkActor[];
}

export interface BulkActor {
  readonly keys: readonly SimKey[];
  readonly sessions: readonly Caller[];
  contextOf(random: Random): Record<string, string>;
}

const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-2'] as const;
const KEYS_PER_PLACE = 17;
const ACTORS_PER_ACCOUNT = 19;
const SERVICES = ['s3', 'secretsmanager', 'lambda', 'dynamodb', 'rds', 'sqs'] as const;

/** 8 accounts × 3 Regions, 408 keys, 152 actors. The actors of an account work in all its Regions. */
export function buildFleet(seed: string, start: number): BulkAccount[] {
  const accounts = Array.from({ length: 8 }, (_, number) => String(300_000_000_001 + number * 11_111_111_111));
  return accounts.flatMap((account) =>
    REGIONS.map((region) => {
      const random = new Random(`${seed}/fleet/${account}/${region}`);
      const keys = Array.from({ length: KEYS_PER_PLACE }, (_, number) => bulkKey(random, { account, region, number, start }));
      const actors = Array.from({ length: ACTORS_PER_ACCOUNT }, (_, number) => bulkActor(seed, { account, region, number, start }, keys));
      return { account, region, keys, actors };
    }),
  );
}

interface Slot {
  readonly account: string;
  readonly region: string;
  readonly number: number;
  readonly start: number;
}

function bulkKey(random: Random, { account, region, number, start }: Slot): SimKey {
  const id = random.uuid();
  const createdAt = start - (40 + number) * DAY;
  const name = `app-${number}`;
  return {
    plan: { name, account: 'prod', region, purpose: name, ageDays: 40 + number },
    name,
    account,
    region,
    id,
    arn: `arn:aws:kms:${region}:${account}:key/${id}`,
    alias: `alias/${name}`,
    createdAt,
    materials: [{ at: createdAt, id: random.hex(64), cause: 'created' }],
    troubles: [],
  };
}

function bulkActor(seed: string, slot: Slot, keys: readonly SimKey[]): BulkActor {
  const { account, region, number } = slot;
  const random = new Random(`${seed}/actor/${account}/${region}/${number}`);
  const used = Array.from({ length: 6 }, (_, at) => keys[(number * 5 + at * 3) % keys.length]).filter((key) => key !== undefined);
  const service = number % 3 === 0 ? null : (SERVICES[number % SERVICES.length] ?? null);
  const sessions = Array.from({ length: 4 }, (_, at) => bulkSession(seed, slot, { random, at, service }));
  return { keys: used, sessions, contextOf: contextsOf(service, slot) };
}

function bulkSession(seed: string, slot: Slot, how: { random: Random; at: number; service: string | null }): Caller {
  const { account, number, start } = slot;
  const { random, at, service } = how;
  const identity = new Random(`${seed}/principal/${account}/${number}`);
  const principalId = `AROA${identity.text(17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`;
  const name = `service-${number}`;
  const session = random.hex(17);
  const invoker = service === null ? null : `${service}.amazonaws.com`;
  return {
    account,
    identity: {
      type: 'AssumedRole',
      principalId: `${principalId}:${session}`,
      arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
      accountId: account,
      accessKeyId: `ASIA${random.text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
      sessionContext: {
        sessionIssuer: { type: 'Role', principalId, arn: `arn:aws:iam::${account}:role/${name}`, accountId: account, userName: name },
        attributes: { creationDate: isoSeconds(start - at * HOUR), mfaAuthenticated: 'false' },
      },
      ...(invoker === null ? {} : { invokedBy: invoker }),
    },
    from: invoker ?? `10.${number}.${at}.${random.int(1, 254)}`,
    agent: invoker ?? 'aws-sdk-java/2.29.45 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.119 lang/java#21.0.5 cfg/retry-mode#standard',
    direct: invoker === null,
  };
}

/** Encryption contexts as the services write them; a few hundred different values an actor. */
function contextsOf(service: string | null, { account, region, number }: Slot): (random: Random) => Record<string, string> {
  const item = (random: Random): number => Math.floor(random.float() ** 2 * 300);
  switch (service) {
    case null:
      return (random) => ({ tenant: `t-${item(random)}`, purpose: 'record' });
    case 's3':
      return (random) => ({ 'aws:s3:arn': `arn:aws:s3:::bucket-${number}/part-${item(random)}` });
    case 'secretsmanager':
      return (random) => ({
        SecretARN: `arn:aws:secretsmanager:${region}:${account}:secret:app/${number}-${item(random)}`,
        SecretVersionId: `v-${item(random)}`,
      });
    case 'lambda':
      return (random) => ({ 'aws:lambda:FunctionArn': `arn:aws:lambda:${region}:${account}:function:fn-${item(random)}` });
    case 'dynamodb':
      return (random) => ({ 'aws:dynamodb:tableName': `table-${item(random)}`, 'aws:dynamodb:subscriberId': account });
    case 'rds':
      return (random) => ({ 'aws:rds:db-id': `db-${number}-${item(random)}` });
    default:
      return (random) => ({ 'aws:sqs:arn': `arn:aws:sqs:${region}:${account}:queue-${item(random)}` });
  }
}
