/** @throws RangeError beyond 2^53, where a number would be wrong */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is no safe integer: cast it to text or numeric in SQL`);
  return value;
}

/**
 * `2024-03-01 12:00:00.123456+00` → epoch milliseconds. The session's time zone is UTC, so the offset is always +00.
 *
 * @throws RangeError for years that JavaScript cannot tell (before Christ, beyond 9999)
 */
export function parseTimestamp(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const bare = text.endsWith('+00') ? text.slice(0, -3) : text;
  const time = Date.parse(`${bare.slice(0, 10)}T${bare.slice(11)}Z`);
  if (Number.isNaN(time)) throw new RangeError(`timestamp ${text} cannot be read`);
  return time;
}
