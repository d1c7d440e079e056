/** How long to wait before a notification that did not arrive is tried again. */
import { HOUR, MINUTE } from '../core/clock.ts';
import { digest128 } from '../core/ids.ts';

const FIRST_MS = 1_000;
const MOST_MS = 5 * MINUTE;
/** What a receiver asks for beyond this is not heeded: it would keep quiet for it. */
const MOST_ASKED_MS = HOUR;

/**
 * Doubles from one second to five minutes, less up to a half by chance, so that many that failed together do not come back together. The
 * chance is in the key: the same try of the same notification waits the same time.
 *
 * @param attempts so far, from 1
 * @param askedMs what the receiver asked for
 */
export function backoffMs(key: string, attempts: number, askedMs = 0): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(20, Math.max(0, attempts - 1)));
  const chance = Number.parseInt(digest128([key, String(attempts)]).slice(0, 8), 16) / 0xffff_ffff;
  return Math.max(Math.round(full * (1 - chance / 2)), Math.min(askedMs, MOST_ASKED_MS));
}
