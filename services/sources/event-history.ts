/** CloudTrail's event history: whom to ask for what, and how it is read within the quota. */
export { createLookupApi, type LookupApi } from './lookup-events/api.ts';
export { KEPT_DAYS, type LookupEventsConfig, lookupEventsSchema } from './lookup-events/config.ts';
export { type Draft, draftOf } from './lookup-events/draft.ts';
export { type Filter, filterName } from './lookup-events/filter.ts';
export { Pacer } from './lookup-events/pacer.ts';
export { Interruption, readPages } from './lookup-events/reader.ts';
export { Seen } from './lookup-events/seen.ts';
export { nameOf, type Target, targetsOf } from './lookup-events/target.ts';
export { realTime, type Time } from './lookup-events/time.ts';
