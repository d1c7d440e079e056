import { HOUR, MINUTE } from '../../../core/clock.ts';
import { via } from '../../callers.ts';
import { createKey, putKeyPolicy } from '../../controls.ts';
import { decrypt, generateDataKeyWithoutPlaintext } from '../../operations.ts';
import type { Call } from '../../record.ts';
import type { Playbook } from '../contract.ts';
import { grantOf } from './grants.ts';
import { addressOf, adjacent, elsewhere, newKey, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { allow, policyWith, rootArn } from './statements.ts';
import type { Telling } from './telling.ts';

const OPENED = ['kms:Decrypt', 'kms:DescribeKey', 'kms:CreateGrant', 'kms:ReEncrypt*'];

function shareVolume(snapshotId: string, account: string): Call {
  const createVolumePermission = { add: { items: [{ userId: account }] } };
  return adjacent(
    'ec2',
    'ModifySnapshotAttribute',
    { snapshotId, attributeType: 'CREATE_VOLUME_PERMISSION', createVolumePermission },
    { _return: true },
  );
}

function shareDatabase(dBSnapshotIdentifier: string, account: string): Call {
  return adjacent('rds', 'ModifyDBSnapshotAttribute', { dBSnapshotIdentifier, attributeName: 'restore', valuesToAdd: [account] });
}

const snapshotOf = (t: Telling): string => `snap-0${t.random.hex(16)}`;

/** A snapshot and the key that opens it, given to one account. */
export const snapshotExfiltration: Playbook = playbook({
  id: 'snapshot-exfiltration',
  about: 'Snapshots are shared with the attacker’s account, together with the key that opens them.',
  needs: ['ebs', 'rds'],
  days: 10,
  expects: ['snapshot-shared-with-key', 'key-policy-external-account', 'grant-to-external-account'],
  variants: {
    loud: {
      how: 'the key opened and five snapshots shared within minutes',
      tell: (t) => {
        const [person, { key }] = [t.person('PlatformAdmin', 'Developer'), t.key('ebs', 'rds')];
        const admin = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const { region } = key;
        const policy = policyWith(t.account.id, allow('Share', { AWS: rootArn(t.foreign) }, OPENED));
        t.attack({ time: t.at, region }, admin, putKeyPolicy(key, policy));
        let [time, known] = [t.at + MINUTE, t.at];
        for (let n = 0; n < 5; n += 1, time += t.pause(5, 30)) {
          const at = t.attack({ time, region }, admin, shareVolume(snapshotOf(t), t.foreign));
          if (n === 0) known = at;
        }
        return known;
      },
    },
    quiet: {
      how: 'one snapshot and a grant, an afternoon at the office',
      tell: (t) => {
        const [person, { key, purpose }] = [t.person('PlatformAdmin', 'Developer'), t.key('rds', 'ebs')];
        const { region } = key;
        const time = t.office(person, 13);
        const caller = person.caller(t.account.id, time, 'console');
        const terms = { grantee: rootArn(t.foreign), operations: ['Decrypt', 'DescribeKey', 'CreateGrant'] };
        t.attack({ time, region }, caller, grantOf(t, key, terms));
        const share = purpose === 'rds' ? shareDatabase('before-migration', t.foreign) : shareVolume(snapshotOf(t), t.foreign);
        return t.attack({ time: time + 2 * HOUR, region }, caller, share);
      },
    },
    evasive: {
      how: 'a copy under a new key that was created open to the account, in the change window; shared 18 hours later',
      tell: (t) => {
        const orgKey = t.key('ebs', 'rds');
        const { region } = orgKey.key;
        const time = t.window();
        const caller = t.account.pipeline(time);
        const key = newKey(t, { time, region, purpose: 'volumes, migration' });
        t.attack({ time, region }, caller, createKey(key, policyWith(t.account.id, allow('Migration', { AWS: t.foreign }, OPENED))));
        const copied = time + 20 * MINUTE;
        const snapshotId = snapshotOf(t);
        const request = { sourceRegion: region, sourceSnapshotId: snapshotOf(t), encrypted: true, kmsKeyId: key.arn, description: '' };
        t.attack({ time: copied, region }, caller, adjacent('ec2', 'CopySnapshot', request, { snapshotId }));
        const volumes = via(caller, 'ec2.amazonaws.com');
        t.attack({ time: copied, region }, volumes, decrypt(orgKey.key, { context: orgKey.context(t.random), time: copied }));
        const context = { 'aws:ebs:id': snapshotId };
        t.attack({ time: copied + 1000, region }, volumes, generateDataKeyWithoutPlaintext(key, { context, time: copied }));
        const shared = time + 18 * HOUR;
        return t.attack({ time: shared, region }, t.account.pipeline(shared), shareVolume(snapshotId, t.foreign));
      },
    },
  },
});
