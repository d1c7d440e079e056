import { HOUR, MINUTE } from '../../core/clock.ts';
import type { Call, Entry } from '../record.ts';
import { AGENTS, roleCaller, rootCaller, via, workload } from '../callers.ts';
import { putKeyPolicy } from '../controls.ts';
import { ACCOUNTS } from '../keyring.ts';
import { decrypt, denied, generateDataKey, list, read } from '../operations.ts';
import { narrowedPolicy, openPolicy } from '../policies.ts';
import { entryOf } from '../record.ts';
import type { Scribe } from '../scribe.ts';
import { BROWSER_AGENT, contractor, signedIn, STAFF } from '../staff.ts';
import { existingKeys } from '../world.ts';
import type { World } from '../world.ts';

/** Jonas opens staging's secrets key to preview environments, and forgets the condition: for 38 minutes it is open to everyone. */
export function policyLeftOpen(world: World, scribe: Scribe): void {
  const key = world.key('stg-secrets');
  const { policyOpened, policyClosed } = world.plot;
  const jonas = signedIn(world, STAFF.jonas, { account: 'staging', time: policyOpened });
  scribe.write({ time: policyOpened, region: key.region }, jonas, putKeyPolicy(key, openPolicy(key.account)));
  scribe.write({ time: policyClosed, region: key.region }, jonas, putKeyPolicy(key, narrowedPolicy(key.account)));
}

/** A notebook that nobody announced decrypts the data lake's keys directly, late in the evening. */
export function notebookAppears(world: World, scribe: Scribe): void {
  const key = world.key('data-lake');
  const since = world.plot.notebookAppears;
  const notebook = roleCaller(
    world,
    { account: key.account, name: 'notebook-adhoc' },
    { session: 'SageMaker', since: since - 5 * MINUTE, from: '203.0.113.222', agent: AGENTS.boto },
  );
  for (let time = since; time < since + 45 * MINUTE; time += scribe.random.int(60, 240) * 1000) {
    scribe.write(
      { time, region: key.region },
      notebook,
      decrypt(key, { context: { 'aws:s3:arn': 'arn:aws:s3:::larkspur-lake-clean' }, time }),
    );
  }
}

/** An outside developer's access key is tried out at night: which keys are there, what may it do? Nothing, in staging. */
export function contractorProbes(world: World, scribe: Scribe): void {
  const caller = contractor(world);
  const region = 'us-east-1';
  let time = world.plot.contractorProbes;
  const attempt = (call: Call, resource: string): void => {
    scribe.write({ time, region }, caller, denied(call, caller, resource));
    time += scribe.random.int(8, 45) * 1000;
  };
  attempt(list('ListKeys'), '*');
  attempt(list('ListAliases'), '*');
  for (const key of existingKeys(world, { account: ACCOUNTS.staging, time })) {
    for (const operation of ['DescribeKey', 'GetKeyPolicy', 'ListGrants'] as const) attempt(read(operation, key), key.arn);
    attempt(decrypt(key, { time, naming: 'arn' }), key.arn);
  }
}

/** The root user of staging signs in to change the billing address, and looks at keys on the way. */
export function rootLooksAround(world: World, scribe: Scribe): void {
  const time = world.plot.rootSignsIn;
  const root = rootCaller(ACCOUNTS.staging, { since: time, from: STAFF.tom.address, agent: BROWSER_AGENT });
  const key = world.key('stg-secrets');
  const signIn: Call = {
    service: 'signin',
    operation: 'ConsoleLogin',
    readOnly: false,
    request: null,
    response: { ConsoleLogin: 'Success' },
    extra: { LoginTo: 'https://console.aws.amazon.com/console/home', MobileVersion: 'No', MFAUsed: 'Yes' },
    eventType: 'AwsConsoleSignIn',
  };
  scribe.write({ time, region: key.region }, root, signIn);
  scribe.write({ time: time + 4 * MINUTE, region: key.region }, root, list('ListAliases'));
  scribe.write({ time: time + 4 * MINUTE + 2_000, region: key.region }, root, read('DescribeKey', key));
}

/** CloudTrail tells of one call twice, under one id, and the second telling says something else: it failed after all. */
export function recordCorrected(world: World, scribe: Scribe): void {
  const key = world.key('data-export');
  const time = world.plot.recordCorrected;
  const caller = via(workload(world, { account: key.account, name: 'order-exporter', agent: AGENTS.boto }, time, 2), 's3.amazonaws.com');
  const first = entryOf(
    scribe.random,
    { time, region: key.region },
    caller,
    generateDataKey(key, { context: { 'aws:s3:arn': 'arn:aws:s3:::larkspur-order-export' }, time }),
  );
  const { eventID, requestID } = first.record;
  const second: Entry = {
    ...first,
    delivered: time + 6 * HOUR,
    record: {
      ...first.record,
      errorCode: 'KMSInternalException',
      errorMessage: 'KMS could not complete the request.',
      addendum: {
        reason: 'UPDATED_DATA',
        updatedFields: 'errorCode, errorMessage',
        originalRequestID: requestID,
        originalEventID: eventID,
      },
    },
  };
  scribe.entries.push(first, second);
}
