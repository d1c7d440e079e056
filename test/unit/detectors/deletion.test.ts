import { describe, expect, test } from 'vitest';
import { HOUR } from '../../../services/core/clock.ts';
import aliasDeleted from '../../../services/detectors/deletion/alias-deleted.ts';
import aliasRepointed from '../../../services/detectors/deletion/alias-repointed.ts';
import disabledKeyUsed from '../../../services/detectors/deletion/disabled-key-used.ts';
import importedMaterialExpiring from '../../../services/detectors/deletion/imported-material-expiring.ts';
import keyDeletionScheduled from '../../../services/detectors/deletion/key-deletion-scheduled.ts';
import logKeyEndangered from '../../../services/detectors/deletion/log-key-endangered.ts';
import pendingDeletionKeyUsed from '../../../services/detectors/deletion/pending-deletion-key-used.ts';
import { ACCOUNT, APP, aFailure, aKey, aMove, anAlias, anEvent, aUse, day, judge, KEY, keyArn, REGION, role } from './a-key.ts';

const scheduled = (at: number, days = 30) =>
  anEvent('ScheduleKeyDeletion', at, { detail: { pendingWindowInDays: days, deletionDate: at + days * 86_400_000 } });

describe('key-deletion-scheduled', () => {
  const severity = (subject: ReturnType<typeof aKey>, asOf = day(100)) => judge(keyDeletionScheduled, subject, { asOf })[0]?.severity;

  test('is critical when the key was used within 30 days before, high when the last use is older', () => {
    expect(severity(aKey([scheduled(day(100))], { uses: [aUse(day(10), day(71))] }))).toBe('critical');
    expect(severity(aKey([scheduled(day(100))], { uses: [aUse(day(10), day(69))] }))).toBe('high');
  });

  test('does not count refused use, other classes of calls, or use that began only afterwards', () => {
    const uses = [
      aUse(day(99), day(99), { outcome: 'disabled' }),
      aUse(day(99), day(99), { operationClass: 'read' }),
      aUse(day(99), day(99), { operationClass: 'grant' }),
      aUse(day(101), day(102)),
    ];
    expect(severity(aKey([scheduled(day(100))], { uses }))).toBe('high');
  });

  test('calls use unknown where no read-only event is visible, and absent only where one is', () => {
    const [blind] = judge(keyDeletionScheduled, aKey([scheduled(day(100))]), { asOf: day(100) });
    expect(blind?.explanation.why).toMatch(/not visible.*unknown/);
    expect(blind?.details).toMatchObject({ use_visible: false, last_used_at: null });
    const seen = aKey([scheduled(day(100))], { uses: [aUse(day(1), day(1), { operationClass: 'read' })] });
    const [sighted] = judge(keyDeletionScheduled, seen, { asOf: day(100) });
    expect(sighted?.explanation.why).toMatch(/^No successful cryptographic call/);
    expect(sighted?.details).toMatchObject({ use_visible: true });
  });

  test('escalates at seven, three and one days left, and names them', () => {
    const subject = aKey([scheduled(day(100))]);
    const at = (asOf: number) => judge(keyDeletionScheduled, subject, { asOf })[0];
    expect(at(day(122))).toMatchObject({ severity: 'high', title: 'KMS key is scheduled for deletion', details: { days_left: 8 } });
    expect(at(day(123))).toMatchObject({
      severity: 'high',
      title: 'KMS key will be deleted within 7 days',
      details: { escalated_at_days: 7 },
    });
    expect(at(day(127))).toMatchObject({
      severity: 'critical',
      title: 'KMS key will be deleted within 3 days',
      details: { escalated_at_days: 3 },
    });
    expect(at(day(129))).toMatchObject({
      severity: 'critical',
      title: 'KMS key will be deleted within 1 day',
      details: { escalated_at_days: 1 },
    });
    expect(at(day(131))?.title).toBe('KMS key has reached its deletion date');
    expect(at(day(131))?.explanation.why).toMatch(/whether the key still exists is unknown/);
  });

  test('a cancelled deletion does not escalate, and a key that waits for replicas has no date to count to', () => {
    const cancelled = aKey([scheduled(day(100)), anEvent('CancelKeyDeletion', day(101))]);
    expect(judge(keyDeletionScheduled, cancelled, { asOf: day(129) })[0]).toMatchObject({
      open: false,
      severity: 'high',
      resolvedAt: day(101),
    });
    const waiting = aKey([
      anEvent('ScheduleKeyDeletion', day(100), { detail: { pendingWindowInDays: 7, keyState: 'PendingReplicaDeletion' } }),
    ]);
    expect(judge(keyDeletionScheduled, waiting, { asOf: day(129) })[0]).toMatchObject({
      severity: 'high',
      details: { deletion_date: null, waits_for_replicas: true },
    });
  });

  test('lists at most ten callers of the last 90 days, most calls first', () => {
    const uses = Array.from({ length: 14 }, (_, n) => aUse(day(50), day(99), { actor: role(`caller-${n}`), count: n + 1 }));
    const [finding] = judge(
      keyDeletionScheduled,
      aKey([scheduled(day(100))], { uses: [...uses, aUse(day(1), day(5), { actor: role('long-gone'), count: 99 })] }),
    );
    const callers = finding?.details['callers'] as { actor: string; calls: number }[];
    expect(finding?.details['caller_count']).toBe(14);
    expect(callers.map((caller) => caller.calls)).toEqual([14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
  });

  test('puts no hostile key id into a command', () => {
    const arn = `${KEY}$(reboot)`;
    const subject = { ...aKey([scheduled(day(100))]), arn };
    const [finding] = judge(keyDeletionScheduled, subject, { asOf: day(100) });
    expect(finding?.explanation.now.join(' ')).toContain('--key-id KEY_ARN');
    expect(finding?.explanation.now.join(' ')).not.toContain('$(');
  });
});

describe('refused calls of a key that is disabled or pending deletion', () => {
  const both = (subject: ReturnType<typeof aKey>) => ({
    pending: judge(pendingDeletionKeyUsed, subject)[0],
    disabled: judge(disabledKeyUsed, subject)[0],
  });

  test('DisabledException belongs to pending deletion while the key is pending, to disabled otherwise, never to both', () => {
    const events = [anEvent('DisableKey', day(90)), scheduled(day(100)), anEvent('CancelKeyDeletion', day(105))];
    const failures = [aFailure(day(95), day(95)), aFailure(day(102), day(102) + 60_000), aFailure(day(106), day(106))];
    const { pending, disabled } = both(aKey(events, { failures }));
    expect(pending).toMatchObject({ occurrences: 2, firstSeen: day(102), open: false, resolvedAt: day(105) });
    expect(disabled).toMatchObject({ occurrences: 2, firstSeen: day(95), lastSeen: day(106), open: true });
  });

  test('of an hour that straddles the scheduling only what is known is counted, and called so', () => {
    const at = day(100) + 30 * 60_000;
    const { pending, disabled } = both(aKey([scheduled(at)], { failures: [aFailure(day(100), day(100) + HOUR - 1, { count: 50 })] }));
    expect(pending).toMatchObject({ occurrences: 1, details: { calls_exact: false } });
    expect(pending?.explanation.what).toContain('at least 1 call');
    expect(disabled).toMatchObject({ occurrences: 1, details: { calls_exact: false } });
  });

  test('an invalid state counts only while the key was pending, a grant only when it was disabled', () => {
    const failures = [
      aFailure(day(50), day(50), { outcome: 'invalid-state' }),
      aFailure(day(102), day(102), { operation: 'CreateGrant', operationClass: 'grant', outcome: 'pending-deletion' }),
      aFailure(day(51), day(51), { operation: 'CreateGrant', operationClass: 'grant' }),
    ];
    const { pending, disabled } = both(aKey([scheduled(day(100))], { failures }));
    expect(pending).toBeUndefined();
    expect(disabled).toMatchObject({ occurrences: 1, firstSeen: day(51) });
  });

  test('enabling the key before the last refused call resolves nothing', () => {
    const failures = [aFailure(day(95), day(95)), aFailure(day(99), day(99))];
    const subject = aKey([anEvent('DisableKey', day(90)), anEvent('EnableKey', day(96)), anEvent('DisableKey', day(97))], { failures });
    expect(judge(disabledKeyUsed, subject)[0]).toMatchObject({ open: true, resolvedAt: null });
  });

  test('callers are counted each for itself, and evidence stays within its bound', () => {
    const failures = Array.from({ length: 40 }, (_, n) =>
      aFailure(day(91) + n * HOUR, day(91) + n * HOUR, { actor: n % 4 === 0 ? role('rare') : APP }),
    );
    const [finding] = judge(disabledKeyUsed, aKey([anEvent('DisableKey', day(90))], { failures }));
    expect(finding?.details['callers']).toMatchObject([
      { actor: APP.id, calls: 30 },
      { actor: role('rare').id, calls: 10 },
    ]);
    expect(finding?.evidence).toHaveLength(20);
    expect(finding?.actor).toBe(APP.id);
  });
});

describe('imported-material-expiring', () => {
  const material = (validTo: number) =>
    aKey([
      anEvent('ImportKeyMaterial', day(0), { detail: { validTo, expirationModel: 'KEY_MATERIAL_EXPIRES' } }),
      anEvent('EnableKey', day(0) + 1),
    ]);

  test('grows from medium over high to critical, and begins when notice was due', () => {
    const at = (asOf: number) => judge(importedMaterialExpiring, material(day(100)), { asOf })[0];
    expect(at(day(69))).toBeUndefined();
    expect(at(day(70))).toMatchObject({ severity: 'medium', firstSeen: day(70), lastSeen: day(70) });
    expect(at(day(93))).toMatchObject({ severity: 'high', firstSeen: day(70), lastSeen: day(93) });
    expect(at(day(99))).toMatchObject({ severity: 'critical' });
    expect(at(day(101))?.explanation.why).toMatch(/whether the material still exists is unknown/);
  });

  test('material with a short life is noticed from its import on', () => {
    expect(judge(importedMaterialExpiring, material(day(5)), { asOf: day(2) })[0]).toMatchObject({
      firstSeen: day(0) + 1,
      severity: 'high',
    });
  });
});

describe('aliases', () => {
  const moves = (...steps: [operation: string, at: number, target: string][]) =>
    anAlias(
      'alias/orders',
      steps.map(([operation, at, target]) => aMove(operation, at, { name: 'alias/orders', target })),
    );

  test('a chain of moves within days is mended only by the way back to where it began', () => {
    const away = moves(
      ['CreateAlias', day(0), 'a'],
      ['UpdateAlias', day(40), 'b'],
      ['UpdateAlias', day(41), 'c'],
      ['UpdateAlias', day(42), 'b'],
    );
    expect(judge(aliasRepointed, away)[0]).toMatchObject({ open: true, occurrences: 3 });
    const back = moves(
      ['CreateAlias', day(0), 'a'],
      ['UpdateAlias', day(40), 'b'],
      ['UpdateAlias', day(41), 'c'],
      ['UpdateAlias', day(42), 'a'],
    );
    expect(judge(aliasRepointed, back)[0]).toMatchObject({ open: false, occurrences: 2, resolvedAt: day(42) });
  });

  test('a target that held for a month is where the alias belongs; the way back from there is a move', () => {
    const subject = moves(['CreateAlias', day(0), 'a'], ['UpdateAlias', day(40), 'b'], ['UpdateAlias', day(75), 'a']);
    expect(judge(aliasRepointed, subject)[0]).toMatchObject({ open: true, occurrences: 2 });
  });

  test('a move to a newer key is told as low only if its caller moved or made the alias before', () => {
    const created = (at: number) => ({ created: { value: at, at, origin: 'x' } });
    const targets = { [keyArn('a')]: created(day(0)), [keyArn('b')]: created(day(39)) };
    const by = (actor: ReturnType<typeof role>) =>
      anAlias(
        'alias/orders',
        [
          aMove('CreateAlias', day(0), { name: 'alias/orders', target: 'a' }),
          aMove('UpdateAlias', day(40), { name: 'alias/orders', target: 'b', actor }),
        ],
        { targets },
      );
    expect(judge(aliasRepointed, by(role('KeyAdministrator')))[0]?.severity).toBe('low');
    expect(judge(aliasRepointed, by(role('stranger')))[0]?.severity).toBe('medium');
  });

  test('AWS moves and deletes the aliases of its own keys', () => {
    const aws = { type: 'service', id: 'service:rds', account: null, name: 'rds' } as const;
    const name = 'alias/aws/rds';
    const steps = [
      aMove('CreateAlias', day(0), { name, target: 'a' }),
      aMove('UpdateAlias', day(40), { name, target: 'b', actor: aws }),
      aMove('DeleteAlias', day(41), { name, target: 'b', actor: aws }),
    ];
    const subject = anAlias(name, steps, { lastUsed: { [keyArn('b')]: day(41) } });
    expect(judge(aliasRepointed, subject)).toEqual([]);
    expect(judge(aliasDeleted, subject)).toEqual([]);
  });

  test('an alias whose key is used after the deletion was in use', () => {
    const subject = anAlias(
      'alias/orders',
      [
        aMove('CreateAlias', day(0), { name: 'alias/orders', target: 'a' }),
        aMove('DeleteAlias', day(40), { name: 'alias/orders', target: 'a' }),
      ],
      { lastUsed: { [keyArn('a')]: day(44) } },
    );
    expect(judge(aliasDeleted, subject)[0]).toMatchObject({ open: true, severity: 'medium' });
  });
});

describe('log-key-endangered', () => {
  const put = (at: number, policy: string) => anEvent('PutKeyPolicy', at, { detail: { policy } });
  const own = { protectsLogs: true };

  test('an unknown policy cannot be put back: the first one seen is no good reference', () => {
    const subject = aKey([put(day(1), '{"a":1}'), put(day(2), '{"a":2}'), put(day(3), '{"a":1}')], own);
    expect(judge(logKeyEndangered, subject)[0]).toMatchObject({ open: true, occurrences: 3 });
  });

  test('a policy that held for a month is a reference', () => {
    const subject = aKey([put(day(1), '{"a":1}'), put(day(40), '{"a":2}'), put(day(41), '{ "a": 1 }')], own);
    expect(judge(logKeyEndangered, subject)[0]).toMatchObject({ open: false, resolvedAt: day(41) });
  });

  test('aliases are told apart: making one again mends that one only', () => {
    const alias = (operation: string, at: number, name: string) => aMove(operation, at, { name, target: KEY.slice(KEY.indexOf('/') + 1) });
    const findings = judge(
      logKeyEndangered,
      aKey(
        [alias('DeleteAlias', day(1), 'alias/a'), alias('DeleteAlias', day(2), 'alias/b'), alias('CreateAlias', day(3), 'alias/a')],
        own,
      ),
    );
    expect(findings.map((finding) => [finding.details['alias'], finding.open])).toEqual([
      ['alias/a', false],
      ['alias/b', true],
    ]);
  });

  test('cancelling the deletion says that the key is still disabled', () => {
    const subject = aKey([scheduled(day(1)), anEvent('CancelKeyDeletion', day(2))], own);
    expect(judge(logKeyEndangered, subject)[0]?.resolution).toMatch(/left disabled/);
  });

  test('no other key is a log key', () => {
    expect(judge(logKeyEndangered, aKey([scheduled(day(1))]), { logKeys: [`arn:aws:kms:${REGION}:${ACCOUNT}:key/other`] })).toEqual([]);
  });
});
