/** What a live source is made from, and how it is described to those who start it. */
import type { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Json } from '../core/json.ts';
import type { MessageOutcome } from '../core/metrics.ts';
import type { Aws } from '../platform/aws.ts';
import type { Leases } from '../platform/leases.ts';
import type { Logger } from '../platform/logger.ts';
import type { Source, SourceName } from './contract.ts';
import type { DeliveredDigest } from './digest.ts';

export interface Checkpoints {
  /** Null when there is none yet. */
  read(name: string): Promise<Json>;
  /** For progress without events; progress with events travels in their delivery. */
  write(name: string, value: Json): Promise<void>;
}

/** What a live source is handed. */
export interface LiveContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly aws: Aws;
  readonly leases: Leases;
  readonly checkpoints: Checkpoints;
  /** Services whose records any enabled detector needs, as in `kms` for kms.amazonaws.com; `kms` always. */
  readonly services: readonly string[];
  /** Whether records of such calls are wanted; what a source need not fetch or deliver, it does not. */
  readonly relevant: (service: string, operation: string) => boolean;
  /** Keeps a digest with its signature; does nothing when it is known. */
  readonly keepDigest?: (digest: DeliveredDigest) => Promise<void>;
  /** Counts what happens to messages of queues. */
  readonly countMessages?: (source: SourceName, outcome: MessageOutcome, count: number) => void;
}

export interface LiveSource<C> {
  readonly name: SourceName;
  /** Of its section in the configuration, which may be left out: then the source is off. */
  readonly schema: z.ZodType<C>;
  /** @returns null when the settings ask for nothing */
  create(settings: C, context: LiveContext): Promise<Source | null>;
}
