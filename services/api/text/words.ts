/** How numbers, times and names are written for people. */
import { visible } from './visible.ts';

const numbers = new Intl.NumberFormat('en-US');

/** `12,345`. */
export function number(value: number): string {
  return numbers.format(Math.round(value));
}

/** `1 key`, `12,345 keys`; `several` where an s is not enough. */
export function counted(value: number, one: string, several = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : several}`;
}

/** `2026-03-04 10:22 UTC`, `-` for none. */
export function when(at: number | null): string {
  const text = iso(at);
  return text === null ? '-' : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** ISO 8601 in UTC; null for none and for what is no date. */
export function iso(at: number | null | undefined): string | null {
  return at === null || at === undefined || !(Math.abs(at) <= 8.64e15) ? null : new Date(at).toISOString();
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const power = Math.min(Math.floor(Math.log2(count) / 10), 4);
  return `${(count / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power] ?? 'B'}`;
}

/** The first alias, else the key's id, else what there is. */
export function keyName(arn: string | null, aliases: readonly string[] = []): string {
  if (arn === null) return '-';
  return visible(aliases[0] ?? arn.replace(/^arn:[^:]*:kms:[^:]*:[^:]*:(?:key\/)?/, ''), 120);
}

/** Identity Center names the roles of permission sets `AWSReservedSSO_NAME_HASH`: https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html */
const PERMISSION_SET = /^AWSReservedSSO_(.{1,32})_[0-9a-f]{16}$/;

/** A caller's short name for people; `-` for none. */
export function actorName(name: string | null): string {
  return name === null ? '-' : visible(name.replace(PERMISSION_SET, '$1 (SSO)'), 80);
}
