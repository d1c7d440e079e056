/** What the workers are handed; built once by the composition root. */
import type pg from 'pg';
import type { Clock } from '../core/clock.ts';
import type { Organization } from '../detectors/contract.ts';
import type { ConfiguredDetector } from '../detectors/configure.ts';
import type { RelevanceFilter } from '../normalize/contract.ts';
import type { NetworkNamer } from '../platform/networks.ts';
import type { Queues } from '../platform/queues.ts';
import type { ReadLimits } from '../sources/limits.ts';
import type { Openers } from '../sources/registry.ts';
import type { NameCache } from '../store/names.ts';
import type { Partitions } from '../store/partitions.ts';
import type { Terms } from '../store/terms.ts';
import type { Alerting } from './notify-alerting.ts';
import type { QUEUES } from './queues.ts';
import type { Rules } from './rules.ts';
import type { Telemetry } from './telemetry.ts';

export interface Deps {
  readonly pool: pg.Pool;
  readonly terms: () => Terms;
  readonly names: NameCache;
  readonly partitions: Partitions;
  readonly queues: Queues<typeof QUEUES>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits: ReadLimits;
  /** How deliveries of sources are opened that are read with settings of their own. */
  readonly openers?: Openers;
  readonly relevant: RelevanceFilter;
  /** Tells networks by databases that the user gave; left out without any. */
  readonly nameNetwork?: NetworkNamer;
  /** Ours and, as long as they are loaded, the user's. */
  readonly detectors: readonly ConfiguredDetector[];
  /** The user's own rules, where a folder of them is configured. */
  readonly rules?: Rules | undefined;
  readonly organization: Organization;
  /** Age limits by which keys are counted as rotated in time. */
  readonly rotationPolicy: { readonly maxAgeDays: number; readonly graceDays: number };
  /**
   * As of when a batch's findings are judged: a service judges by its clock, a replay by the events themselves,
   * so that it can be repeated.
   */
  readonly judgeBy: 'clock' | 'events';
  /** Who is told of what, and how. */
  readonly alerting: Alerting;
}
