/** How the polled accounts stand, as their checkpoints say; for people and metrics, who do not know the configuration. */
import type { Json } from '../../core/json.ts';
import { type Capacity, readProgress } from './progress.ts';

export interface PolledFilter {
  readonly account: string;
  readonly region: string;
  /** `EventSource=kms.amazonaws.com` */
  readonly filter: string;
  /** Null until it was measured. */
  readonly capacity: Capacity | null;
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
}

export const LOOKUP_CHECKPOINTS = 'lookup-events/';

const NAME = /^lookup-events\/([^/]+)\/([^/]+)\/(.+)$/s;

/** Those that are no progress are left out. */
export function polledFilters(checkpoints: readonly { readonly name: string; readonly value: Json }[]): PolledFilter[] {
  return checkpoints.flatMap(({ name, value }) => {
    const [, account, region, filter] = NAME.exec(name) ?? [];
    const progress = readProgress(value, 0);
    if (account === undefined || region === undefined || filter === undefined || progress === null) return [];
    return [{ account, region, filter, capacity: progress.capacity, gaps: progress.gaps }];
  });
}
