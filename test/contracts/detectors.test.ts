/**
 * What belongs together stays together: a detector's file, its line in the registry, its runbook and its fixtures. And every
 * detector runs on every fixture, through the same steps as real records, so that a fixture tells all that must fire, and nothing else may.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { KmsEvent } from '../../services/core/event.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { configureDetectors, relevanceFilter } from '../../services/detectors/configure.ts';
import type { Detector } from '../../services/detectors/contract.ts';
import { deriveFindings } from '../../services/detectors/engine.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { subjectsOf } from '../../services/detectors/subjects.ts';
import { normalize } from '../../services/normalize/normalize.ts';
import { channelsOf, coverageSchema, withAccounts } from '../support/coverage-fixture.ts';
import { integritySchema, withIntegrity } from '../support/integrity-fixture.ts';
import { organizationOf, organizationSchema } from '../support/fixture-organization.ts';

const root = join(import.meta.dirname, '../..');
const detectorFolder = join(root, 'services/detectors');
const runbookFolder = join(root, 'docs/runbooks');
const fixtureFolder = join(root, 'test/fixtures/detectors');
const FAMILIES = ['rotation', 'deletion', 'exposure', 'access', 'blinding'] as const;

const fixtureSchema = z.strictObject({
  describe: z.string().min(10),
  as_of: z.iso.datetime().nullable().default(null),
  organization: organizationSchema,
  config: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  records: z.array(z.record(z.string(), z.unknown())).min(1),
  coverage: coverageSchema.optional(),
  integrity: integritySchema.default([]),
  expect: z.strictObject({ open: z.array(z.string()), resolved: z.array(z.string()) }),
});

interface Fixture extends z.infer<typeof fixtureSchema> {
  readonly detector: string;
  readonly name: string;
}

const ids = DETECTORS.map((detector) => detector.id).sort();
const fixtures = foldersIn(fixtureFolder).flatMap((detector) =>
  filesIn(join(fixtureFolder, detector), '.json').map((name) => read(detector, name)),
);

function read(detector: string, name: string): Fixture {
  const parsed = fixtureSchema.safeParse(JSON.parse(readFileSync(join(fixtureFolder, detector, `${name}.json`), 'utf8')));
  if (!parsed.success) throw new Error(`${detector}/${name}: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, detector, name };
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isDirectory())
    .sort();
}

/** Names without extension. */
function filesIn(folder: string, extension: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(extension))
    .map((name) => basename(name, extension))
    .sort();
}

/** Every detector over the fixture's records, in the order given; throws when a record is not understood or a detector fails. */
function run(fixture: Fixture, records = fixture.records): DerivedFinding[] {
  const configured = configureDetectors(DETECTORS, fixture.config ?? {});
  const relevant = relevanceFilter(configured);
  const events: KmsEvent[] = records.flatMap((record) => {
    const result = normalize(new TextEncoder().encode(JSON.stringify(record)), relevant);
    if (result.outcome === 'quarantine') throw new Error(`quarantined: ${result.reason} ${result.message}`);
    return result.outcome === 'ok' ? [result.event] : [];
  });
  const organization = organizationOf(fixture.organization);
  const asOf = fixture.as_of === null ? Math.max(...events.map((event) => event.eventTime)) : Date.parse(fixture.as_of);
  const coverage = fixture.coverage && channelsOf(fixture.coverage, asOf);
  const subjects = withIntegrity(withAccounts(subjectsOf(events, organization), coverage ?? []), fixture.integrity);
  return subjects.flatMap((subject) => {
    const { findings, failures } = deriveFindings(subject, configured, { asOf, organization, now: () => 0, coverage });
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    return findings;
  });
}

function fired(findings: readonly DerivedFinding[]): { open: string[]; resolved: string[] } {
  const names = (open: boolean) =>
    [...new Set(findings.filter((finding) => finding.open === open).map((finding) => finding.detector))].sort();
  return { open: names(true), resolved: names(false) };
}

function fires(fixture: Fixture, id: string): boolean {
  return fixture.expect.open.includes(id) || fixture.expect.resolved.includes(id);
}

describe('files, registry, runbooks and fixtures name the same detectors', () => {
  test('every detector file is registered once, in the folder of its family, and exports the detector of its name', async () => {
    const files = FAMILIES.flatMap((family) => filesIn(join(detectorFolder, family), '.ts').map((id) => ({ family, id })));
    expect(files.map((file) => file.id).sort()).toEqual(ids);
    for (const { family, id } of files) {
      const module = (await import(join(detectorFolder, family, `${id}.ts`))) as { default: Detector };
      expect(module.default).toMatchObject({ id, family });
      expect(DETECTORS).toContain(module.default);
    }
  });

  test('every detector has a runbook, and every runbook a detector', () => {
    expect(filesIn(runbookFolder, '.md')).toEqual(ids);
  });

  test('every detector has fixtures, and every folder of fixtures a detector', () => {
    expect(foldersIn(fixtureFolder)).toEqual(ids);
  });

  test('fixtures expect and configure only detectors that exist', () => {
    for (const fixture of fixtures) {
      const named = [...fixture.expect.open, ...fixture.expect.resolved, ...Object.keys(fixture.config ?? {})];
      expect(
        named.filter((id) => !ids.includes(id)),
        `${fixture.detector}/${fixture.name}`,
      ).toEqual([]);
    }
  });
});

describe.each(DETECTORS.map((detector) => [detector.id, detector] as const))('%s', (id, detector) => {
  const own = fixtures.filter((fixture) => fixture.detector === id);

  test('says what it is: short title, events it needs, parameters that all have defaults', () => {
    expect(detector.title.length).toBeLessThanOrEqual(100);
    expect(detector.title).not.toMatch(/\.$/);
    expect(detector.events.length).toBeGreaterThan(0);
    for (const event of detector.events) expect(event).toMatch(/^[a-z0-9-]+:(\*|[A-Z][A-Za-z0-9]+)$/);
    for (const technique of detector.techniques) expect(technique).toMatch(/^T\d{4}(\.\d{3})?$/);
    expect(detector.params.safeParse({}).success).toBe(true);
    expect(detector.params.safeParse({ noSuchParameter: 1 }).success).toBe(false);
    expect(detector.falsePositives.length).toBeGreaterThan(0);
  });

  test('has a match, the failed call that matches nothing, and a look-alike that matches nothing', () => {
    const silent = own.filter((fixture) => !fires(fixture, id));
    const failed = silent.filter((fixture) => fixture.records.some((record) => typeof record['errorCode'] === 'string'));
    expect(own.filter((fixture) => fires(fixture, id)).length, 'matching fixtures').toBeGreaterThanOrEqual(1);
    expect(failed.length, 'fixtures with a failed call that match nothing').toBeGreaterThanOrEqual(1);
    expect(silent.length - failed.length, 'look-alikes without a failed call').toBeGreaterThanOrEqual(1);
  });

  test('has a runbook of at most 40 lines with its four sections and a command', () => {
    const path = join(runbookFolder, `${id}.md`);
    expect(existsSync(path)).toBe(true);
    const text = readFileSync(path, 'utf8');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    expect([...text.matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual(['What happened', 'Is it bad?', 'Do now', 'Close when']);
    expect(text).toContain(`\`${id}\``);
    expect(text).toMatch(/aws [a-z0-9-]+ [a-z-]+/);
  });
});

describe('on every fixture', () => {
  const cases = fixtures.map((fixture) => [`${fixture.detector}/${fixture.name}`, fixture] as const);

  test.each(cases)('%s: exactly the expected detectors fire', (_name, fixture) => {
    expect(fired(run(fixture))).toEqual({ open: [...fixture.expect.open].sort(), resolved: [...fixture.expect.resolved].sort() });
  });

  test.each(cases)('%s: order and repetition of the records do not matter', (_name, fixture) => {
    const shuffled = [...fixture.records].reverse();
    expect(run(fixture, [...shuffled, ...fixture.records])).toEqual(run(fixture));
  });

  test.each(cases)('%s: findings explain themselves, name their evidence and disclose no encryption context', (_name, fixture) => {
    const text = fixture.records.map((record) => JSON.stringify(record)).join('\n');
    const contexts = fixture.records.flatMap((record) => contextValues(record['requestParameters']));
    for (const finding of run(fixture)) {
      const { what, why, benign, now } = finding.explanation;
      for (const sentence of [what, why, benign, ...now]) expect(sentence).toMatch(/^\S.{10,}\S$/);
      for (const sentence of [what, why, benign]) expect(sentence).not.toMatch(/undefined|null|NaN|\[object|Infinity/);
      expect(finding.title.length).toBeLessThanOrEqual(100);
      expect(now.length).toBeGreaterThanOrEqual(1);
      // What is wrong with files no event tells.
      expect(finding.evidence.length).toBeGreaterThan(fixture.integrity.length === 0 ? 0 : -1);
      for (const eventId of finding.evidence) expect(text).toContain(eventId);
      expect(finding.firstSeen).toBeLessThanOrEqual(finding.lastSeen);
      for (const value of contexts) expect(JSON.stringify(finding)).not.toContain(value);
    }
  });
});

function contextValues(parameters: unknown): string[] {
  const context = (parameters as { encryptionContext?: Record<string, string> } | null)?.encryptionContext ?? {};
  return Object.values(context);
}
