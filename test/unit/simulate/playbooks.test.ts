import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { playbooksReference } from '../../../scripts/generators/playbooks.ts';
import { DAY } from '../../../services/core/clock.ts';
import type { KmsEvent } from '../../../services/core/event.ts';
import { DETECTORS } from '../../../services/detectors/registry.ts';
import { normalize } from '../../../services/normalize/normalize.ts';
import type { OrgAccount, Playbook, SimOrganization, Story, Variant } from '../../../services/simulate/organization/contract.ts';
import { PURPOSES, VARIANTS } from '../../../services/simulate/organization/contract.ts';
import { buildOrganization } from '../../../services/simulate/organization/organization.ts';
import { PLAYBOOKS } from '../../../services/simulate/organization/playbooks.ts';
import { Telling } from '../../../services/simulate/organization/playbooks/telling.ts';
import { Random } from '../../../services/simulate/random.ts';
import type { Entry } from '../../../services/simulate/record.ts';
import { Scribe } from '../../../services/simulate/scribe.ts';

const END = Date.parse('2026-06-30T00:00:00Z');
const organization: SimOrganization = buildOrganization({ seed: 'playbooks', end: END, days: 45, accounts: 4, keys: 64 });
const CASES = PLAYBOOKS.flatMap((playbook) => VARIANTS.map((variant) => ({ id: playbook.id, variant, playbook })));
const detectorIds = new Set(DETECTORS.map(({ id }) => id));

function accountFor({ where, needs = PURPOSES }: Playbook): OrgAccount {
  if (where === 'security') return organization.security;
  const found = organization.accounts.find(
    (account) => account.id !== organization.security.id && account.keys.some(({ purpose }) => needs.includes(purpose)),
  );
  if (!found) throw new Error(`no account for ${needs.join()}`);
  return found;
}

/** A record as far as its shape is looked at. */
interface Written {
  readonly account: string;
  readonly caller: { readonly accountId: string };
  readonly errorCode?: string;
  readonly requestParameters: unknown;
  readonly resources?: unknown;
  readonly sharedEventID?: string;
  readonly sourceIPAddress: string;
  readonly tlsDetails?: unknown;
}

interface Told {
  readonly story: Story;
  readonly entries: readonly Entry[];
}

function told(playbook: Playbook, variant: Variant, { seed = 'story', at = END - 20 * DAY + 3_210_123 } = {}): Told {
  const random = new Random(`${seed}/${playbook.id}/${variant}`);
  const scribe = new Scribe(random.fork('scribe'));
  const story = playbook.tell({ organization, variant, at, random, scribe, account: accountFor(playbook) });
  return { story, entries: scribe.entries };
}

function eventsOf(entries: readonly Entry[]): KmsEvent[] {
  return entries.map(({ record }) => {
    const result = normalize(Buffer.from(JSON.stringify(record)), () => true);
    if (result.outcome !== 'ok') throw new Error(`${result.outcome}: ${JSON.stringify(record)}`);
    return result.event;
  });
}

describe('the playbooks', () => {
  it('are at least 22, each with an id of its own in kebab-case and a sentence', () => {
    expect(PLAYBOOKS.length).toBeGreaterThanOrEqual(22);
    expect(new Set(PLAYBOOKS.map(({ id }) => id)).size).toBe(PLAYBOOKS.length);
    for (const { id, about } of PLAYBOOKS) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(about).toMatch(/^[A-Z][^.]*\.$/);
    }
  });

  it('stand in the reference as they are: npm run generate', () => {
    for (const [path, text] of playbooksReference()) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('tell nothing where there is nothing to tell of: a story without records is an error', () => {
    const random = new Random('empty');
    const stage = { organization, variant: 'loud', at: END, random, scribe: new Scribe(random), account: organization.security } as const;
    expect(() => new Telling(stage).story({ playbook: 'empty', expects: [], recognisableAt: END })).toThrow(RangeError);
  });
});

describe.each(CASES)('$id, $variant', ({ playbook, variant }) => {
  let first: Told;
  let events: readonly KmsEvent[];
  beforeAll(() => {
    first = told(playbook, variant);
    events = eventsOf(first.entries);
  });

  it('is understood whole by the normalizer', () => {
    expect(events.flatMap((event) => event.lostFields)).toEqual([]);
  });

  it('is the same again from the same seed, and another from another', () => {
    expect(told(playbook, variant)).toEqual(first);
    expect(told(playbook, variant, { seed: 'other' }).entries).not.toEqual(first.entries);
  });

  it('has the label that its records have earned', () => {
    const { story, entries } = first;
    const times = entries.map(({ time }) => time);
    expect(story).toMatchObject({ playbook: playbook.id, variant, startsAt: Math.min(...times), endsAt: Math.max(...times) });
    expect(times).toContain(story.recognisableAt);
    expect(story.expects.length).toBeGreaterThan(0);
    for (const id of story.expects) expect(detectorIds).toContain(id);
    const actors = new Set(events.map(({ actor }) => actor.id));
    expect(story.actors.length).toBeGreaterThan(0);
    for (const actor of story.actors) expect(actors).toContain(actor);
    for (const { key, from, to } of story.aftermath) {
      expect(story.keys).toContain(key);
      expect(to).toBeGreaterThan(from);
    }
  });

  it('keeps to its time: not before the stage opens, and over in the days that it asks for', () => {
    for (const day of [0, 2, 3, 5]) {
      const at = END - 30 * DAY + day * DAY + day * 3_333_000;
      const { story } = told(playbook, variant, { at });
      expect(story.startsAt).toBeGreaterThanOrEqual(at);
      expect(story.endsAt).toBeLessThanOrEqual(at + (playbook.days ?? 8) * DAY);
    }
  });

  it('writes records as CloudTrail does: refusals hide what was asked, other accounts share an id with ours, services have no TLS', () => {
    const records = first.entries.map(
      ({ record, account }) => ({ ...record, account, caller: record['userIdentity'] as Written['caller'] }) as unknown as Written,
    );
    const refused = records.filter(({ errorCode }) => errorCode === 'AccessDenied');
    expect(refused.filter(({ requestParameters, resources }) => requestParameters !== null || resources !== undefined)).toEqual([]);
    const foreign = records.filter(({ caller, account }) => caller.accountId !== account);
    expect(foreign.filter(({ sharedEventID }) => sharedEventID === undefined)).toEqual([]);
    const ofServices = records.filter(({ sourceIPAddress }) => sourceIPAddress.endsWith('.amazonaws.com'));
    expect(ofServices.filter(({ tlsDetails }) => tlsDetails !== undefined)).toEqual([]);
  });

  it('has records that no other has: ids once, delivered to accounts of the organization', () => {
    const ids = first.entries.map(({ record }) => record['eventID']);
    expect(new Set(ids).size).toBe(ids.length);
    const own = new Set([...organization.accounts, organization.security].map(({ id }) => id));
    for (const { account } of first.entries) expect(own).toContain(account);
  });
});

describe.each(PLAYBOOKS.map((playbook) => ({ id: playbook.id, playbook })))('the variants of $id', ({ playbook }) => {
  it('differ in what is called, by whom, or how often, and not only in words', () => {
    const shapes = VARIANTS.map((variant) => {
      const counts = new Map<string, number>();
      for (const { operation, actor, network } of eventsOf(told(playbook, variant).entries)) {
        const way = [operation, actor.id, network.prefix].join(' ');
        counts.set(way, (counts.get(way) ?? 0) + 1);
      }
      return JSON.stringify([...counts].map(([way, count]) => `${way} ${count}`).toSorted());
    });
    expect(new Set(shapes).size).toBe(VARIANTS.length);
    expect(new Set(Object.values(playbook.variants)).size).toBe(VARIANTS.length);
  });

  it('the loud one is the fastest, or has the most records', () => {
    const [loud, ...others] = VARIANTS.map((variant) => told(playbook, variant));
    for (const other of others) {
      const faster = loud!.story.recognisableAt - loud!.story.startsAt <= other.story.recognisableAt - other.story.startsAt;
      expect(faster || loud!.entries.length >= other.entries.length).toBe(true);
    }
  });
});
