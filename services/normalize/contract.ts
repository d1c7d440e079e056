import type { About } from '../core/about.ts';
import type { KmsEvent } from '../core/event.ts';
import type { QuarantineReason } from '../core/quarantine.ts';

/** Result of a step: data, never an exception. `drop` = valid but none of our business. */
export type Normalized =
  | {
      readonly outcome: 'ok';
      readonly event: KmsEvent /** Ids of the user's rules that the record matches. */;
      readonly rules: readonly string[];
    }
  | { readonly outcome: 'drop' }
  | { readonly outcome: 'quarantine'; readonly reason: QuarantineReason; readonly message: string };

/** Which of the user's rules a parsed record matches; such a record is ingested, whatever it is about. */
export type RuleFilter = (record: Readonly<Record<string, unknown>>) => readonly string[];

/**
 * Which adjacent records are ingested: `service:Operation`, or `kms:*`. The union over all enabled detectors. Asked without what a
 * record is about, it says whether any record of the name could be relevant.
 */
export type RelevanceFilter = (service: string, operation: string, about?: () => About) => boolean;
