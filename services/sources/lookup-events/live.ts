import type { LiveSource } from '../live.ts';
import { type LookupEventsConfig, lookupEventsSchema } from './config.ts';

export const lookupEvents: LiveSource<LookupEventsConfig> = {
  name: 'lookup-events',
  schema: lookupEventsSchema,
  /** The SDK is loaded by those who poll, not by every command. */
  async create(settings, context) {
    const { createLookupEventsSource } = await import('./lookup-events.ts');
    return createLookupEventsSource(settings, context);
  },
};
