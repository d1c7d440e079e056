import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../services/core/clock.ts';
import type { KmsEvent } from '../../../services/core/event.ts';
import type {
  AccountSubject,
  ActorSubject,
  AliasSubject,
  KeySubject,
  Organization,
  SubjectKind,
  SubjectOf,
} from '../../../services/detectors/contract.ts';
import { subjectsOf } from '../../../services/detectors/subjects.ts';
import { ADMIN, ALIAS, KEY, OTHER_KEY, PRIMARY, REPLICA, ROOT, tell } from '../keys/fabricate.ts';

const NOBODY: Organization = { ownAccounts: new Set(), logKeys: new Set() };

function of<K extends SubjectKind>(kind: K, events: readonly KmsEvent[], organization = NOBODY): SubjectOf[K][] {
  return subjectsOf(events, organization).filter((subject) => subject.kind === kind) as SubjectOf[K][];
}

function key(arn: string, events: readonly KmsEvent[], organization = NOBODY): KeySubject | undefined {
  return of('key', events, organization).find((subject) => subject.arn === arn);
}

describe('key subjects', () => {
  it('exist for every key that any event names, whatever it says of it', () => {
    const events = [
      tell('DescribeKey', { at: 1, outcome: 'denied' }),
      tell('ReEncrypt', { at: 2, key: OTHER_KEY, otherKey: PRIMARY }),
      tell('ReplicateKey', { at: 3, key: PRIMARY, otherKey: REPLICA }),
    ];
    expect(of('key', events).map(({ arn }) => arn)).toEqual([KEY, OTHER_KEY, PRIMARY, REPLICA]);
    expect(key(REPLICA, events)).toMatchObject({
      region: 'us-east-1',
      account: '111122223333',
      facts: { multiRegionKeyType: { value: 'REPLICA' } },
    });
  });

  it('count use by actor, class and outcome, with first and last event', () => {
    const [first, second, third] = [tell('Decrypt', { at: 10 }), tell('Encrypt', { at: 20 }), tell('Decrypt', { at: 30 })];
    const others = [
      tell('Decrypt', { at: 15, actor: ROOT }),
      tell('Decrypt', { at: 25, outcome: 'denied' }),
      tell('DescribeKey', { at: 5 }),
      tell('DisableKey', { at: 40 }),
    ];
    expect(key(KEY, [third, ...others, first, second])?.uses).toEqual([
      { actor: ADMIN, operationClass: 'read', outcome: 'ok', count: 1, ...span(others[2], others[2]) },
      { actor: ADMIN, operationClass: 'use', outcome: 'ok', count: 3, ...span(first, third) },
      { actor: ROOT, operationClass: 'use', outcome: 'ok', count: 1, ...span(others[0], others[0]) },
      { actor: ADMIN, operationClass: 'use', outcome: 'denied', count: 1, ...span(others[1], others[1]) },
      { actor: ADMIN, operationClass: 'control', outcome: 'ok', count: 1, ...span(others[3], others[3]) },
    ]);
  });

  it('count failed calls by hour, without denied ones', () => {
    const failed = [1, 2, HOUR, HOUR + 1].map((at) => tell('Decrypt', { at, outcome: 'pending-deletion' }));
    const events = [
      ...failed,
      tell('Decrypt', { at: 3, outcome: 'denied' }),
      tell('Decrypt', { at: 4 }),
      tell('Encrypt', { at: 5, outcome: 'disabled' }),
    ];
    expect(
      key(KEY, events)?.failures.map(({ hour, operation, outcome, count, keyArn }) => [hour, operation, outcome, count, keyArn]),
    ).toEqual([
      [0, 'Decrypt', 'pending-deletion', 2, KEY],
      [0, 'Encrypt', 'disabled', 1, KEY],
      [HOUR, 'Decrypt', 'pending-deletion', 2, KEY],
    ]);
  });

  it('hold control events only in their timeline: no use, no reads, no grants', () => {
    const events = ['Decrypt', 'DescribeKey', 'CreateGrant', 'DisableKey', 'CreateAlias'].map((operation, at) =>
      tell(operation, { at, otherKey: operation === 'CreateAlias' ? ALIAS : null }),
    );
    expect(key(KEY, events)?.timeline.map(({ event }) => event.operation)).toEqual(['DisableKey', 'CreateAlias']);
    expect(key(KEY, events)?.timeline[0]?.event.sessionName).toBe('shift-1');
  });

  it('count events that name an alias for the key it pointed to then; one that cannot be resolved counts for no key', () => {
    const events = [
      tell('Decrypt', { at: 50, key: ALIAS }),
      tell('CreateAlias', { at: 100, otherKey: ALIAS }),
      tell('Decrypt', { at: 150, key: ALIAS }),
      tell('UpdateAlias', { at: 200, key: OTHER_KEY, otherKey: ALIAS }),
      tell('Decrypt', { at: 250, key: ALIAS, outcome: 'disabled' }),
      tell('DisableKey', { at: 260, key: ALIAS }),
      tell('DeleteAlias', { at: 300, key: null, otherKey: ALIAS }),
      tell('Decrypt', { at: 350, key: ALIAS }),
    ];
    const used = (arn: string) =>
      key(arn, events)
        ?.uses.filter(({ operationClass }) => operationClass === 'use')
        .map(({ firstAt, count }) => [firstAt, count]);
    expect(used(KEY)).toEqual([[150, 1]]);
    expect(used(OTHER_KEY)).toEqual([[250, 1]]);
    expect(key(OTHER_KEY, events)).toMatchObject({
      failures: [{ firstAt: 250, keyArn: OTHER_KEY }],
      facts: { enabled: { value: false } },
      aliases: [],
    });
    expect(of('key', events).map(({ arn }) => arn)).toEqual([KEY, OTHER_KEY]);
  });

  it('know their current aliases and whether they protect logs', () => {
    const events = [
      tell('CreateAlias', { at: 1, otherKey: ALIAS.replace('orders', 'b') }),
      tell('CreateAlias', { at: 2, otherKey: ALIAS.replace('orders', 'a') }),
      tell('CreateAlias', { at: 3, otherKey: ALIAS }),
      tell('UpdateAlias', { at: 4, key: OTHER_KEY, otherKey: ALIAS }),
      tell('GenerateDataKey', { at: 5, protectsLogs: true }),
    ];
    expect(key(KEY, events)).toMatchObject({ aliases: ['alias/a', 'alias/b'], protectsLogs: true });
    expect(key(OTHER_KEY, events)).toMatchObject({ aliases: ['alias/orders'], protectsLogs: false });
    expect(key(OTHER_KEY, events, { ...NOBODY, logKeys: new Set([OTHER_KEY]) })?.protectsLogs).toBe(true);
  });
});

describe('order', () => {
  it('of events that differ in account or Region only is their own, not that of their arrival', () => {
    const same = { at: 1, id: 'one', essence: '0'.repeat(16) };
    const events = [
      tell('DisableKey', { ...same, region: 'us-east-1' }),
      tell('DisableKey', { ...same, region: 'eu-west-1' }),
      tell('DisableKey', { ...same, account: '000000000000' }),
    ];
    const order = (told: readonly KmsEvent[]) => key(KEY, told)?.timeline.map(({ event }) => [event.account, event.region]);
    expect(order(events)).toEqual([
      ['000000000000', 'eu-west-1'],
      ['111122223333', 'eu-west-1'],
      ['111122223333', 'us-east-1'],
    ]);
    expect(order(events.toReversed())).toEqual(order(events));
  });
});

describe('alias subjects', () => {
  it('know what is known of every key they pointed to, and when it was last used', () => {
    const events = [
      tell('CreateAlias', { at: 1, otherKey: ALIAS }),
      tell('UpdateAlias', { at: 2, key: OTHER_KEY, otherKey: ALIAS }),
      tell('Decrypt', { at: 10 }),
      tell('Encrypt', { at: 20, actor: ROOT }),
      tell('Decrypt', { at: 30, outcome: 'disabled' }),
      tell('DescribeKey', { at: 40 }),
      tell('DisableKey', { at: 50, key: OTHER_KEY }),
      tell('Decrypt', { at: 60, key: PRIMARY }),
    ];
    const [alias] = of('alias', events) as [AliasSubject];
    expect(alias).toMatchObject({ arn: ALIAS, account: '111122223333', region: 'eu-west-1', lastUsed: { [KEY]: 20 } });
    expect(Object.keys(alias.lastUsed)).toEqual([KEY]);
    expect(Object.keys(alias.targets)).toEqual([KEY, OTHER_KEY]);
    expect(alias.targets[OTHER_KEY]?.enabled?.value).toBe(false);
    expect(alias.timeline.map(({ before, after }) => [before, after])).toEqual([
      [null, KEY],
      [KEY, OTHER_KEY],
    ]);
  });
});

describe('account subjects', () => {
  it('hold control events that concern no key, all Regions of an account together', () => {
    const events = [
      tell('StopLogging', { at: 2, service: 'cloudtrail', key: null, region: 'us-east-1' }),
      tell('ConnectCustomKeyStore', { at: 1, key: null }),
      tell('ListKeys', { at: 3, key: null }),
      tell('DisableKey', { at: 4 }),
      tell('StopLogging', { at: 5, service: 'cloudtrail', key: null, account: '444455556666' }),
    ];
    expect(of('account', events).map(({ account, timeline }) => [account, timeline.map(({ operation }) => operation)])).toEqual([
      ['111122223333', ['ConnectCustomKeyStore', 'StopLogging']],
      ['444455556666', ['StopLogging']],
    ]);
  });

  it('tell of one event that was told in two ways, and not of one that was seen twice', () => {
    const told = tell('Decrypt', { at: 10, id: 'one' });
    const forged = tell('Decrypt', { at: 5, id: 'one', actor: ROOT });
    const elsewhere = tell('Decrypt', { at: 10, id: 'one', region: 'us-east-1' });
    expect(of('account', [told, told, elsewhere])).toEqual([]);
    const [account] = of('account', [told, told, forged, elsewhere]) as [AccountSubject];
    expect(account.conflicts).toEqual([{ eventId: 'one', region: 'eu-west-1', at: 5, tellings: 2 }]);
  });

  it('count each telling of a conflicting event, and an event seen twice once', () => {
    const told = tell('Decrypt', { at: 10, id: 'one' });
    const forged = tell('Decrypt', { at: 10, id: 'one', detail: { description: 'x' } });
    expect(key(KEY, [told, told])?.uses[0]?.count).toBe(1);
    expect(key(KEY, [forged, told, told])?.uses[0]?.count).toBe(2);
  });
});

describe('actor subjects', () => {
  it('exist for callers with successful or denied calls, not for AWS services that only use keys; only root users are told with what they used', () => {
    const events = [
      tell('Decrypt', { at: 1, outcome: 'denied' }),
      tell('Encrypt', { at: 2, key: OTHER_KEY, outcome: 'denied' }),
      tell('ListKeys', { at: 3, key: null, outcome: 'denied' }),
      tell('Decrypt', { at: 4 }),
      tell('ListKeys', { at: 5, key: null, actor: ROOT }),
      tell('Decrypt', { at: 6, actor: ROOT }),
      tell('Decrypt', { at: 7, actor: { ...ADMIN, id: 'arn:aws:iam::111122223333:role/Quiet', name: 'Quiet' } }),
      tell('Decrypt', { at: 8, actor: { type: 'service', id: 'service:ec2', account: null, name: 'ec2' } }),
    ];
    const [admin, quiet, root, ...more] = of('actor', events) as [ActorSubject, ActorSubject, ActorSubject];
    expect(more).toEqual([]);
    expect(quiet).toMatchObject({
      actor: { name: 'Quiet' },
      denied: [],
      uses: [],
      habits: [{ count: 1, firstAt: 7, profile: { operation: 'Decrypt' } }],
    });
    expect(admin).toMatchObject({ actor: ADMIN, uses: [] });
    expect(admin.denied.map(({ operation, keyArn, count }) => [operation, keyArn, count])).toEqual([
      ['Decrypt', KEY, 1],
      ['Encrypt', OTHER_KEY, 1],
      ['ListKeys', null, 1],
    ]);
    expect(root).toMatchObject({ actor: ROOT, denied: [] });
    expect(root.uses.map(({ keyArn, operationClass, count, region }) => [keyArn, operationClass, count, region])).toEqual([
      [null, 'read', 1, 'eu-west-1'],
      [KEY, 'use', 1, 'eu-west-1'],
    ]);
  });
});

function span(first: KmsEvent | undefined, last: KmsEvent | undefined) {
  return { firstAt: first?.eventTime, firstEventId: first?.eventId, lastAt: last?.eventTime, lastEventId: last?.eventId };
}
