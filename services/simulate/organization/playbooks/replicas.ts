import { HOUR, MINUTE } from '../../../core/clock.ts';
import { via } from '../../callers.ts';
import { createKey, createReplica, replicateKey } from '../../controls.ts';
import { decrypt, generateDataKey, resourceOf } from '../../operations.ts';
import type { Caller } from '../../record.ts';
import type { SimKey } from '../../world.ts';
import type { OrgKey, Playbook } from '../contract.ts';
import { addressOf, elsewhere, newKey, TOOLS } from './intruders.ts';
import { playbook } from './plan.ts';
import { policyWith } from './statements.ts';
import type { Telling } from './telling.ts';

const ABROAD = ['ap-southeast-1', 'sa-east-1', 'me-central-1', 'af-south-1', 'ap-east-1'] as const;

function foreignRegion(t: Telling): string {
  return t.random.pick(ABROAD.filter((region) => !t.organization.allowedRegions.includes(region)));
}

/** In the primary key's Region the call; in the other one KMS's own record of the new key. @returns the time of the call */
function replicate(t: Telling, how: { primary: SimKey; region: string; caller: Caller; time: number }): number {
  const { primary, region, caller, time } = how;
  const replica: SimKey = {
    ...primary,
    plan: { ...primary.plan, region, multiRegion: 'REPLICA', primary: primary.name },
    region,
    arn: primary.arn.replace(`:${primary.region}:`, `:${region}:`),
    createdAt: time + 1000,
  };
  const at = t.attack({ time, region: primary.region }, caller, replicateKey(primary, replica, policyWith(t.account.id)));
  t.attack({ time: time + 1000, region }, via(caller, 'kms.amazonaws.com'), createReplica(replica, primary.arn));
  return at;
}

/** Objects are read under our key and written under the new one. */
function move(t: Telling, how: { from: OrgKey; to: SimKey; caller: Caller; since: number; count: number }): number {
  let time = how.since;
  const service = via(how.caller, 's3.amazonaws.com');
  for (let n = 0; n < how.count; n += 1, time += t.pause(10, 90)) {
    const use = { context: how.from.context(t.random), time };
    t.attack({ time, region: how.to.region }, service, decrypt(how.from.key, use));
    t.attack({ time, region: how.to.region }, service, generateDataKey(how.to, use));
  }
  return time;
}

/** Key material leaves for a Region that the organization does not use. */
export const replicaAbroad: Playbook = playbook({
  id: 'replica-abroad',
  about: 'Data is moved under a multi-Region key that is then replicated to a Region where nobody looks.',
  needs: ['s3'],
  days: 9,
  expects: ['replica-outside-regions'],
  variants: {
    loud: {
      how: 'two foreign Regions within the hour, from a far network, after 40 objects',
      tell: (t) => {
        const [person, from] = [t.person('PlatformAdmin', 'Developer'), t.key('s3')];
        const { region } = from.key;
        const caller = elsewhere(person.caller(t.account.id, t.at, 'cli'), { from: addressOf(t), agent: TOOLS.kali });
        const primary = newKey(t, { time: t.at, region, purpose: 'recovery', multiRegion: 'PRIMARY' });
        t.attack({ time: t.at, region }, caller, createKey(primary, null));
        const moved = move(t, { from, to: primary, caller, since: t.at + MINUTE, count: 40 });
        const known = replicate(t, { primary, region: foreignRegion(t), caller, time: moved + MINUTE });
        replicate(t, { primary, region: foreignRegion(t), caller, time: moved + 3 * MINUTE });
        return known;
      },
    },
    quiet: {
      how: 'one foreign Region at the office, after ten objects',
      tell: (t) => {
        const [person, from] = [t.person('PlatformAdmin', 'Developer'), t.key('s3')];
        const { region } = from.key;
        const time = t.office(person, 11);
        const caller = person.caller(t.account.id, time, 'cli');
        const primary = newKey(t, { time, region, purpose: 'documents, recovery', multiRegion: 'PRIMARY' });
        t.attack({ time, region }, caller, createKey(primary, null));
        move(t, { from, to: primary, caller, since: time + 20 * MINUTE, count: 10 });
        return replicate(t, { primary, region: foreignRegion(t), caller, time: time + 3 * HOUR });
      },
    },
    evasive: {
      how: 'first to a Region that is allowed, in the change window; a day later the foreign one becomes the primary by UpdatePrimaryRegion',
      tell: (t) => {
        const from = t.key('s3');
        const { region } = from.key;
        const time = t.window();
        const caller = t.account.pipeline(time);
        const primary = newKey(t, { time, region, purpose: 'documents', multiRegion: 'PRIMARY' });
        t.attack({ time, region }, caller, createKey(primary, null));
        move(t, { from, to: primary, caller, since: time + 10 * MINUTE, count: 4 });
        const allowed = t.organization.allowedRegions.find((other) => other !== region);
        if (allowed !== undefined) replicate(t, { primary, region: allowed, caller, time: time + 40 * MINUTE });
        const abroad = foreignRegion(t);
        const later = time + 25 * HOUR;
        const again = t.account.pipeline(later);
        const known = replicate(t, { primary, region: abroad, caller: again, time: later });
        const request = { keyId: primary.id, primaryRegion: abroad };
        const update = { operation: 'UpdatePrimaryRegion', readOnly: false, request, response: null, resources: [resourceOf(primary.arn)] };
        t.attack({ time: later + 5 * MINUTE, region }, again, update);
        t.attack({ time: later + 5 * MINUTE, region: abroad }, via(again, 'kms.amazonaws.com'), { ...update, resources: undefined });
        return known;
      },
    },
  },
});
