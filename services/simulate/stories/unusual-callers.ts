import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { AGENTS, foreignCaller, userCaller, via, workload } from '../callers.ts';
import { tagResource } from '../controls.ts';
import { isoSeconds, workMoment } from '../instants.ts';
import { createGrant, decrypt, encrypt, generateDataKey, sign } from '../operations.ts';
import { OFFSETS } from '../plot.ts';
import type { Caller } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { BROWSER_AGENT, signedIn, STAFF } from '../staff.ts';
import type { World } from '../world.ts';

/** The yearly audit of the books; its firm has an AWS account of its own. */
const AUDITOR = '565656565656';
const { berlin, lisbon, austin } = OFFSETS;

/** Elena lets the auditor's account decrypt order exports, and it does so the same afternoon. */
export function auditorReads(world: World, scribe: Scribe): void {
  const key = world.key('data-export');
  const { region } = key;
  const granted = workMoment(world.end, 5, { hour: 11, minute: 8, offset: lisbon });
  const context = { 'aws:s3:arn': 'arn:aws:s3:::larkspur-order-export' };
  scribe.write(
    { time: granted, region },
    signedIn(world, STAFF.elena, { account: 'data', time: granted, tool: 'cli' }),
    createGrant(key, {
      grantId: world.stableHex(64, 'auditor-grant'),
      grantee: `arn:aws:iam::${AUDITOR}:role/audit-reader`,
      operations: ['Decrypt'],
      context,
    }),
  );
  const auditor = foreignCaller(world, { account: AUDITOR, role: 'audit-reader', session: 'audit' }, 's3.amazonaws.com');
  for (let time = granted + 3 * HOUR; time < granted + 3 * HOUR + 6 * MINUTE; time += MINUTE) {
    scribe.write({ time, region }, auditor, { ...decrypt(key, { context, time }), shared: true, recipient: key.account });
  }
}

/** The returns service begins to sign credit notes, with the key that so far signed invoices only. */
export function creditNotesSigned(world: World, scribe: Scribe): void {
  const key = world.key('prod-invoice-signing');
  const since = workMoment(world.end, 6, { hour: 14, minute: 17, offset: berlin });
  for (let time = since; time < since + 2 * HOUR; time += scribe.random.int(14, 26) * MINUTE) {
    const caller = workload(world, { account: key.account, name: 'returns-service', agent: AGENTS.js }, time);
    scribe.write({ time, region: key.region }, caller, sign(key, { time }));
  }
}

/**
 * To chase a fault, Jonas copies the credentials of a running container of the customer service to his laptop, and tries the key
 * from the office network: past the VPC endpoint, without the encryption context, while the container goes on using them.
 */
export function credentialsOnLaptop(world: World, scribe: Scribe): void {
  const key = world.key('prod-customer-pii');
  const { region } = key;
  const time = workMoment(world.end, 3, { hour: 16, minute: 6, offset: berlin });
  const role = { account: key.account, name: 'customer-records', endpoint: 'vpce-0a91c7d34be5f6820' };
  const container = workload(world, role, time - 4 * MINUTE);
  const { endpoint: _endpoint, ...outside } = container;
  const laptop: Caller = { ...outside, from: STAFF.jonas.address, agent: AGENTS.boto };
  const context = { purpose: 'customer-record', tenant: 't-7' };
  scribe.write({ time: time - 4 * MINUTE, region }, container, decrypt(key, { context, naming: 'arn', time }));
  scribe.write({ time, region }, laptop, encrypt(key, { time }));
  scribe.write({ time: time + 40_000, region }, laptop, decrypt(key, { naming: 'arn', time }));
  scribe.write({ time: time + 3 * MINUTE, region }, container, generateDataKey(key, { context, naming: 'arn', time }));
}

/** While Identity Center is down, Tom tags a key as the data account's emergency user, whose second factor nobody ever set up. */
export function emergencyUserTags(world: World, scribe: Scribe): void {
  const key = world.key('data-churn-features');
  const time = workMoment(world.end, 4, { hour: 9, minute: 52, offset: austin });
  const user = userCaller(world, { account: key.account, name: 'emergency-admin' }, { from: STAFF.tom.address, agent: BROWSER_AGENT });
  const attributes = { creationDate: isoSeconds(time - 11 * MINUTE), mfaAuthenticated: 'false' };
  const caller: Caller = {
    ...user,
    identity: {
      ...user.identity,
      accessKeyId: world.stableId('ASIA', 'emergency-admin').slice(0, 20),
      sessionContext: { attributes },
    },
    console: true,
  };
  scribe.write({ time, region: key.region }, caller, tagResource(key, 'cost-centre', 'analytics'));
}

/** Sam, whose queries are known for more than a month, makes one shortly before midnight in Austin. */
export function analystAtNight(world: World, scribe: Scribe): void {
  const key = world.key('data-lake');
  const query = (time: number): void => {
    const caller = via(signedIn(world, STAFF.sam, { account: 'data', time }), 'athena.amazonaws.com');
    const context = (bucket: string) => ({ 'aws:s3:arn': `arn:aws:s3:::larkspur-lake-marts${bucket}` });
    scribe.write({ time, region: key.region }, caller, decrypt(key, { context: context(''), time }));
    const written = time + 6_000;
    scribe.write({ time: written, region: key.region }, caller, generateDataKey(key, { context: context('-results'), time: written }));
  };
  query(workMoment(world.end, 33, { hour: 11, minute: 24, offset: austin }));
  const clock = 5 * HOUR + 37 * MINUTE;
  query(Math.floor((world.end - 6 * HOUR - clock) / DAY) * DAY + clock);
}
