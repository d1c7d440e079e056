/**
 * What belongs together stays together: a detector's file, its line in the registry, its runbook and its fixtures. And every
 * detector runs on every fixture, through the same steps as real records, so that a fixture tells all that must fire, and nothing else may.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DerivedFinding } from '../../services/core/finding.ts';
import type { Detector } from '../../services/detectors/contract.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { expected, type Fired, type Fixture } from '../../services/workers/fixtures/fixture.ts';
import { readFixtures } from '../../services/workers/fixtures/folder.ts';
import { fired, runFixture } from '../../services/workers/fixtures/run.ts';

const root = join(import.meta.dirname, '../..');
const detectorFolder = join(root, 'services/detectors');
const runbookFolder = join(root, 'docs/runbooks');
const fixtureFolder = join(root, 'test/fixtures/detectors');
const FAMILIES = ['rotation', 'deletion', 'exposure', 'access', 'blinding'] as const;

const ids = DETECTORS.map((detector) => detector.id).sort();
const files = (await Promise.all(foldersIn(fixtureFolder).map((detector) => readFixtures(fixtureFolder, detector)))).flat();
const fixtures = files.flatMap(({ fixture }) => fixture ?? []);

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

  test('every file of fixtures is one', () => {
    expect(files.flatMap(({ path, reason }) => (reason === null ? [] : [`${path}: ${reason}`]))).toEqual([]);
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

/** What is found in each fixture, found once. */
const found = new Map<Fixture, DerivedFinding[]>();
function findingsIn(fixture: Fixture): DerivedFinding[] {
  const findings = found.get(fixture) ?? runFixture(fixture);
  found.set(fixture, findings);
  return findings;
}

function namesOf({ open, resolved }: Fired): string {
  const parts = [open.length > 0 ? `open: ${open.join(', ')}` : '', resolved.length > 0 ? `resolved: ${resolved.join(', ')}` : ''];
  return parts.filter((part) => part !== '').join('; ') || 'nothing';
}

describe('on every fixture', () => {
  const cases = fixtures.map((fixture) => [`${fixture.detector}/${fixture.name}`, fixture] as const);

  test.each(cases)('%s: exactly the expected detectors fire', (_name, fixture) => {
    expect(fired(findingsIn(fixture))).toEqual(expected(fixture));
  });

  // For a person to read. When it changes for a reason: npm run test:unit -- test/contracts/detectors.test.ts -u
  test('all that fires is what the golden file lists', async () => {
    const lines = fixtures.map((fixture) => `${fixture.detector}/${fixture.name}: ${namesOf(fired(findingsIn(fixture)))}\n`);
    await expect(lines.join('')).toMatchFileSnapshot('../fixtures/golden/fixtures.txt');
  });

  test.each(cases)('%s: order and repetition of the records do not matter', (_name, fixture) => {
    const shuffled = [...fixture.records].reverse();
    expect(runFixture(fixture, { records: [...shuffled, ...fixture.records] })).toEqual(findingsIn(fixture));
  });

  test.each(cases)('%s: findings explain themselves, name their evidence and disclose no encryption context', (_name, fixture) => {
    const text = fixture.records.map((record) => JSON.stringify(record)).join('\n');
    const contexts = fixture.records.flatMap((record) => contextValues(record['requestParameters']));
    for (const finding of findingsIn(fixture)) {
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

  const concerningKeys = cases.filter(([, fixture]) => fixture.expect.open.length + fixture.expect.resolved.length > 0);

  test.each(concerningKeys)('%s: findings about a key say how critical it is and whose, where the configuration does', (_name, fixture) => {
    const arns = [...new Set(findingsIn(fixture).flatMap(({ keyArn }) => keyArn ?? []))];
    const keys = arns.map((arn) => ({ arn, tag: null, criticality: 'critical' as const, owner: 'team-of-the-key' }));
    const told = runFixture({ ...fixture, organization: { ...fixture.organization, keys } });
    expect(told.map(({ id }) => id)).toEqual(findingsIn(fixture).map(({ id }) => id));
    for (const { keyArn, explanation } of told) {
      const said = explanation.why.includes('By the configuration the key is of critical criticality and belongs to team-of-the-key.');
      expect(said).toBe(keyArn !== null);
    }
  });
});

/** All values of encryption contexts that a call named, of grants' constraints too. */
function contextValues(parameters: unknown): string[] {
  const { encryptionContext, sourceEncryptionContext, destinationEncryptionContext, constraints } = (parameters ?? {}) as Record<
    string,
    unknown
  >;
  const { encryptionContextSubset, encryptionContextEquals } = (constraints ?? {}) as Record<string, unknown>;
  return [
    encryptionContext,
    sourceEncryptionContext,
    destinationEncryptionContext,
    encryptionContextSubset,
    encryptionContextEquals,
  ].flatMap((context) => Object.values((context ?? {}) as Record<string, string>));
}
