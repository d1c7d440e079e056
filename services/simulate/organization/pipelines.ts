import { list, read } from '../operations.ts';
import { attachVolume } from '../routines/machines.ts';
import type { Stream } from '../stream.ts';
import type { Estate, Household } from './organization.ts';
import type { Rhythms } from './rhythms.ts';

const RUNS = { prod: 0.5, staging: 0.9, data: 0.3, security: 0.2 } as const;

/** A pipeline run: Terraform refreshes every key that it manages; new instances start with the new version. */
export function pipelineStreams(estate: Estate, rhythms: Rhythms): Stream[] {
  return estate.accounts.map((household) => ({
    name: `deploy/${household.name}`,
    perDay: RUNS[household.plan.stage],
    rhythm: rhythms.office(household.regions[0]?.startsWith('eu') === true ? 1 : -6),
    fixed: true,
    weight: household.keys.length * 4 + 8,
    write: (time, scribe) => {
      const caller = household.pipeline(time);
      refresh(household, time, (at, region, call) => scribe.write({ time: at, region }, caller, call));
      const volumes = household.keys.find(({ purpose }) => purpose === 'ebs');
      if (!volumes) return;
      const started = scribe.random.int(1, 3);
      for (let at = 0; at < started; at += 1)
        attachVolume(estate.world, scribe, { key: volumes.key, time: time + (240 + at * 35) * 1_000 });
    },
  }));
}

/** Reads of all keys, some seconds long. */
function refresh(household: Household, time: number, write: (at: number, region: string, call: ReturnType<typeof list>) => void): void {
  for (const region of household.regions) write(time, region, list('ListAliases'));
  for (const [at, { key }] of household.keys.entries()) {
    for (const operation of ['DescribeKey', 'GetKeyPolicy', 'GetKeyRotationStatus', 'ListResourceTags'])
      write(time + (at + 1) * 1_000, key.region, read(operation, key));
  }
}
