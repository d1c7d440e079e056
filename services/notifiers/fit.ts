import type { AlertView, Notification } from './contract.ts';

export interface FitOptions {
  /** Most bytes of UTF-8 that the rendered message may have. */
  readonly bytes: number;
  /** Most alerts that it may show, however short they are. */
  readonly alerts: number;
}

/**
 * The message with as many alerts as fit, most severe first. `render` is told how many alerts of the group are not shown, and says so.
 * Without any alert a message must fit: its texts are cut.
 */
export function fit(
  notification: Notification,
  { bytes, alerts }: FitOptions,
  render: (shown: readonly AlertView[], hidden: number) => string,
): string {
  const total = notification.alerts.length + notification.truncated;
  const rendered = (count: number): string => render(notification.alerts.slice(0, count), total - count);
  // Between `fits` (known to fit, or none) and `most` (not known to).
  let fits = 0;
  let most = Math.min(alerts, notification.alerts.length);
  let best = rendered(most);
  if (Buffer.byteLength(best) <= bytes) return best;
  most -= 1;
  best = rendered(0);
  while (fits < most) {
    const middle = Math.ceil((fits + most) / 2);
    const candidate = rendered(middle);
    if (Buffer.byteLength(candidate) <= bytes) [fits, best] = [middle, candidate];
    else most = middle - 1;
  }
  return best;
}
