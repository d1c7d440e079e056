import type { KmsEvent } from '../core/event.ts';
import type { QuarantineReason } from '../core/quarantine.ts';

/** Result of a step: data, never an exception. `drop` = valid but none of our business. */
export type Normalized =
  | { readonly outcome: 'ok'; readonly event: KmsEvent }
  | { readonly outcome: 'drop' }
  | { readonly outcome: 'quarantine'; readonly reason: QuarantineReason; readonly message: string };

/** Which adjacent records are ingested: `service:Operation`, or `kms:*`. The union over all enabled detectors. */
export type RelevanceFilter = (service: string, operation: string) => boolean;
