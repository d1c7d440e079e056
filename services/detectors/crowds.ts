/** Events that crowd together: stretches of time in which many different things happened to within a short while. */

export interface Crowd<E> {
  /** Of all windows that overlap, in the order given. */
  readonly events: readonly E[];
  /** The most different things in one window. */
  readonly peak: number;
}

export interface CrowdOptions<E> {
  readonly windowMs: number;
  /** So many different things make a crowd. */
  readonly minimum: number;
  /** What the event happened to. */
  thing(event: E): string;
}

/** Crowds in time order. An event belongs to one when any window of the given length that holds it has enough different things. @param events in event order */
export function crowdsOf<E extends { readonly eventTime: number }>(events: readonly E[], options: CrowdOptions<E>): Crowd<E>[] {
  const { windowMs, minimum, thing } = options;
  const counts = new Map<string, number>();
  const crowds: { first: number; last: number; peak: number }[] = [];
  let begin = 0;
  for (const [end, event] of events.entries()) {
    counts.set(thing(event), (counts.get(thing(event)) ?? 0) + 1);
    for (let oldest = events[begin]; oldest && event.eventTime - oldest.eventTime > windowMs; oldest = events[begin]) {
      const left = (counts.get(thing(oldest)) ?? 1) - 1;
      if (left === 0) counts.delete(thing(oldest));
      else counts.set(thing(oldest), left);
      begin++;
    }
    if (counts.size < minimum) continue;
    const open = crowds.at(-1);
    if (open !== undefined && begin <= open.last) {
      open.last = end;
      open.peak = Math.max(open.peak, counts.size);
    } else crowds.push({ first: begin, last: end, peak: counts.size });
  }
  return crowds.map(({ first, last, peak }) => ({ events: events.slice(first, last + 1), peak }));
}
