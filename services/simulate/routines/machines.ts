import { ec2Infrastructure, roleCaller, serviceCaller, via } from '../callers.ts';
import { ACCOUNTS } from '../keyring.ts';
import { createGrant, decrypt, generateDataKey, generateDataKeyWithoutPlaintext, list, read, retireGrant } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import type { Caller } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import type { Stream } from '../stream.ts';
import { customers, inTrouble, nightly, steady, writeUse } from '../stream.ts';
import { existingKeys } from '../world.ts';
import type { SimKey, World } from '../world.ts';

/** Machines, databases, backups and AWS's own logging and inventory. */
export function machineStreams(world: World): Stream[] {
  return [
    scaling(world, 'prod-ebs', 5),
    scaling(world, 'eu-ebs', 4),
    scaling(world, 'stg-ebs', 3),
    database(world, 'prod-orders-rds', 22),
    database(world, 'eu-orders-rds', 12),
    backup(world),
    ...logging(world),
    ...inventory(world),
  ];
}

/** Instances come and go with the load; each opens an encrypted volume. */
function scaling(world: World, keyName: string, perDay: number): Stream {
  const key = world.key(keyName);
  return {
    name: `scaling/${keyName}`,
    key,
    perDay,
    rhythm: customers(key.region.startsWith('eu') ? OFFSETS.berlin : OFFSETS.austin),
    write: (time, scribe) => attachVolume(world, scribe, { key, time }),
  };
}

/**
 * EC2 makes a data key for the volume, gives its infrastructure role a grant, decrypts the data key when the volume is
 * attached, and gives the grant back. Source: https://docs.aws.amazon.com/kms/latest/developerguide/ct-ec2one.html
 */
export function attachVolume(world: World, scribe: Scribe, launch: { key: SimKey; time: number }): void {
  const { key, time } = launch;
  const { random } = scribe;
  const [instance, volume] = [`i-0${random.hex(16)}`, `vol-0${random.hex(16)}`];
  const scalingRole = { account: key.account, name: 'AWSServiceRoleForAutoScaling', path: '/aws-service-role/autoscaling.amazonaws.com/' };
  const starter = via(
    roleCaller(world, scalingRole, { session: 'AutoScaling', since: Math.floor(time / 3_600_000) * 3_600_000, from: '', agent: '' }),
    'ec2-frontend-api.amazonaws.com',
  );
  const machine = ec2Infrastructure(key.account, instance, time + 4_000);
  const context = { 'aws:ebs:id': volume };
  const grantId = random.hex(64);
  const at = (seconds: number) => time + seconds * 1000;
  const region = key.region;
  writeUse(scribe, key, { time, caller: starter, call: { ...generateDataKeyWithoutPlaintext(key, { context, time }), shared: true } });
  if (inTrouble(key, time)) return;
  scribe.write(
    { time: at(1), region },
    starter,
    createGrant(key, {
      grantId,
      grantee: `arn:aws:sts::${key.account}:assumed-role/aws:ec2-infrastructure/${instance}`,
      retiring: `ec2.${region}.amazonaws.com`,
      operations: ['Decrypt'],
      context,
    }),
  );
  writeUse(scribe, key, { time: at(random.int(6, 14)), caller: machine, call: decrypt(key, { context, time }) });
  scribe.write({ time: at(random.int(600, 5_400)), region }, serviceCaller(key.account, 'ec2.amazonaws.com'), retireGrant(key, grantId));
}

function database(world: World, keyName: string, perDay: number): Stream {
  const key = world.key(keyName);
  const role = { account: key.account, name: 'AWSServiceRoleForRDS', path: '/aws-service-role/rds.amazonaws.com/' };
  const context = { 'aws:rds:db-id': `db-${world.stableHex(24, keyName).toUpperCase()}` };
  return {
    name: `rds/${keyName}`,
    key,
    perDay,
    rhythm: steady,
    write: (time, scribe) => {
      const caller = via(
        roleCaller(world, role, { session: 'RDS', since: Math.floor(time / 3_600_000) * 3_600_000, from: '', agent: '' }),
        'rds.amazonaws.com',
      );
      const call = scribe.random.chance(0.2) ? generateDataKeyWithoutPlaintext(key, { context, time }) : decrypt(key, { context, time });
      writeUse(scribe, key, { time, caller, call });
    },
  };
}

function backup(world: World): Stream {
  const key = world.key('prod-backup');
  const role = { account: key.account, name: 'AWSBackupDefaultServiceRole', path: '/service-role/' };
  return {
    name: 'backup/vault',
    key,
    perDay: 5,
    rhythm: nightly(5),
    write: (time, scribe) => {
      const caller = via(
        roleCaller(world, role, { session: 'AWSBackup-backup', since: Math.floor(time / 3_600_000) * 3_600_000, from: '', agent: '' }),
        'backup.amazonaws.com',
      );
      const context = { 'aws:backup:request-id': scribe.random.uuid() };
      writeUse(scribe, key, { time, caller, call: generateDataKeyWithoutPlaintext(key, { context, time }) });
      writeUse(scribe, key, { time: time + 3_000, caller, call: decrypt(key, { context, time }) });
    },
  };
}

/** CloudTrail encrypts what it writes; the security account's forwarder reads it. */
function logging(world: World): Stream[] {
  const key = world.key('sec-cloudtrail');
  const trail = `arn:aws:cloudtrail:us-east-1:${key.account}:trail/larkspur-org`;
  const bucket = 'arn:aws:s3:::larkspur-org-trail';
  const forwarder = (time: number): Caller =>
    via(
      roleCaller(
        world,
        { account: key.account, name: 'siem-forwarder' },
        { session: 'siem-forwarder', since: Math.floor(time / 3_600_000) * 3_600_000, from: '', agent: '' },
      ),
      's3.amazonaws.com',
    );
  return [
    {
      name: 'logging/encrypt',
      key,
      perDay: 30,
      rhythm: steady,
      write: (time, scribe) =>
        writeUse(scribe, key, {
          time,
          caller: serviceCaller(key.account, 'cloudtrail.amazonaws.com'),
          call: generateDataKey(key, { context: { 'aws:cloudtrail:arn': trail, 'aws:s3:arn': bucket }, time }),
        }),
    },
    {
      name: 'logging/read',
      key,
      perDay: 24,
      rhythm: steady,
      write: (time, scribe) =>
        writeUse(scribe, key, {
          time,
          caller: forwarder(time),
          call: decrypt(key, { context: { 'aws:cloudtrail:arn': trail, 'aws:s3:arn': bucket }, time }),
        }),
    },
    {
      name: 'logging/findings',
      key: world.key('sec-findings'),
      perDay: 12,
      rhythm: steady,
      write: (time, scribe) =>
        writeUse(scribe, world.key('sec-findings'), {
          time,
          caller: serviceCaller(key.account, 'guardduty.amazonaws.com'),
          call: generateDataKey(world.key('sec-findings'), { context: { 'aws:s3:arn': 'arn:aws:s3:::larkspur-findings' }, time }),
        }),
    },
  ];
}

/** AWS Config looks at every customer key once a night. */
function inventory(world: World): Stream[] {
  return Object.entries(ACCOUNTS).map(([name, account]) => {
    const role = { account, name: 'AWSServiceRoleForConfig', path: '/aws-service-role/config.amazonaws.com/' };
    return {
      name: `inventory/${name}`,
      perDay: 1,
      rhythm: nightly(3),
      fixed: true,
      write: (time, scribe) => {
        const caller = via(
          roleCaller(world, role, { session: 'configLambdaExecution', since: time - 1_000, from: '', agent: '' }),
          'config.amazonaws.com',
        );
        const known = existingKeys(world, { account, time });
        for (const region of new Set(known.map((key) => key.region))) scribe.write({ time, region }, caller, list('ListKeys'));
        known.forEach((key, at) => {
          scribe.write({ time: time + (at + 1) * 2_000, region: key.region }, caller, read('DescribeKey', key, 'arn'));
          scribe.write({ time: time + (at + 1) * 2_000 + 1_000, region: key.region }, caller, read('GetKeyRotationStatus', key, 'arn'));
        });
      },
    } satisfies Stream;
  });
}
