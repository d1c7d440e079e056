/** Could a detector have fired? Pure: which of its events can come by the configured sources, and which did. */
import { operationClass } from '../core/operations.ts';
import type { Detector } from '../detectors/contract.ts';
import type { Config } from './config.ts';

export interface Arrival {
  /**
   * `arriving`: some of its events were seen lately. `not-seen`: they could come, but none did. `cannot-arrive`: no source delivers
   * them. `nothing-needed`: it judges what time alone changes.
   */
  readonly standing: 'arriving' | 'not-seen' | 'cannot-arrive' | 'nothing-needed';
  readonly reason: string;
  /** Epoch milliseconds of the hour in which one was last seen. */
  readonly lastSeenAt: number | null;
}

type Sources = Config['sources'];

/**
 * @param seen when operations were last seen, `service:Operation` -> hour
 * @param blinded what the detectors of log blinding found and is open: trails that record less
 */
export function arrivalOf(
  detector: Pick<Detector, 'events' | 'family'>,
  { sources, seen, blinded }: { sources: Sources; seen: ReadonlyMap<string, number>; blinded: readonly string[] },
): Arrival {
  // Their records are told by the rule itself, so that no operation can be asked for.
  if (detector.family === 'rule')
    return { standing: 'nothing-needed', reason: 'a rule of yours, tried on every record that comes', lastSeenAt: null };
  if (detector.events.length === 0)
    return { standing: 'nothing-needed', reason: 'it judges what is known of sources or keys', lastSeenAt: null };
  const last = detector.events.flatMap((pattern) => seenBy(pattern, seen)).reduce<number | null>((a, b) => Math.max(a ?? 0, b), null);
  const live = Object.values(sources).some((source) => source !== undefined);
  const blind = live && detector.events.every((pattern) => !canArrive(pattern, sources));
  const suffix = blinded.length === 0 ? '' : `; open findings say that trails record less: ${blinded.join(', ')}`;
  if (last !== null) return { standing: 'arriving', reason: `its events are seen${suffix}`, lastSeenAt: last };
  if (blind)
    return { standing: 'cannot-arrive', reason: `none of the configured sources delivers ${detector.events.join(', ')}`, lastSeenAt: null };
  return {
    standing: 'not-seen',
    reason: `none of its events was seen lately${live ? '' : '; no live source is configured'}${suffix}`,
    lastSeenAt: null,
  };
}

function seenBy(pattern: string, seen: ReadonlyMap<string, number>): number[] {
  if (!pattern.endsWith(':*')) return seen.has(pattern) ? [seen.get(pattern) ?? 0] : [];
  const service = pattern.slice(0, -1);
  return [...seen].flatMap(([operation, hour]) => (operation.startsWith(service) ? hour : []));
}

/** Whether any configured source can deliver it. A pattern for all of a service counts as its changes. */
function canArrive(pattern: string, sources: Sources): boolean {
  const [service = '', operation = ''] = pattern.split(':');
  const changes = operation === '*' || ['control', 'grant'].includes(operationClass(service, operation, null));
  if (sources.s3_trail) return true;
  // Rules in state ENABLED pass no read-only calls on; which state ours are in cannot be seen from here.
  if (sources.eventbridge && service === 'kms' && changes) return true;
  const { lookup_events: lookup } = sources;
  if (!lookup) return false;
  return lookup.accounts.some((account) => {
    const mode = account.mode ?? lookup.mode;
    if (mode === 'all') return true;
    if (mode === 'write-only') return changes;
    return service === 'cloudtrail' || operation === '*' || (account.operations ?? []).includes(operation);
  });
}
