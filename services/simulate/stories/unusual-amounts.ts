import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { AGENTS, via, workload } from '../callers.ts';
import { deleteImportedKeyMaterial, importKeyMaterial } from '../controls.ts';
import { laterMoment, workMoment } from '../instants.ts';
import { ACCOUNTS } from '../keyring.ts';
import { decrypt, generateDataKey, materialAt, refused, resourceOf } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import type { Call } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { signedIn, STAFF } from '../staff.ts';
import type { World } from '../world.ts';
import { parametersForImport } from './imported.ts';

const { berlin } = OFFSETS;

/** Before a customer moves away, all its records are read in one evening: two hours of what is otherwise a week. */
export function customerExported(world: World, scribe: Scribe): void {
  const key = world.key('prod-customer-pii');
  const since = workMoment(world.end, 5, { hour: 21, minute: 10, offset: berlin });
  const role = { account: key.account, name: 'customer-records', endpoint: 'vpce-0a91c7d34be5f6820' };
  for (let time = since; time < since + 2 * HOUR; time += scribe.random.int(18, 32) * 1000) {
    const context = { purpose: 'customer-record', tenant: `t-${scribe.random.int(0, 39)}` };
    scribe.write({ time, region: key.region }, workload(world, role, time), decrypt(key, { context, naming: 'arn', time }));
  }
}

/** A debug page of staging's API, found by somebody, shows every secret that there is: all are read within a quarter of an hour. */
export function secretsSwept(world: World, scribe: Scribe): void {
  const key = world.key('stg-secrets');
  let time = workMoment(world.end, 4, { hour: 20, minute: 31, offset: berlin });
  for (let n = 0; n < 64; n += 1) {
    const secret = `stg/service-${String(n).padStart(2, '0')}`;
    const context = {
      SecretARN: `arn:aws:secretsmanager:us-east-1:${key.account}:secret:${secret}-${world.stableHex(6, secret)}`,
      SecretVersionId: world.stableHex(32, secret),
    };
    const caller = via(workload(world, { account: key.account, name: 'stg-api' }, time, 2), 'secretsmanager.amazonaws.com');
    scribe.write({ time, region: key.region }, caller, decrypt(key, { context, time }));
    time += scribe.random.int(6, 20) * 1000;
  }
}

/** After a mistake in its configuration, some product pictures are encrypted under a key of an account that nobody knows. */
export function mediaUnderForeignKey(world: World, scribe: Scribe): void {
  const since = workMoment(world.end, 7, { hour: 12, minute: 13, offset: berlin });
  const region = 'us-east-1';
  const hex = world.stableHex(32, 'foreign-key');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  const arn = `arn:aws:kms:${region}:343434343434:key/${id}`;
  const call: Call = {
    operation: 'GenerateDataKey',
    readOnly: true,
    request: { encryptionContext: { 'aws:s3:arn': 'arn:aws:s3:::larkspur-media' }, keyId: arn, keySpec: 'AES_256' },
    resources: [resourceOf(arn)],
    shared: true,
  };
  for (let time = since; time < since + 12 * MINUTE; time += scribe.random.int(60, 150) * 1000) {
    const uploader = workload(world, { account: ACCOUNTS.prod, name: 'shop-media' }, time);
    scribe.write({ time, region }, via(uploader, 's3.amazonaws.com'), call);
  }
}

/** The trial of imported material once more: imported, a bucket filled under it with made-up data, and taken away next day. */
export function importTriedAgain(world: World, scribe: Scribe): void {
  const key = world.key('stg-byok-trial');
  const { region } = key;
  const imported = workMoment(world.end, 9, { hour: 10, minute: 14, offset: berlin });
  const removed = laterMoment(imported, 1, { hour: 15, minute: 43, offset: berlin });
  const materialId = materialAt(key, imported) ?? '';
  const mara = (time: number) => signedIn(world, STAFF.mara, { account: 'staging', time, tool: 'cli' });
  scribe.write({ time: imported - 3 * MINUTE, region }, mara(imported), parametersForImport(key));
  scribe.write(
    { time: imported, region },
    mara(imported),
    importKeyMaterial(key, { validTo: imported + 365 * DAY, materialId, first: false }),
  );
  let time = imported + 20 * MINUTE;
  for (let n = 0; n < 60; n += 1) {
    const filler = workload(world, { account: key.account, name: 'stg-load-test', agent: AGENTS.boto }, time, 1);
    const context = { 'aws:s3:arn': `arn:aws:s3:::larkspur-stg-byok/object-${n}` };
    scribe.write({ time, region }, via(filler, 's3.amazonaws.com'), generateDataKey(key, { context, time }));
    time += scribe.random.int(10, 50) * 1000;
  }
  scribe.write({ time: removed, region }, mara(removed), deleteImportedKeyMaterial(key, materialId));
}

/** One night's load of the lake asks more than the account's quota gives. */
export function lakeThrottled(world: World, scribe: Scribe): void {
  const key = world.key('data-lake');
  let time = Math.floor((world.end - 6 * DAY) / DAY) * DAY + 2 * HOUR + 12 * MINUTE;
  for (let n = 0; n < 30; n += 1) {
    const caller = via(workload(world, { account: key.account, name: 'glue-etl', agent: AGENTS.boto }, time, 2), 's3.amazonaws.com');
    const call = decrypt(key, { context: { 'aws:s3:arn': 'arn:aws:s3:::larkspur-lake-raw' }, time });
    scribe.write(
      { time, region: key.region },
      caller,
      refused(call, {
        code: 'ThrottlingException',
        message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      }),
    );
    time += scribe.random.int(25, 55) * 1000;
  }
}
