import { describe, expect, it } from 'vitest';
import { DAY } from '../../services/core/clock.ts';
import type { KmsEvent } from '../../services/core/event.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { configureDetectors, relevanceFilter } from '../../services/detectors/configure.ts';
import type { Organization } from '../../services/detectors/contract.ts';
import { deriveFindings } from '../../services/detectors/engine.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { normalize } from '../../services/normalize/normalize.ts';
import { simulateBulk } from '../../services/simulate/bulk.ts';
import { simulateMonth } from '../../services/simulate/company.ts';
import { ACCOUNTS, PARTNER_ACCOUNT, REGIONS } from '../../services/simulate/keyring.ts';
import type { LogFile } from '../../services/simulate/log-file.ts';
import { MONITOR_QUEUE } from '../../services/simulate/stories/tampering.ts';
import { BEYOND_A_MONTH } from '../support/month-limits.ts';

/** What the company has told about itself. */
const organization: Organization = {
  ownAccounts: new Set(Object.values(ACCOUNTS)),
  trustedAccounts: new Set([PARTNER_ACCOUNT]),
  allowedRegions: new Set(Object.values(REGIONS)),
  logKeys: new Set(),
  monitor: new Set([`sqs:${REGIONS.US}:${ACCOUNTS.security}:${MONITOR_QUEUE}`]),
};
const configured = configureDetectors(DETECTORS, {});
const relevant = relevanceFilter(configured, organization);

interface Outcome {
  readonly findings: readonly DerivedFinding[];
  readonly failures: readonly unknown[];
  readonly quarantined: number;
  readonly lostFields: readonly string[];
  readonly count: (detector: string) => number;
}

/** Files → records → events → subjects → findings, as of `asOf`. */
function judge(files: Iterable<LogFile>, asOf: number): Outcome {
  const events: KmsEvent[] = [];
  let quarantined = 0;
  for (const file of files) {
    for (const record of file.records) {
      const result = normalize(Buffer.from(JSON.stringify(record)), relevant);
      if (result.outcome === 'ok') events.push(result.event);
      if (result.outcome === 'quarantine') quarantined += 1;
    }
  }
  const derivations = subjectsOf(events, organization).map((subject) =>
    deriveFindings(subject, configured, { asOf, organization, now: () => 0 }),
  );
  const findings = derivations.flatMap((derivation) => derivation.findings);
  return {
    findings,
    failures: derivations.flatMap((derivation) => derivation.failures),
    quarantined,
    lostFields: [...new Set(events.flatMap((event) => event.lostFields))],
    count: (detector) => findings.filter((finding) => finding.detector === detector).length,
  };
}

describe.each([
  { seed: 1, end: '2026-03-14T10:20:00Z' },
  { seed: 'another', end: '2026-11-24T08:11:00Z' },
  { seed: 99, end: '2027-01-01T00:00:00Z' },
])('the month of seed $seed that ends at $end', ({ seed, end }) => {
  const asOf = Date.parse(end);
  const outcome = judge(simulateMonth({ seed, end: asOf }), asOf);

  it('is understood whole: nothing quarantined, no field given up, no detector failing', () => {
    expect(outcome.quarantined).toBe(0);
    expect(outcome.lostFields).toEqual([]);
    expect(outcome.failures).toEqual([]);
  });

  it.each(DETECTORS.map(({ id }) => id).filter((id) => !Object.hasOwn(BEYOND_A_MONTH, id)))('makes %s fire', (id) => {
    expect(outcome.count(id)).toBeGreaterThanOrEqual(1);
  });

  it.each(Object.entries(BEYOND_A_MONTH))('cannot make %s fire: %s', (id) => {
    expect(DETECTORS.map((detector) => detector.id)).toContain(id);
    expect(outcome.count(id)).toBe(0);
  });

  it('leaves the quiet majority quiet: at most 90 findings, of them at most 3 of new callers and 3 of denied calls', () => {
    expect(outcome.findings.length).toBeLessThanOrEqual(90);
    expect(outcome.count('new-actor-for-key')).toBeLessThanOrEqual(3);
    expect(outcome.count('denied-burst')).toBeLessThanOrEqual(3);
  });

  it('ends with some findings open and some mended', () => {
    expect(outcome.findings.filter((finding) => finding.open).length).toBeGreaterThanOrEqual(10);
    expect(outcome.findings.filter((finding) => !finding.open).length).toBeGreaterThanOrEqual(5);
  });

  it('has findings within the month, but for what began in its history', () => {
    const old = outcome.findings.filter((finding) => finding.firstSeen < asOf - 30 * DAY).map((finding) => finding.detector);
    expect(old.every((detector) => detector.startsWith('rotation-'))).toBe(true);
  });
});

describe('bulk for benchmarks', () => {
  it('gives detection nothing to find: it is traffic, not stories', () => {
    const asOf = Date.parse('2026-03-14T10:20:00Z');
    const outcome = judge(simulateBulk({ seed: 1, end: asOf, records: 12_000, recordsPerFile: 500 }), asOf);
    expect(outcome.quarantined).toBe(0);
    expect(outcome.findings).toEqual([]);
  });
});
