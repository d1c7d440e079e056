/** Detectors that a month of records cannot make fire, by id, each with the reason. */
export const BEYOND_A_MONTH: Readonly<Record<string, string>> = {
  'dormant-key-used': 'a key must have been unused on record for 90 days',
  'source-silent': 'tells of a source that stops delivering, which the service watches; records say nothing of it',
  'log-integrity-broken': 'compares log files in their bucket with digest files and signatures; records alone hold neither',
};

/** Detectors that ask for what nobody has configured on a first start. */
export const ASKS_CONFIGURATION: Readonly<Record<string, string>> = {
  'replica-outside-regions': 'organization.allowed_regions',
  'monitor-tampered': 'organization.monitor, or the queues that sources read',
};
