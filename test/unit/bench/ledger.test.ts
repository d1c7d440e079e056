import { describe, expect, test } from 'vitest';
import { SubjectLedger } from '../../../bench/detection-quality/ledger.ts';
import { DAY } from '../../../services/core/clock.ts';
import { compareEvents, type KmsEvent } from '../../../services/core/event.ts';
import { configureDetectors, relevanceFilter } from '../../../services/detectors/configure.ts';
import type { Organization } from '../../../services/detectors/contract.ts';
import { DETECTORS } from '../../../services/detectors/registry.ts';
import { subjectsOf } from '../../../services/detectors/subjects.ts';
import { normalize } from '../../../services/normalize/normalize.ts';
import { simulateMonth } from '../../../services/simulate/company.ts';

const NOBODY: Organization = { ownAccounts: new Set(), logKeys: new Set() };
const END = Date.UTC(2026, 2, 14);

/** Each event once, in order: the company's month, in which nearly everything happens that detectors look at. */
function month(): KmsEvent[] {
  const relevant = relevanceFilter(configureDetectors(DETECTORS), NOBODY);
  const events = new Map<string, KmsEvent>();
  for (const { records } of simulateMonth({ seed: 'ledger', end: END, days: 12, scale: 0.1 })) {
    for (const record of records) {
      const result = normalize(Buffer.from(JSON.stringify(record)), relevant);
      if (result.outcome === 'ok') events.set(`${result.event.account} ${result.event.region} ${result.event.eventId}`, result.event);
    }
  }
  return [...events.values()].toSorted(compareEvents);
}

describe('a ledger of events in order', () => {
  const events = month();

  test.each([4, 0])('says of everything up to %i days before the end what subjects made of the same events at once say', (days) => {
    const soFar = events.filter(({ eventTime }) => eventTime <= END - days * DAY);
    const ledger = new SubjectLedger(NOBODY);
    for (const moment of Map.groupBy(soFar, ({ eventTime }) => eventTime).values()) {
      ledger.add(moment);
      // Asking in between changes nothing.
      if (moment.length > 2) for (const name of ledger.names().slice(0, 5)) ledger.subject(name);
    }
    const subjects = ledger.names().flatMap((name) => ledger.subject(name) ?? []);
    expect(soFar.length).toBeGreaterThan(50);
    const expected = subjectsOf(soFar, NOBODY);
    expect(subjects.map(({ kind }) => kind)).toEqual(expected.map(({ kind }) => kind));
    for (const [at, subject] of subjects.entries()) expect(subject).toEqual(expected[at]);
  });
});
