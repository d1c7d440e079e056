import { expect, test } from 'vitest';
import { judge } from '../../bench/detection-quality/judge.ts';
import { trialOf } from '../../bench/detection-quality/trial.ts';
import { DAY, fixedClock } from '../../services/core/clock.ts';
import { PLAYBOOKS } from '../../services/simulate/organization/playbooks.ts';
import { assess } from '../../services/workers/assess.ts';
import { storedFindings } from '../support/oracle.ts';
import { CONFIGURED, openPipeline } from '../support/pipeline.ts';
import { testDatabase } from '../support/postgres.ts';

const SIZE = { seed: 'same', days: 30, accounts: 3, keys: 24, records: 500 };

test('what the benchmark judges in memory, moment by moment, ends with the very findings that the service stores of the same files', async () => {
  const trial = trialOf(
    SIZE,
    PLAYBOOKS.filter((_, at) => at % 2 === 0),
  );
  const files = [...trial.files];
  const end = trial.start + trial.days * DAY;
  const verdict = judge({ ...trial, files }, { detectors: CONFIGURED });

  await using database = await testDatabase();
  await using pipeline = await openPipeline(database.url, { organization: trial.organization, clock: fixedClock(end) });
  const records = files.flatMap((file) => file.records.map((record) => JSON.stringify(record)));
  for (let at = 0; at < records.length; at += 1_000) await pipeline.deliver(records.slice(at, at + 1_000));
  await pipeline.work();
  await assess(pipeline.deps, end);

  expect(verdict.findings.length).toBeGreaterThan(15);
  expect(await storedFindings(pipeline)).toEqual(verdict.findings);
});
