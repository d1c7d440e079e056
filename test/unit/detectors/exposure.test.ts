import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../../services/core/clock.ts';
import type { StoredEvent } from '../../../services/core/event.ts';
import { configureDetectors } from '../../../services/detectors/configure.ts';
import type { ActorSubject, AccountSubject, Detector, Organization, Subject } from '../../../services/detectors/contract.ts';
import massKeyTampering from '../../../services/detectors/deletion/mass-key-tampering.ts';
import { deriveFindings } from '../../../services/detectors/engine.ts';
import grantToExternalAccount from '../../../services/detectors/exposure/grant-to-external-account.ts';
import grantsRevokedBurst from '../../../services/detectors/exposure/grants-revoked-burst.ts';
import keyPolicyChanged from '../../../services/detectors/exposure/key-policy-changed.ts';
import snapshotSharedWithKey from '../../../services/detectors/exposure/snapshot-shared-with-key.ts';
import { ACCOUNT, ADMIN, aKey, anEvent, day, KEY, keyArn, REGION } from './a-key.ts';

const ORGANIZATION: Organization = { ownAccounts: new Set([ACCOUNT]), logKeys: new Set() };
const PARTNER = '999988887777';

function found(detector: Detector, subject: Subject, { params = {}, organization = ORGANIZATION, asOf = day(400) } = {}) {
  const configured = configureDetectors([detector], { [detector.id]: params });
  const { findings, failures } = deriveFindings(subject, configured, { asOf, organization, now: () => 0 });
  expect(failures).toEqual([]);
  return findings;
}

const keyNamed = (id: string) => ({ arn: keyArn(id), kind: 'key' as const, account: ACCOUNT, region: REGION, id });
const harm = (operation: string, at: number, key: string, grantId?: string): StoredEvent =>
  anEvent(operation, at, {
    eventId: `e-${operation}-${key}-${at}`,
    key: keyNamed(key),
    ...(grantId === undefined ? {} : { detail: { grantId } }),
  });
const actor = (harms: readonly StoredEvent[]): ActorSubject => ({ kind: 'actor', actor: ADMIN, denied: [], uses: [], harms });
const statement = (AWS: string, Action: string) => ({ Effect: 'Allow', Principal: { AWS }, Action, Resource: '*' });
const ROOT = statement(`arn:aws:iam::${ACCOUNT}:root`, 'kms:*');
const put = (at: number, ...statements: object[]) =>
  anEvent('PutKeyPolicy', at, { detail: { policy: JSON.stringify({ Statement: statements }) } });

describe('mass-key-tampering', () => {
  const three = (step: number) => [
    harm('DisableKey', day(1), 'a'),
    harm('ScheduleKeyDeletion', day(1) + step, 'b'),
    harm('DeleteImportedKeyMaterial', day(1) + 2 * step, 'c'),
  ];

  test('counts different keys in an hour, to the millisecond', () => {
    expect(found(massKeyTampering, actor(three(30 * MINUTE)))).toMatchObject([
      { severity: 'critical', occurrences: 3, keyArn: null, region: REGION },
    ]);
    expect(found(massKeyTampering, actor(three(30 * MINUTE + 1)))).toEqual([]);
    expect(found(massKeyTampering, actor([...three(MINUTE).slice(0, 2), harm('DisableKey', day(1) + 2 * MINUTE, 'a')]))).toEqual([]);
    expect(found(massKeyTampering, actor(three(40 * MINUTE)), { params: { windowMinutes: 90 } })).toHaveLength(1);
    expect(found(massKeyTampering, actor(three(MINUTE)), { params: { keys: 4 } })).toEqual([]);
  });

  test('what somebody revokes is not counted, and what an AWS service does is not either', () => {
    expect(found(massKeyTampering, actor(['a', 'b', 'c'].map((key, n) => harm('RevokeGrant', day(1) + n, key, 'g'))))).toEqual([]);
    const service: ActorSubject = { ...actor(three(MINUTE)), actor: { type: 'service', id: 'service:x', account: null, name: 'x' } };
    expect(found(massKeyTampering, service)).toEqual([]);
  });

  test('a change window is told, and excuses nothing', () => {
    const changeWindows = [{ name: 'move', weekly: false, from: day(0), to: day(2) }];
    const [finding] = found(massKeyTampering, actor(three(MINUTE)), { organization: { ...ORGANIZATION, changeWindows } });
    expect(finding).toMatchObject({ severity: 'critical', details: { change_window: 'move' } });
    expect(finding?.explanation.why).toContain('move');
  });
});

describe('grants-revoked-burst', () => {
  const burst = (at: number, n: number) => Array.from({ length: n }, (_, i) => harm('RevokeGrant', at + i * MINUTE, 'a', `g-${at}-${i}`));

  test('what a caller does every week is its habit; far more is not', () => {
    expect(found(grantsRevokedBurst, actor(burst(day(10), 5)))).toHaveLength(1);
    const weekly = [...burst(day(10), 6), ...burst(day(13), 6), ...burst(day(17), 6)];
    const [finding] = found(grantsRevokedBurst, actor(weekly));
    // Those of the first two days were no habit yet.
    expect(finding).toMatchObject({ firstSeen: day(10), lastSeen: day(13) + 5 * MINUTE, occurrences: 12 });
    expect(found(grantsRevokedBurst, actor([...weekly, ...burst(day(20), 10)]))[0]).toMatchObject({ occurrences: 12 });
    const loud = Array.from({ length: 40 }, (_, i) => harm('RevokeGrant', day(20) + i * 1000, 'a', `loud-${i}`));
    expect(found(grantsRevokedBurst, actor([...weekly, ...loud]))[0]).toMatchObject({ occurrences: 52 });
  });
});

describe('key-policy-changed', () => {
  const created = anEvent('CreateKey', day(0), { detail: { metadata: { origin: 'AWS_KMS' } } });
  const changed = (events: readonly StoredEvent[], asOf = day(10)) => found(keyPolicyChanged, aKey(events), { asOf });

  test('tells who gained what, against the default policy that CreateKey gives', () => {
    const [finding] = changed([created, put(day(5), ROOT, statement(`arn:aws:iam::${ACCOUNT}:role/orders`, 'kms:Decrypt'))]);
    expect(finding).toMatchObject({ severity: 'low', open: true, details: { earlier_policy_known: true, also_found_by: null } });
    expect(finding?.explanation.what).toContain('Role orders of account 111122223333 gained Decrypt.');
  });

  test('stays low where another detector tells the worse, and says which', () => {
    const [open] = changed([created, put(day(5), ROOT, statement('*', 'kms:*'))]);
    expect(open).toMatchObject({ severity: 'low', details: { also_found_by: 'key-policy-public' } });
    const [foreign] = changed([created, put(day(5), ROOT, statement(PARTNER, 'kms:*'))]);
    expect(foreign).toMatchObject({ severity: 'low', details: { also_found_by: 'key-policy-external-account' } });
  });

  test('is high, and stays open, when nobody can change the policy again', () => {
    const events = [created, put(day(5), statement(`arn:aws:iam::${ACCOUNT}:role/orders`, 'kms:Decrypt'))];
    expect(changed(events, day(100))).toMatchObject([{ severity: 'high', open: true }]);
  });

  test('is settled after 30 days, not before', () => {
    const events = [created, put(day(5), ROOT, statement(`arn:aws:iam::${ACCOUNT}:role/orders`, 'kms:Decrypt'))];
    expect(changed(events, day(35) - 1)).toMatchObject([{ open: true }]);
    expect(changed(events, day(35))).toMatchObject([{ open: false, resolvedAt: day(35) }]);
  });
});

describe('grant-to-external-account', () => {
  const grant = (at: number, grantId: string) =>
    anEvent('CreateGrant', at, {
      eventId: `grant-${grantId}`,
      detail: { grantId, granteePrincipal: `arn:aws:iam::${PARTNER}:root`, operations: ['Decrypt'] },
    });
  const revoke = (at: number, grantId: string) => anEvent('RevokeGrant', at, { eventId: `revoke-${grantId}`, detail: { grantId } });

  test('is mended with the last of several grants, and opens again with the next', () => {
    const two = [grant(day(1), 'a'), grant(day(2), 'b')];
    expect(found(grantToExternalAccount, aKey([...two, revoke(day(3), 'a')]))).toMatchObject([{ open: true, occurrences: 2 }]);
    const none = [...two, revoke(day(3), 'a'), revoke(day(4), 'b')];
    expect(found(grantToExternalAccount, aKey(none))).toMatchObject([{ open: false, resolvedAt: day(4) }]);
    expect(found(grantToExternalAccount, aKey([...none, grant(day(5), 'c')]))).toMatchObject([{ open: true, occurrences: 3 }]);
  });

  test('ends with the key', () => {
    expect(found(grantToExternalAccount, aKey([grant(day(1), 'a'), anEvent('DeleteKey', day(9))]))).toMatchObject([
      { open: false, resolvedAt: day(9) },
    ]);
  });
});

describe('snapshot-shared-with-key', () => {
  const share = (at: number, region = REGION) =>
    anEvent('ModifySnapshotAttribute', at, {
      service: 'ec2',
      key: null,
      region,
      eventId: `share-${at}`,
      detail: { resource: 'snap-1', sharedWith: [PARTNER] },
    });
  const opened = (at: number) => put(at, ROOT, statement(PARTNER, 'kms:Decrypt'));
  const account = (timeline: readonly StoredEvent[], openings: readonly StoredEvent[]): AccountSubject => ({
    kind: 'account',
    account: ACCOUNT,
    timeline,
    conflicts: [],
    openings,
  });

  test('connects the two within a day, whichever comes first, in one Region', () => {
    for (const between of [24 * HOUR, -24 * HOUR]) {
      const [finding] = found(snapshotSharedWithKey, account([share(day(5))], [opened(day(5) + between)]));
      expect(finding).toMatchObject({ severity: 'critical', keyArn: KEY, details: { foreign_account: PARTNER } });
      expect(finding?.evidence).toHaveLength(2);
    }
    expect(found(snapshotSharedWithKey, account([share(day(5))], [opened(day(5) + 24 * HOUR + 1)]))).toEqual([]);
    expect(found(snapshotSharedWithKey, account([share(day(5), 'us-east-1')], [opened(day(5))]))).toEqual([]);
  });

  test('access that is older than that is not news, though the policy is written again', () => {
    expect(found(snapshotSharedWithKey, account([share(day(5))], [opened(day(2)), opened(day(5))]))).toEqual([]);
  });

  test('accounts that are trusted are none of its business', () => {
    const organization = { ...ORGANIZATION, trustedAccounts: new Set([PARTNER]) };
    expect(found(snapshotSharedWithKey, account([share(day(5))], [opened(day(5))]), { organization })).toEqual([]);
  });
});
