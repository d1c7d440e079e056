import { fileURLToPath } from 'node:url';
import { number } from '../../api/text/words.ts';
import { visible } from '../../api/text/visible.ts';
import { KmswatchError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type RuleSet, NO_RULES, ruleSetOf } from '../../detectors/sigma/rule-set.ts';
import type { Fired } from '../../workers/fixtures/fixture.ts';
import { fixtureFolders, readFixtures } from '../../workers/fixtures/folder.ts';
import { type Verdict, verdictOf } from '../../workers/fixtures/verdict.ts';
import { loadRules } from '../../workers/rules.ts';
import type { App } from '../app.ts';
import { printJson } from '../json.ts';
import { paint } from '../out.ts';
import { table } from '../table.ts';

export interface DetectorsTestArguments {
  readonly fixtures?: string;
  readonly rules?: string;
  readonly json?: boolean;
}

/** Those of the detectors that ship, in the repository. */
const OWN_FIXTURES = fileURLToPath(new URL('../../../test/fixtures/detectors', import.meta.url));

/**
 * @param detectors ids; none = all that have fixtures
 * @throws KmswatchError INPUT_INVALID when there are no fixtures, or none of a detector that was named
 */
export async function testDetectors(app: App, detectors: readonly string[], options: DetectorsTestArguments): Promise<void> {
  const { stdout, stderr } = app.out;
  const { rules, refused } = await rulesIn(options.rules);
  const verdicts = await verdictsOn(options.fixtures ?? OWN_FIXTURES, detectors, rules);
  const passed = verdicts.filter((verdict) => verdict.passed).length;
  const failed = verdicts.length - passed;
  app.finish(failed > 0 || refused.length > 0 ? 1 : 0);
  if (options.json) {
    printJson(stdout, { passed, failed, fixtures: verdicts.map(verdictJson), refused: refused.map((each) => ({ ...each })) });
    return;
  }
  for (const { file, line, reason } of refused) stderr.write(`${visible(file)}:${line}: ${visible(reason)}\n`);
  const rows = verdicts.map((verdict) => [
    visible(verdict.fixture, 160),
    textOf(verdict.expected),
    textOf(verdict.found),
    verdict.passed ? paint(stdout, 'green', 'ok') : paint(stdout, 'red', 'failed'),
  ]);
  const columns = [{ head: 'FIXTURE' }, { head: 'EXPECTED', least: 20 }, { head: 'FOUND', least: 20 }, { head: 'RESULT' }] as const;
  stdout.write(table(stdout, columns, rows));
  for (const verdict of verdicts.filter((each) => !each.passed)) stdout.write(failureText(verdict));
  stdout.write(`${number(passed)} passed, ${number(failed)} failed\n`);
}

interface Refused {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

async function rulesIn(folder: string | undefined): Promise<{ readonly rules: RuleSet; readonly refused: Refused[] }> {
  if (folder === undefined) return { rules: NO_RULES, refused: [] };
  const files = await loadRules(folder);
  return {
    rules: ruleSetOf(files.flatMap(({ rules }) => rules)),
    refused: files.flatMap(({ file, refused }) => refused.map(({ line, reason }) => ({ file, line, reason }))),
  };
}

async function verdictsOn(folder: string, wanted: readonly string[], rules: RuleSet): Promise<Verdict[]> {
  const folders = await foldersIn(folder);
  const stranger = wanted.find((id) => !folders.includes(id));
  if (stranger !== undefined) {
    throw new KmswatchError('INPUT_INVALID', `there are no fixtures of a detector ${JSON.stringify(stranger)} in ${folder}`, {
      hint: '`kmswatch detectors` lists the detectors; fixtures of your own rules lie in a folder sigma-<id of the rule>.',
    });
  }
  const verdicts: Verdict[] = [];
  for (const detector of folders.filter((name) => wanted.length === 0 || wanted.includes(name))) {
    verdicts.push(...(await readFixtures(folder, detector)).map((file) => verdictOf(file, rules)));
  }
  if (verdicts.length === 0) throw new KmswatchError('INPUT_INVALID', `there are no fixtures in ${folder}, <detector>/<name>.json`);
  return verdicts;
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return await fixtureFolders(folder);
  } catch (error) {
    const hint = 'The fixtures of the detectors that ship are in the repository, test/fixtures/detectors; name a folder by --fixtures.';
    throw new KmswatchError('INPUT_INVALID', `the folder of fixtures ${folder} cannot be read`, { hint, cause: error });
  }
}

function failureText(verdict: Verdict): string {
  const { unexpected, missing, problem } = verdict;
  const lines =
    problem === null
      ? [...differences('fired and should not', unexpected), ...differences('did not fire', missing)]
      : problem.split('\n').map((line) => visible(line, 500));
  return `${visible(verdict.path, 300)}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function differences(what: string, { open, resolved }: Fired): string[] {
  return [...open.map((id) => `${what}: ${visible(id)} (open)`), ...resolved.map((id) => `${what}: ${visible(id)} (resolved)`)];
}

/** `a, b; resolved: c`, `nothing`. */
function textOf(names: Fired | null): string {
  if (names === null) return '?';
  const open = names.open.join(', ');
  const resolved = names.resolved.length === 0 ? '' : `resolved: ${names.resolved.join(', ')}`;
  return visible([open, resolved].filter((part) => part !== '').join('; ') || 'nothing', 500);
}

function verdictJson({ fixture, path, passed, expected, found, unexpected, missing, problem }: Verdict): JsonObject {
  const namesJson = (names: Fired | null): JsonObject | null => names && { open: [...names.open], resolved: [...names.resolved] };
  return {
    fixture,
    file: path,
    result: passed ? 'passed' : 'failed',
    expected: namesJson(expected),
    found: namesJson(found),
    unexpected: namesJson(unexpected),
    missing: namesJson(missing),
    problem,
  };
}
