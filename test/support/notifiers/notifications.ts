/** Notifications as the alerts' side makes them, and one whose every text is an attack. */
import type { AlertView, Notification } from '../../../services/notifiers/contract.ts';

export const AT = Date.UTC(2026, 2, 4, 10, 22);
const HOUR = 3_600_000;

export function alertView(overrides: Partial<AlertView> = {}): AlertView {
  return {
    findingId: '1f3a5b7c9d1e2f30',
    detector: 'key-deletion-scheduled',
    family: 'deletion',
    severity: 'high',
    status: 'open',
    title: 'KMS key is scheduled for deletion',
    explanation: {
      what: 'dana scheduled the deletion of alias/prod-orders for 2026-04-03.',
      why: 'What it encrypts cannot be read any more once it is gone; it was used 1,204 times in the last week.',
      benign: 'A key that was replaced and is not used any more.',
      now: ['Ask dana whether this was meant.', 'If not, cancel it: aws kms cancel-key-deletion, then enable-key.'],
    },
    keyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0aaaaaaa-1111-4222-8333-444444444444',
    keyName: 'alias/prod-orders',
    actor: 'dana',
    account: '111122223333',
    region: 'eu-west-1',
    firstSeen: AT - HOUR,
    lastSeen: AT - HOUR,
    resolvedAt: null,
    occurrences: 1,
    url: 'https://kmswatch.example.com/findings/1f3a5b7c9d1e2f30',
    runbookUrl: 'https://kmswatch.example.com/docs/runbooks/key-deletion-scheduled.md',
    ...overrides,
  };
}

export function notification(overrides: Partial<Notification> = {}): Notification {
  return {
    idempotencyKey: 'group-1/7/oncall',
    receiver: 'oncall',
    groupKey: 'account=111122223333/key=0aaaaaaa-1111-4222-8333-444444444444/family=deletion',
    groupLabels: { account: '111122223333', key: 'alias/prod-orders', family: 'deletion' },
    status: 'firing',
    reason: 'new-group',
    alerts: [alertView()],
    truncated: 0,
    counts: { critical: 0, high: 1, medium: 0, low: 0, info: 0 },
    at: AT,
    ...overrides,
  };
}

export const resolved = notification({
  idempotencyKey: 'group-1/8/oncall',
  status: 'resolved',
  reason: 'resolved',
  alerts: [alertView({ status: 'resolved', resolvedAt: AT - 60_000 })],
});

function many(count: number): AlertView[] {
  return Array.from({ length: count }, (_, index) =>
    alertView({
      findingId: `aaaaaaaaaaaa${String(index).padStart(4, '0')}`,
      severity: index === 0 ? 'critical' : 'low',
      keyName: `alias/key-${index}`,
      keyArn: `arn:aws:kms:eu-west-1:111122223333:key/0aaaaaaa-1111-4222-8333-${String(index).padStart(12, '0')}`,
    }),
  );
}

export const flood = notification({
  idempotencyKey: 'flood/1/oncall',
  groupKey: 'flood',
  groupLabels: {},
  reason: 'flood',
  alerts: many(12),
  truncated: 9_988,
  counts: { critical: 1, high: 0, medium: 0, low: 9_999, info: 0 },
});

/** Findings with the longest texts that there can be. */
function longest(count: number): AlertView[] {
  return many(count).map((alert) => ({
    ...alert,
    explanation: {
      what: 'W & <long> '.repeat(2_000),
      why: 'Y "long" \\ '.repeat(2_000),
      benign: 'B'.repeat(20_000),
      now: Array.from({ length: 30 }, () => 'Do & undo. '.repeat(500)),
    },
    actor: '<a'.repeat(10_000),
    title: 'T & t '.repeat(3_000),
    keyName: '"\\'.repeat(10_000),
    keyArn: `arn:aws:kms:eu-west-1:111122223333:key/${'ü'.repeat(10_000)}`,
    account: '&'.repeat(10_000),
    region: '€'.repeat(10_000),
  }));
}

/** As large as notifications come. */
export const largest = notification({
  idempotencyKey: 'k'.repeat(10_000),
  groupKey: 'g"'.repeat(10_000),
  groupLabels: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index}<`.repeat(1_000), '"&'.repeat(10_000)])),
  alerts: longest(50),
  truncated: 1_000_000,
});

export const truncated = notification({
  idempotencyKey: 'group-1/9/oncall',
  reason: 'new-alerts',
  alerts: longest(4),
  truncated: 25,
  counts: { critical: 1, high: 0, medium: 0, low: 28, info: 0 },
});

/** What must do nothing wherever it is shown. */
export const ATTACKS = [
  '<!channel>',
  '<@U0123456789>',
  '@here',
  '<https://evil.example|click>',
  '[x](javascript:alert(1))',
  '![x](https://evil.example/x.png)',
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '{{template "x" .}}',
  '${env:SECRET}',
  '{{DATE(2026-01-01T00:00:00Z, SHORT)}}',
  'a\r\nBcc: victim@example.com\r\n\r\nbody',
  '\u001b[2J\u0007',
  'gpj.\u202Eexe',
  'zero\u200Bwidth\u2066',
  '\uD800 lone',
  '\0nul',
] as const;

const ATTACK = ATTACKS.join(' ');

export const hostile = notification({
  idempotencyKey: `hostile ${ATTACK}`,
  groupKey: `hostile ${ATTACK}`,
  groupLabels: { [`label ${ATTACK}`]: ATTACK, ['__proto__']: 'x' },
  alerts: [
    alertView({
      title: ATTACK,
      keyName: ATTACK,
      actor: ATTACK,
      account: ATTACK,
      region: ATTACK,
      keyArn: `arn:aws:kms:eu-west-1:111122223333:key/${ATTACK}`,
      explanation: { what: ATTACK, why: ATTACK, benign: ATTACK, now: [ATTACK] },
      url: 'javascript:alert(1)',
      runbookUrl: 'https://kmswatch.example.com/a|b>c"d\'e)f',
    }),
  ],
});

export const CASES = { firing: notification(), resolved, flood, truncated, hostile } as const;

export type CaseName = keyof typeof CASES;
