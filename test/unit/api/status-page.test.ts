import { expect, test } from 'vitest';
import { statusPage } from '../../../services/api/status-page.ts';
import type { FindingListed } from '../../../services/store/read/findings.ts';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='x'>&\u202Egnp`;

const FINDING: FindingListed = {
  id: '0123456789abcdef',
  detector: 'key-deletion-scheduled',
  severity: 'high',
  status: 'open',
  title: HOSTILE,
  keyArn: `arn:aws:kms:eu-central-1:111122223333:key/${HOSTILE}`,
  aliases: [`alias/${HOSTILE}`],
  actor: HOSTILE,
  actorName: HOSTILE,
  account: '111122223333',
  region: 'eu-central-1',
  firstSeen: 0,
  lastSeen: Date.UTC(2026, 2, 4, 10, 22),
  occurrences: 1,
  evidence: [],
  explanation: { what: HOSTILE, why: HOSTILE, benign: '', now: [] },
  details: {},
  resolvedAt: null,
  resolution: null,
  assignee: null,
  evaluatedAt: 0,
};

test('what stands in records cannot become markup', () => {
  const page = statusPage({ version: '0.1.0', sources: [], standings: [], keys: 3, findings: [FINDING], open: 1 });
  expect(page).not.toMatch(/<script|<img|\u202E/);
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page).toContain('docs/runbooks/key-deletion-scheduled.md');
  expect(page).toContain('2026-03-04 10:22 UTC');
});

test('an empty database has a page that says what to do', () => {
  const page = statusPage({ version: '0.1.0', sources: [], standings: [], keys: 0, findings: [], open: 0 });
  expect(page).toContain('npx kmswatch replay PATH');
  for (const link of ['/metrics', '/healthz', '/readyz']) expect(page).toContain(`href="${link}"`);
});

test('a page that cannot show all findings says so', () => {
  expect(statusPage({ version: '0.1.0', sources: [], standings: [], keys: 1, findings: [FINDING], open: 1234 })).toContain('1,234');
});
