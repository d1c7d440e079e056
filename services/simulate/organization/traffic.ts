import { foreignCaller, serviceCaller } from '../callers.ts';
import { decrypt, encrypt, generateDataKey, generateDataKeyWithoutPlaintext, refused, sign, verify } from '../operations.ts';
import { Random } from '../random.ts';
import type { Call, Caller } from '../record.ts';
import { attachVolume } from '../routines/machines.ts';
import type { Rhythm, Stream } from '../stream.ts';
import { writeUse } from '../stream.ts';
import type { Purpose, Workload } from './contract.ts';
import type { LivingKey } from './keys.ts';
import type { Estate, Household } from './organization.ts';
import type { Rhythms } from './rhythms.ts';

/** Uses a day of one workload at scale 1, for a key of average busyness in production. */
const PER_DAY: Readonly<Record<Purpose, number>> = {
  s3: 30,
  ebs: 5,
  rds: 10,
  dynamodb: 16,
  secretsmanager: 14,
  ssm: 12,
  lambda: 24,
  sqs: 16,
  backup: 5,
  logs: 5,
  application: 34,
  signing: 12,
  imported: 9,
};
const STAGE_FACTOR = { prod: 1, data: 0.7, staging: 0.4, security: 0.5 } as const;

/** What AWS services and applications do with the keys, day and night. */
export function serviceStreams(estate: Estate, rhythms: Rhythms): Stream[] {
  return estate.accounts.flatMap((household) =>
    household.keys.flatMap((living) => [
      ...living.workloads.map((workload) => useStream(estate, household, { living, workload, rhythms })),
      ...serviceItself(estate, living, rhythms),
      ...partners(estate, living, rhythms),
    ]),
  );
}

export interface Use {
  readonly living: LivingKey;
  readonly workload: Workload;
  readonly rhythms: Rhythms;
}

/** One workload's use of one key: some mostly read, some mostly write. */
export function useStream(estate: Estate, household: Household, { living, workload, rhythms }: Use): Stream {
  const { key, purpose } = living;
  const name = `use/${key.name}/${workload.role}`;
  const random = new Random(`${estate.seed}/stream/${name}`);
  const perDay = PER_DAY[purpose] * STAGE_FACTOR[household.plan.stage] * (0.15 + 2.6 * random.float() ** 2);
  const base = { name, key, perDay, rhythm: rhythmFor(random, household, { purpose, rhythms }) };
  if (purpose === 'ebs') return { ...base, weight: 4, write: (time, scribe) => attachVolume(estate.world, scribe, { key, time }) };
  const reads = purpose === 'lambda' || purpose === 'ssm' ? 0.96 : random.pick([0.2, 0.6, 0.75, 0.9]);
  return {
    ...base,
    weight: purpose === 'backup' ? 2 : 1,
    write: (time, scribe) => {
      const draw = scribe.random.float();
      const context = living.context(scribe.random);
      const call = usual(living, { draw: draw / reads, time, context });
      const failed = scribe.random.chance(0.0006) ? mishap(scribe.random, call) : call;
      writeUse(scribe, key, { time, caller: workload.caller(time), call: failed });
      if (purpose === 'backup')
        writeUse(scribe, key, { time: time + 3_000, caller: workload.caller(time), call: decrypt(key, { context, time }) });
    },
  };
}

/** @param draw below 1 for a read, above for a write */
function usual({ key, purpose }: LivingKey, how: { draw: number; time: number; context: Record<string, string> }): Call {
  const { draw, time, context } = how;
  const isRead = draw < 1;
  switch (purpose) {
    case 'signing':
      return isRead ? sign(key, { time, naming: 'alias' }) : verify(key, { time, naming: 'alias' });
    case 'application':
      if (isRead) return decrypt(key, { context, time, naming: 'arn' });
      return draw > 1.2 ? encrypt(key, { context, time }) : generateDataKey(key, { context, time });
    case 'rds':
    case 'backup':
      return isRead && purpose === 'rds' ? decrypt(key, { context, time }) : generateDataKeyWithoutPlaintext(key, { context, time });
    default:
      return isRead
        ? decrypt(key, { context, time })
        : generateDataKey(key, { context, time, naming: purpose === 'imported' ? 'alias' : 'arn' });
  }
}

function mishap(random: Random, call: Call): Call {
  const internal = { code: 'KMSInternalException', message: 'KMS could not complete the request.' };
  return refused(call, random.chance(0.5) ? internal : THROTTLED);
}

export const THROTTLED = {
  code: 'ThrottlingException',
  message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
} as const;

/** Production follows its customers, data is worked on at night, staging in office hours and by machines all day. */
function rhythmFor(random: Random, household: Household, about: { purpose: Purpose; rhythms: Rhythms }): Rhythm {
  const { purpose, rhythms } = about;
  const offset = household.regions[0]?.startsWith('eu') === true ? 1 : -6;
  if (purpose === 'backup') return rhythms.nightly(random.int(1, 5));
  if (purpose === 'rds' || purpose === 'logs' || household.plan.stage === 'security') return rhythms.steady;
  if (household.plan.stage === 'prod') return rhythms.customers(offset);
  const other = household.plan.stage === 'data' ? rhythms.nightly(random.int(0, 5)) : rhythms.office(offset);
  return (time) => 0.4 + 0.6 * other(time);
}

/** CloudTrail and CloudWatch Logs use keys for themselves. */
function serviceItself(estate: Estate, living: LivingKey, rhythms: Rhythms): Stream[] {
  const { key, purpose } = living;
  const isTrail = key === estate.security.keys[0]?.key;
  if (!isTrail && purpose !== 'logs') return [];
  const caller = serviceCaller(key.account, isTrail ? 'cloudtrail.amazonaws.com' : 'logs.amazonaws.com');
  return [
    {
      name: `service/${key.name}`,
      key,
      perDay: isTrail ? 40 : 6,
      rhythm: rhythms.steady,
      write: (time, scribe) =>
        writeUse(scribe, key, { time, caller, call: generateDataKey(key, { context: living.context(scribe.random), time }) }),
    },
  ];
}

/** What data teams export is read by partners each night. */
function partners(estate: Estate, living: LivingKey, rhythms: Rhythms): Stream[] {
  const partner = partnerOf(estate, living);
  if (partner === null) return [];
  const { key } = living;
  const caller: Caller = foreignCaller(estate.world, { account: partner, role: 'order-import', session: 'import' }, 's3.amazonaws.com');
  return [
    {
      name: `partner/${key.name}`,
      key,
      perDay: 6,
      rhythm: rhythms.nightly(4),
      write: (time, scribe) => {
        const call = decrypt(key, { context: living.context(scribe.random), time });
        writeUse(scribe, key, { time, caller, call: { ...call, recipient: key.account, shared: true } });
      },
    },
  ];
}

/** The partner that a key's policy lets in; null for none. */
export function partnerOf(estate: Pick<Estate, 'trusted'>, { policy }: Pick<LivingKey, 'policy'>): string | null {
  return estate.trusted.find((account) => policy.includes(account)) ?? null;
}
