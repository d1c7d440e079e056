import { readFileSync } from 'node:fs';

export interface FixtureRecord {
  readonly eventID: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly [field: string]: unknown;
}

/** The records of a fixture of a detector, `test/fixtures/detectors/<detector>/<name>.json`. */
export function fixtureRecords(detector: string, name: string): FixtureRecord[] {
  const file = new URL(`../fixtures/detectors/${detector}/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { records: FixtureRecord[] }).records;
}
