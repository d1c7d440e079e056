import { expect, test } from 'vitest';
import type { Recognition } from '../../../bench/detection-quality/judge.ts';
import { qualityOf, type SeedVerdict, tables } from '../../../bench/detection-quality/report.ts';
import type { Noise } from '../../../bench/detection-quality/score.ts';
import { MINUTE } from '../../../services/core/clock.ts';

const told = (playbook: string, variant: Recognition['variant'], delayMs: number | null): Recognition => ({
  playbook,
  variant,
  account: '111122223333',
  recognised: delayMs !== null,
  delayMs,
  by: [],
  expects: [],
  foundBy: [],
  startsAt: 0,
  recognisableAt: 0,
  keys: [],
  actors: [],
});

const noise = (detector: string, severity: Noise['severity']): Noise => ({
  id: 'x',
  detector,
  severity,
  account: '111122223333',
  day: 40,
  keyArn: null,
  actor: null,
  title: '',
  what: '',
  why: '',
});

const verdict = (seed: string, fields: Partial<SeedVerdict>): SeedVerdict => ({
  seed,
  records: 10,
  events: 9,
  stories: [],
  hidden: 0,
  benignDays: 50,
  noise: [],
  failures: [],
  cpuMs: 1,
  rssMb: 1,
  ...fields,
});

test('verdicts of seeds add up: shares of what was told, delays of what was recognised, findings by benign account-days', () => {
  const quality = qualityOf([
    verdict('tune-1', {
      stories: [told('one', 'loud', 0), told('one', 'evasive', 6 * MINUTE), told('two', 'loud', 1_000)],
      noise: [noise('volume-spike', 'high'), noise('key-disabled', 'low'), noise('key-disabled', 'critical')],
    }),
    verdict('tune-2', { stories: [told('one', 'loud', null)], hidden: 2, benignDays: 150 }),
  ]);
  expect(quality.recall).toEqual({
    loud: { recognised: 2, told: 3 },
    quiet: { recognised: 0, told: 0 },
    evasive: { recognised: 1, told: 1 },
  });
  expect(quality.playbooks['one']).toMatchObject({
    loud: { recognised: 1, told: 2 },
    evasive: { recognised: 1, told: 1, p95: 6 * MINUTE },
  });
  expect(quality.delays.all).toEqual({ p50: 1_000, p95: 6 * MINUTE, max: 6 * MINUTE, withinTarget: 2 / 3 });
  expect(quality.delays.quiet).toBeNull();
  expect(quality).toMatchObject({ benignDays: 200, hidden: 2, noise: { any: 3 / 200, urgent: 2 / 200 } });
  expect(quality.noise.bySeverity).toMatchObject({ critical: 1 / 200, high: 1 / 200, low: 1 / 200, medium: 0 });
  expect(Object.entries(quality.noise.byDetector)).toEqual([
    ['key-disabled', { findings: 2, urgent: 1 }],
    ['volume-spike', { findings: 1, urgent: 1 }],
  ]);
});

test('the tables never round a share up to a target that it misses', () => {
  const stories = Array.from({ length: 2_000 }, (_, at) => told('one', 'loud', at === 0 ? null : 0));
  const text = tables(qualityOf([verdict('tune-1', { stories })]));
  expect(text).toContain('| Stories recognised, loud | 99.9 % (1999 of 2000) | 100 % |');
  expect(text).toContain('| Stories recognised, quiet | – | 100 % |');
});
