/** Log files of steady use, of which some tell also that somebody scheduled a key for deletion. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { simulateBulk } from '../../services/simulate/bulk.ts';
import { record, roleOf } from '../../test/support/records.ts';
import type { Ask } from '../sources/upstream.ts';

export interface FilesWanted {
  readonly files: number;
  readonly recordsPerFile: number;
  /** One file in so many schedules the deletion of a key that nothing else is known of. */
  readonly deletionEvery: number;
  /** Epoch milliseconds: nothing is later. */
  readonly end: number;
}

/** @returns the files in the order of their time, and the ARNs of the keys that are to be deleted, in that of their files */
export function makeFiles(
  folder: string,
  { files, recordsPerFile, deletionEvery, end }: FilesWanted,
): { files: Ask['files']; keys: string[] } {
  const made: Ask['files'][number][] = [];
  const keys: string[] = [];
  for (const file of simulateBulk({ seed: 'notify', end, records: files * recordsPerFile, recordsPerFile })) {
    const records: object[] = [...file.records];
    if (made.length % deletionEvery === 0) {
      const { recipientAccountId: account = '', awsRegion: region = '' } = file.records[0] as {
        recipientAccountId?: string;
        awsRegion?: string;
      };
      const arn = `arn:aws:kms:${region}:${account}:key/${randomUUID()}`;
      keys.push(arn);
      records.push(deletion(arn, { account, region, at: file.time }));
    }
    const path = join(folder, file.key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzipSync(JSON.stringify({ Records: records })));
    made.push({ path, key: file.key });
  }
  return { files: made, keys };
}

function deletion(arn: string, { account, region, at }: { account: string; region: string; at: number }): object {
  return record('ScheduleKeyDeletion', at, {
    eventID: randomUUID(),
    userIdentity: roleOf('admin', account),
    awsRegion: region,
    recipientAccountId: account,
    requestParameters: { keyId: arn, pendingWindowInDays: 30 },
    responseElements: { keyId: arn, keyState: 'PendingDeletion', pendingWindowInDays: 30 },
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }],
  });
}
