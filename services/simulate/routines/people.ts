import { serviceCaller, via, workload, AGENTS } from '../callers.ts';
import type { AccountName } from '../keyring.ts';
import { ACCOUNTS } from '../keyring.ts';
import { decrypt, denied, generateDataKey, generateRandom, list, read } from '../operations.ts';
import type { Call } from '../record.ts';
import type { Person } from '../staff.ts';
import { pipeline, signedIn, STAFF } from '../staff.ts';
import type { Stream } from '../stream.ts';
import { customers, office, steady, writeUse } from '../stream.ts';
import { existingKeys } from '../world.ts';
import type { SimKey, World } from '../world.ts';
import { attachVolume } from './machines.ts';

/** People at their desks, and the pipelines that they set off. */
export function peopleStreams(world: World): Stream[] {
  return [...browsing(world), ...secretsOfDevelopers(world), ...analysts(world), ...deployments(world), ...hiccups(world)];
}

function task(who: Person, name: string, perDay: number, what: Pick<Stream, 'key' | 'write'>): Stream {
  return { name: `${who.mail}/${name}`, perDay, rhythm: office(who.offset), fixed: true, ...what };
}

/** Keys are looked at: the console lists aliases and describes keys with every page. */
function browsing(world: World): Stream[] {
  const visits: readonly (readonly [Person, AccountName, number])[] = [
    [STAFF.mara, 'prod', 2.5],
    [STAFF.mara, 'security', 1.5],
    [STAFF.mara, 'staging', 1],
    [STAFF.tom, 'prod', 2],
    [STAFF.tom, 'data', 1],
    [STAFF.tom, 'staging', 1.5],
    [STAFF.jonas, 'staging', 1.5],
    [STAFF.priya, 'staging', 1.5],
    [STAFF.priya, 'prod', 1],
    [STAFF.elena, 'data', 1.5],
    [STAFF.ines, 'prod', 1.5],
    [STAFF.ines, 'staging', 1],
    [STAFF.ines, 'data', 1],
    [STAFF.ines, 'security', 2],
  ];
  return visits.map(([who, account, perDay]) =>
    task(who, `browse-${account}`, perDay, {
      write: (time, scribe) => {
        const tool = scribe.random.chance(0.7) ? 'console' : 'cli';
        const caller = signedIn(world, who, { account, time, tool });
        const key = scribe.random.pick(existingKeys(world, { account: ACCOUNTS[account], time }));
        const { region } = key;
        scribe.write({ time, region }, caller, list('ListAliases'));
        scribe.write({ time: time + 1_000, region }, caller, list('ListKeys', tool === 'console' ? { limit: 1000 } : { limit: 100 }));
        for (const [at, operation] of ['DescribeKey', 'GetKeyPolicy', 'GetKeyRotationStatus', 'ListResourceTags'].entries()) {
          scribe.write({ time: time + (at + 2) * 2_000, region }, caller, read(operation, key));
        }
        if (scribe.random.chance(0.3)) scribe.write({ time: time + 15_000, region }, caller, read('ListGrants', key));
      },
    }),
  );
}

/** Developers read staging's secrets, through Secrets Manager. */
function secretsOfDevelopers(world: World): Stream[] {
  const key = world.key('stg-secrets');
  const context = {
    SecretARN: `arn:aws:secretsmanager:us-east-1:${key.account}:secret:stg/db-a1B2c3`,
    SecretVersionId: world.stableHex(32, 'stg/db'),
  };
  return [STAFF.jonas, STAFF.priya, STAFF.tom].map((who) =>
    task(who, 'secrets', 2.5, {
      key,
      write: (time, scribe) => {
        const caller = via(signedIn(world, who, { account: 'staging', time, tool: 'cli' }), 'secretsmanager.amazonaws.com');
        writeUse(scribe, key, { time, caller, call: decrypt(key, { context, time }) });
      },
    }),
  );
}

/** Athena queries read the lake and write results. */
function analysts(world: World): Stream[] {
  const query = (who: Person, key: SimKey, bucket: string, perDay: number): Stream =>
    task(who, `query-${key.name}`, perDay, {
      key,
      write: (time, scribe) => {
        const caller = via(signedIn(world, who, { account: 'data', time }), 'athena.amazonaws.com');
        writeUse(scribe, key, { time, caller, call: decrypt(key, { context: { 'aws:s3:arn': `arn:aws:s3:::${bucket}` }, time }) });
        writeUse(scribe, key, {
          time: time + 6_000,
          caller,
          call: generateDataKey(key, { context: { 'aws:s3:arn': `arn:aws:s3:::${bucket}-results` }, time }),
        });
      },
    });
  return [
    query(STAFF.sam, world.key('data-lake'), 'larkspur-lake-marts', 9),
    query(STAFF.elena, world.key('data-lake'), 'larkspur-lake-clean', 6),
    query(STAFF.elena, world.key('data-eu-lake'), 'larkspur-lake-eu', 4),
    query(STAFF.elena, world.key('data-export'), 'larkspur-order-export', 2),
  ];
}

/** A pipeline run: Terraform refreshes every key that it manages; new instances start with the new version. */
function deployments(world: World): Stream[] {
  const plans: readonly (readonly [AccountName, number, string | null])[] = [
    ['staging', 1.8, 'stg-ebs'],
    ['prod', 0.9, 'prod-ebs'],
    ['data', 0.4, null],
    ['security', 0.2, null],
  ];
  return plans.map(([account, perDay, volumes]) => ({
    name: `deploy/${account}`,
    perDay,
    rhythm: office(STAFF.mara.offset),
    fixed: true,
    write: (time, scribe) => {
      const caller = pipeline(world, account, time);
      const keys = existingKeys(world, { account: ACCOUNTS[account], time }).filter((key) => key.region === 'us-east-1');
      scribe.write({ time, region: 'us-east-1' }, caller, list('ListAliases'));
      keys.forEach((key, at) => {
        for (const operation of ['DescribeKey', 'GetKeyPolicy', 'GetKeyRotationStatus', 'ListResourceTags']) {
          scribe.write({ time: time + (at + 1) * 1_000, region: key.region }, caller, read(operation, key));
        }
      });
      if (volumes === null) return;
      for (let started = 0; started < 3; started += 1)
        attachVolume(world, scribe, { key: world.key(volumes), time: time + (240 + started * 35) * 1_000 });
    },
  }));
}

/** What goes wrong on ordinary days: a permission that is missing, a throttled call. */
function hiccups(world: World): Stream[] {
  const refusal = (who: Person, call: Call, resource: string): Stream => ({
    name: `${who.mail}/refused-${call.operation}`,
    perDay: 0.7,
    rhythm: office(who.offset),
    fixed: true,
    write: (time, scribe) => {
      const caller = signedIn(world, who, { account: 'staging', time, tool: 'cli' });
      scribe.write({ time, region: 'us-east-1' }, caller, denied(call, caller, resource));
    },
  });
  const lake = world.key('data-lake');
  return [
    refusal(STAFF.priya, read('GetKeyPolicy', world.key('stg-ebs')), world.key('stg-ebs').arn),
    refusal(STAFF.jonas, list('CreateKey', null), '*'),
    {
      name: 'lake/throttled',
      perDay: 0.5,
      rhythm: steady,
      fixed: true,
      write: (time, scribe) => {
        const caller = via(workload(world, { account: ACCOUNTS.data, name: 'glue-etl', agent: AGENTS.boto }, time, 2), 's3.amazonaws.com');
        const call = decrypt(lake, { context: { 'aws:s3:arn': 'arn:aws:s3:::larkspur-lake-raw' }, time });
        scribe.write({ time, region: lake.region }, caller, {
          ...call,
          extra: undefined,
          error: {
            code: 'ThrottlingException',
            message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
          },
        });
      },
    },
    {
      name: 'shop/nonces',
      perDay: 6,
      rhythm: customers(STAFF.tom.offset),
      write: (time, scribe) =>
        scribe.write(
          { time, region: 'us-east-1' },
          workload(world, { account: ACCOUNTS.prod, name: 'session-service', agent: AGENTS.js }, time),
          generateRandom(),
        ),
    },
    {
      name: 'support/backup-plans',
      perDay: 2,
      rhythm: steady,
      fixed: true,
      write: (time, scribe) =>
        scribe.write(
          { time, region: 'us-east-1' },
          serviceCaller(ACCOUNTS.prod, 'backup.amazonaws.com'),
          read('DescribeKey', world.key('prod-backup'), 'arn'),
        ),
    },
  ];
}
