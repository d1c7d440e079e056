/**
 * The forms in which CloudTrail records state a moment: ISO 8601, seconds or milliseconds since the epoch, and the English texts
 * that KMS writes into its responses (`Aug 10, 2022, 10:38:27 PM`, `Apr 12, 2021 18:58:30 PM`). Without a zone it is UTC.
 * Samples: https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html
 */
const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|UTC|[+-]\d\d:?\d\d)?$/i;
const ENGLISH = /^([A-Z][a-z]{2})[a-z]{0,6} (\d{1,2}),? (\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\s?([AP])M)?(?: (?:UTC|GMT))?$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const LONGEST = 40;
/** UTC+14, in minutes. */
const FARTHEST_ZONE = 840;

/** Seconds up to here, milliseconds above: the year 5138 in the one reading, March 1973 in the other. */
const SECONDS_BELOW = 100_000_000_000;
const YEAR_10000 = Date.UTC(10_000, 0, 1);

/** Milliseconds since the epoch, or null for what is no moment between 1970 and 9999. */
export function parseMoment(value: unknown): number | null {
  if (typeof value === 'number') return fromEpoch(value);
  if (typeof value !== 'string' || value.length > LONGEST) return null;
  const iso = ISO.exec(value);
  if (iso) return fromIso(iso);
  const english = ENGLISH.exec(value.replace(/\s/g, ' '));
  if (english) return fromEnglish(english);
  return /^\d{1,15}(?:\.\d{1,9})?$/.test(value) ? fromEpoch(Number(value)) : null;
}

function fromEpoch(value: number): number | null {
  if (!(value > 0)) return null;
  return within(Math.trunc(value < SECONDS_BELOW ? value * 1000 : value));
}

function fromIso(match: RegExpExecArray): number | null {
  const time = momentOf(
    Number(match[1]),
    Number(match[2]) - 1,
    Number(match[3]),
    secondsOf(Number(match[4]), Number(match[5]), Number(match[6] ?? 0)),
  );
  if (time === null) return null;
  const milliseconds = match[7] === undefined ? 0 : Number(match[7].padEnd(3, '0').slice(0, 3));
  const zone = match[8];
  if (zone === undefined || zone.length === 1 || zone.length === 3) return within(time + milliseconds);
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  if (minutes > FARTHEST_ZONE) return null;
  return within(time + milliseconds - (zone.startsWith('-') ? -minutes : minutes) * 60_000);
}

function fromEnglish(match: RegExpExecArray): number | null {
  const month = MONTHS.indexOf(match[1] ?? '');
  const hour = Number(match[4]);
  const time = momentOf(
    Number(match[3]),
    month,
    Number(match[2]),
    secondsOf(clockHour(hour, match[7]), Number(match[5]), Number(match[6])),
  );
  return time === null ? null : within(time);
}

/** KMS also writes a 24-hour clock with AM or PM behind it; then the hour speaks for itself. */
function clockHour(hour: number, half: string | undefined): number {
  if (half === undefined || hour > 12) return hour;
  return (hour % 12) + (half === 'P' ? 12 : 0);
}

function secondsOf(hour: number, minute: number, second: number): number | null {
  // 60 is a leap second; it counts as the following one.
  return hour > 23 || minute > 59 || second > 60 ? null : (hour * 60 + minute) * 60 + second;
}

/** Refuses the 31st of a month with 30 days instead of rolling over, as `Date` would. */
function momentOf(year: number, month: number, day: number, seconds: number | null): number | null {
  if (seconds === null || month < 0) return null;
  const midnight = Date.UTC(year, month, day);
  const date = new Date(midnight);
  return date.getUTCFullYear() === year && date.getUTCMonth() === month && date.getUTCDate() === day ? midnight + seconds * 1000 : null;
}

function within(time: number): number | null {
  return time >= 0 && time < YEAR_10000 ? time : null;
}
