import { DAY, HOUR, MINUTE } from '../core/clock.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `2026-03-02T09:15:00Z`, as CloudTrail writes `eventTime`: whole seconds, UTC. */
export function isoSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/**
 * `Aug 10, 2022, 10:38:27 PM`: how KMS dates stand in requests and responses.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/ct-createkey.html
 */
export function kmsDate(time: number): string {
  const date = new Date(time);
  const hour = date.getUTCHours();
  const clock = [hour % 12 === 0 ? 12 : hour % 12, two(date.getUTCMinutes()), two(date.getUTCSeconds())].join(':');
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}, ${clock} ${hour < 12 ? 'AM' : 'PM'}`;
}

/** `2026/03/02` for S3 keys. */
export function datePath(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '/');
}

/** `20260302T0915Z` for names of log files. */
export function fileStamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`;
}

/** Hour of the day, 0–23, at a place `offset` hours east of UTC. */
export function localHour(time: number, offset: number): number {
  return new Date(time + offset * HOUR).getUTCHours();
}

export function isWeekend(time: number, offset: number): boolean {
  const day = new Date(time + offset * HOUR).getUTCDay();
  return day === 0 || day === 6;
}

/**
 * A moment of someone's working life: about `daysBefore` days before `end`, at a local wall-clock time; weekends move
 * to the Friday before or the Monday after.
 */
export function workMoment(end: number, daysBefore: number, clock: { hour: number; minute: number; offset: number }): number {
  const shift = clock.offset * HOUR;
  let midnight = Math.floor((end - daysBefore * DAY + shift) / DAY) * DAY;
  const weekday = new Date(midnight).getUTCDay();
  if (weekday === 6) midnight -= DAY;
  if (weekday === 0) midnight += DAY;
  return midnight - shift + clock.hour * HOUR + clock.minute * MINUTE;
}

/** The same person's next moment: some days after `time`, at a local wall-clock time; weekends move to the Monday after. */
export function laterMoment(time: number, daysAfter: number, clock: { hour: number; minute: number; offset: number }): number {
  const shift = clock.offset * HOUR;
  let midnight = Math.floor((time + daysAfter * DAY + shift) / DAY) * DAY;
  const weekday = new Date(midnight).getUTCDay();
  if (weekday === 6) midnight += 2 * DAY;
  if (weekday === 0) midnight += DAY;
  return midnight - shift + clock.hour * HOUR + clock.minute * MINUTE;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
