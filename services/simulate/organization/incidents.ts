import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import { decrypt, denied, generateDataKey, refused } from '../operations.ts';
import { Random } from '../random.ts';
import type { Entry } from '../record.ts';
import { Scribe } from '../scribe.ts';
import type { Workload } from './contract.ts';
import type { LivingKey } from './keys.ts';
import type { Estate } from './organization.ts';
import { THROTTLED } from './traffic.ts';

/** What goes wrong without ill will: a wrong deployment, a throttled batch, a client that asks again and again. Rates are per month and account. */
export function tellIncidents(estate: Estate): Entry[] {
  const months = (estate.end - estate.start) / (30 * DAY);
  const kinds = [
    ['throttled', 0.2, throttled],
    ['refused', 0.15, refusedDeployment],
    ['storm', 0.1, retryStorm],
  ] as const;
  return kinds.flatMap(([name, rate, tell]) => {
    const random = new Random(`${estate.seed}/incidents/${name}`);
    const count = random.poisson(rate * months * estate.accounts.length);
    return Array.from({ length: count }, (_, at) => {
      const scribe = new Scribe(random.fork(String(at)));
      const found = victim(scribe.random, estate);
      if (found) tell(scribe, found);
      return scribe.entries;
    }).flat();
  });
}

interface Victim extends Pick<LivingKey, 'key' | 'context'> {
  readonly workload: Workload;
  readonly time: number;
}

function victim(random: Random, estate: Estate): Victim | null {
  const time = estate.start + Math.floor(random.float() * (estate.end - estate.start - 3 * HOUR));
  const { keys } = random.pick(estate.accounts);
  const living = random.pick(keys);
  // Services' own roles are not deployed by anybody.
  if (['ebs', 'rds', 'backup', 'signing'].includes(living.purpose)) return null;
  return { key: living.key, context: living.context, workload: random.pick(living.workloads), time };
}

/** Some minutes of throttling, in which some calls are refused and more come through. */
function throttled(scribe: Scribe, { key, context, workload, time }: Victim): void {
  const lasts = scribe.random.int(8, 35) * MINUTE;
  for (let at = time; at < time + lasts; at += scribe.random.int(2, 30) * 1_000) {
    const call = decrypt(key, { context: context(scribe.random), time: at });
    scribe.write({ time: at, region: key.region }, workload.caller(at), scribe.random.chance(0.3) ? refused(call, THROTTLED) : call);
  }
}

/** A deployment takes a permission away from its new instances; it is rolled back within two hours. */
function refusedDeployment(scribe: Scribe, { key, context, workload, time }: Victim): void {
  const lasts = scribe.random.int(15, 110) * MINUTE;
  for (let at = time; at < time + lasts; at += scribe.random.int(20, 180) * 1_000) {
    const caller = workload.caller(at);
    const call = scribe.random.chance(0.7)
      ? decrypt(key, { time: at })
      : generateDataKey(key, { context: context(scribe.random), time: at });
    scribe.write({ time: at, region: key.region }, caller, denied(call, caller, key.arn));
  }
}

/** A client that does not keep what it has decrypted asks for the same again every few seconds. */
function retryStorm(scribe: Scribe, { key, context, workload, time }: Victim): void {
  const same = context(scribe.random);
  const lasts = scribe.random.int(10, 30) * MINUTE;
  for (let at = time; at < time + lasts; at += scribe.random.int(3, 15) * 1_000)
    scribe.write({ time: at, region: key.region }, workload.caller(at), decrypt(key, { context: same, time: at }));
}
