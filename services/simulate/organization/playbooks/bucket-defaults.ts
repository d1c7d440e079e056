import { MINUTE } from '../../../core/clock.ts';
import { via } from '../../callers.ts';
import type { Call } from '../../record.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, adjacent, dataKeyUnder, elsewhere, foreignKey, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import type { Telling } from './telling.ts';

/** The bucket that a key's context names. */
function bucketOf(t: Telling, key: OrgKey): string {
  const arn = key.context(t.random)['aws:s3:arn'] ?? `arn:aws:s3:::${key.key.name.replace('/', '-')}`;
  return arn.replace('arn:aws:s3:::', '').split('/')[0] ?? '';
}

function defaultKey(bucketName: string, region: string, keyArn: string): Call {
  return adjacent('s3', 'PutBucketEncryption', {
    bucketName,
    encryption: '',
    ServerSideEncryptionConfiguration: {
      xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/',
      Rule: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn }, BucketKeyEnabled: true },
    },
    Host: `${bucketName}.s3.${region}.amazonaws.com`,
  });
}

/** Those who write to the bucket encrypt under the foreign key from now on, without knowing. */
function writersFollow(t: Telling, how: { key: OrgKey; foreign: string; since: number; count: number }): void {
  const { key, foreign, since, count } = how;
  for (let n = 0, time = since + MINUTE; n < count; n += 1, time += t.pause(120, 1500)) {
    const caller = via(t.workload(key).direct(time), 's3.amazonaws.com');
    t.bystander({ time, region: key.key.region }, caller, dataKeyUnder(foreign, key.context(t.random)));
  }
}

/** What is written from now on is the attacker's. */
export const bucketDefaultTurned: Playbook = playbook({
  id: 'bucket-default-turned',
  about: 'The default encryption of buckets is set to a key of the attacker’s account, so that everything new is written under it.',
  needs: ['s3'],
  days: 9,
  expects: ['encryption-default-changed', 'foreign-key-encryption'],
  variants: {
    loud: {
      how: 'every bucket of the account, and volumes as well, from a far network',
      tell: (t) => {
        const person = t.person('PlatformAdmin', 'Developer');
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        let time = t.at;
        for (const key of t.keysFor('s3')) {
          const { region } = key.key;
          const foreign = foreignKey(t, region);
          t.attack({ time, region }, admin, defaultKey(bucketOf(t, key), region, foreign));
          writersFollow(t, { key, foreign, since: time, count: 12 });
          time += t.pause(10, 60);
        }
        const region = t.account.regions[0] ?? 'us-east-1';
        const request = { ModifyEbsDefaultKmsKeyIdRequest: { KmsKeyId: foreignKey(t, region) } };
        t.attack({ time, region }, admin, adjacent('ec2', 'ModifyEbsDefaultKmsKeyId', request));
        return t.at;
      },
    },
    quiet: {
      how: 'one bucket at the office',
      tell: (t) => {
        const [person, key] = [t.person('PlatformAdmin', 'Developer'), t.key('s3')];
        const { region } = key.key;
        const time = t.office(person, 11);
        const foreign = foreignKey(t, region);
        const known = t.attack(
          { time, region },
          person.caller(t.account.id, time, 'console'),
          defaultKey(bucketOf(t, key), region, foreign),
        );
        writersFollow(t, { key, foreign, since: time, count: 5 });
        return known;
      },
    },
    evasive: {
      how: 'one bucket by the pipeline in the change window, naming the key by an alias of the foreign account',
      tell: (t) => {
        const key = t.key('s3');
        const { region } = key.key;
        const time = t.window();
        const alias = `arn:aws:kms:${region}:${t.foreign}:alias/${key.key.name.replace('/', '-')}`;
        const known = t.attack({ time, region }, t.account.pipeline(time), defaultKey(bucketOf(t, key), region, alias));
        writersFollow(t, { key, foreign: foreignKey(t, region), since: time + 30 * MINUTE, count: 3 });
        return known;
      },
    },
  },
});
