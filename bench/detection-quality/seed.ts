/** One seed in a process of its own: its size comes as an argument, days that are done and the verdict go to the parent. */
import { configureDetectors } from '../../services/detectors/configure.ts';
import { DETECTORS } from '../../services/detectors/registry.ts';
import { judge } from './judge.ts';
import type { SeedVerdict } from './report.ts';
import { type Size, trialOf } from './trial.ts';

export type Message = { readonly day: number } | { readonly verdict: SeedVerdict };

const size = JSON.parse(process.argv[2] ?? '{}') as Size;
const say = (message: Message): void => void process.send?.(message);
const verdict = judge(trialOf(size), {
  detectors: configureDetectors(DETECTORS),
  silence: true,
  onDay: (day) => say({ day }),
});
const { findings: _, ...rest } = verdict;
const usage = process.resourceUsage();
say({
  verdict: {
    ...rest,
    seed: size.seed,
    cpuMs: (usage.userCPUTime + usage.systemCPUTime) / 1000,
    rssMb: Math.round(usage.maxRSS / 1024),
  },
});
process.disconnect?.();
