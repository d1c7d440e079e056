import { DAY, MINUTE } from '../core/clock.ts';
import type { BulkAccount } from './bulk-fleet.ts';
import { buildFleet } from './bulk-fleet.ts';
import { tagResource } from './controls.ts';
import type { LogFile } from './log-file.ts';
import { logFileKey } from './log-file.ts';
import {
  createGrant,
  decrypt,
  denied,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  list,
  read,
  refused,
  retireGrant,
} from './operations.ts';
import { Random } from './random.ts';
import type { Call, Caller } from './record.ts';
import { entryOf } from './record.ts';
import type { SimKey } from './world.ts';

export interface BulkOptions {
  readonly seed: string | number;
  /** Epoch milliseconds: nothing is later. */
  readonly end: number;
  readonly records: number;
  readonly recordsPerFile: number;
}

const SPAN = 7 * DAY;
const FILE_SPAN = 15 * MINUTE;

/**
 * Bulk for benchmarks: 7 days of steady traffic of 8 accounts in 3 Regions, about 400 keys and 150 actors, as full log
 * files in time order. 99 % is use, the rest reads, grants, control calls and failures. The same options give the same
 * bytes; one file is held at a time.
 * @throws RangeError for numbers of records that are not whole, or empty files
 */
export function* simulateBulk({ seed, end, records, recordsPerFile }: BulkOptions): Generator<LogFile, void, undefined> {
  if (!Number.isInteger(records) || records < 0 || !Number.isInteger(recordsPerFile) || recordsPerFile < 1)
    throw new RangeError('records and recordsPerFile must be whole numbers');
  const fleet = buildFleet(String(seed), end - SPAN);
  const files = Math.ceil(records / recordsPerFile);
  for (let number = 0; number < files; number += 1) {
    const random = new Random(`${seed}/bulk/${number}`);
    const place = fleet[number % fleet.length];
    if (!place) return;
    const time = Math.floor((end - SPAN + (SPAN * (number + 1)) / files) / 1000) * 1000;
    const count = Math.min(recordsPerFile, records - number * recordsPerFile);
    const step = FILE_SPAN / count;
    const file: LogFile = {
      key: logFileKey(`${seed}/${number}`, { account: place.account, region: place.region, time }),
      time,
      records: [],
      history: false,
    };
    for (let at = 0; at < count; at += 1) {
      const moment = time - FILE_SPAN + Math.floor(at * step);
      const { caller, call } = eventOf(random, place, moment);
      file.records.push(entryOf(random, { time: moment, region: place.region }, caller, call).record);
    }
    yield file;
  }
}

function eventOf(random: Random, place: BulkAccount, time: number): { caller: Caller; call: Call } {
  // Squaring makes a few actors and keys busy and most of them quiet, as real ones are.
  const actor = place.actors[Math.floor(random.float() ** 2 * place.actors.length)] ?? place.actors[0];
  if (!actor) throw new RangeError('an account without actors');
  const key = actor.keys[Math.floor(random.float() ** 2 * actor.keys.length)] ?? place.keys[0];
  if (!key) throw new RangeError('an account without keys');
  const caller = actor.sessions[Math.floor(random.float() * actor.sessions.length)] ?? actor.sessions[0];
  if (!caller) throw new RangeError('an actor without sessions');
  const context = actor.contextOf(random);
  const draw = random.float();
  if (draw >= 0.99) return { caller, call: rareCall(random, key, { time, caller, context }) };
  return { caller, call: useOf(draw, key, { context, time }) };
}

function useOf(draw: number, key: SimKey, how: { context: Record<string, string>; time: number }): Call {
  if (draw < 0.64) return decrypt(key, how);
  if (draw < 0.92) return generateDataKey(key, how);
  if (draw < 0.96) return generateDataKeyWithoutPlaintext(key, how);
  return encrypt(key, how);
}

function rareCall(random: Random, key: SimKey, how: { time: number; caller: Caller; context: Record<string, string> }): Call {
  const use = decrypt(key, how);
  switch (random.int(0, 19)) {
    case 0:
      return denied(use, how.caller, key.arn);
    case 1:
    case 2:
      return refused(use, {
        code: 'ThrottlingException',
        message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      });
    case 3:
      return tagResource(key, 'cost-center', String(random.int(100, 140)));
    case 4:
      return random.chance(0.2) ? tagResource(key, 'reviewed', 'yes') : read('GetKeyPolicy', key);
    case 5:
    case 6:
    case 7:
      return createGrant(key, {
        grantId: random.hex(64),
        grantee: `arn:aws:iam::${key.account}:role/aws:ec2-infrastructure`,
        operations: ['Decrypt'],
        context: how.context,
      });
    case 8:
    case 9:
    case 10:
      return retireGrant(key, random.hex(64));
    case 11:
      return list('ListAliases');
    default:
      return read(random.pick(['DescribeKey', 'ListGrants', 'GetKeyRotationStatus'] as const), key, 'arn');
  }
}
