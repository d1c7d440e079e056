/**
 * What the event selectors of a trail let through of KMS's management events. An event is logged when any selector admits it,
 * so KMS is excluded only where no selector is left that admits it.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
 */
import type { EventDetail } from '../core/event.ts';
import type { Json, JsonObject } from '../core/json.ts';

const KMS = 'kms.amazonaws.com';
const MAX_ITEMS = 500;

export type Direction = 'read' | 'write';

export interface KmsLogging {
  /** Kinds of KMS events that still reach the trail. */
  readonly admitted: readonly Direction[];
  /** Kinds that a selector names KMS to keep out, and that no other selector admits. */
  readonly excluded: readonly Direction[];
  /** Names of the request's fields that keep KMS out. */
  readonly by: 'excludeManagementEventSources' | 'advancedEventSelectors' | null;
}

interface Selector {
  readonly directions: readonly Direction[];
  readonly admitsKms: boolean;
}

const DIRECTIONS: readonly Direction[] = ['read', 'write'];

/** Null when the record does not say which selectors were set. */
export function kmsLogging(detail: EventDetail | null): KmsLogging | null {
  const advanced = detail?.advancedEventSelectors ?? [];
  const basic = detail?.eventSelectors ?? [];
  if (advanced.length === 0 && basic.length === 0) return null;
  const read = advanced.length > 0 ? advancedSelector : basicSelector;
  const selectors = (advanced.length > 0 ? advanced : basic).slice(0, MAX_ITEMS).flatMap((selector) => read(selector) ?? []);
  const reached = (kms: boolean) =>
    DIRECTIONS.filter((direction) => selectors.some((selector) => selector.admitsKms === kms && selector.directions.includes(direction)));
  const admitted = reached(true);
  const excluded = reached(false).filter((direction) => !admitted.includes(direction));
  const by = excluded.length === 0 ? null : advanced.length > 0 ? 'advancedEventSelectors' : 'excludeManagementEventSources';
  return { admitted, excluded, by };
}

/**
 * Kinds of management events, of whatever service, that no selector admits whole any more. KMS and RDS Data API may be left out by name:
 * that is another question. Null when the record does not say which selectors were set.
 */
export function managementLost(detail: EventDetail | null): readonly Direction[] | null {
  const advanced = detail?.advancedEventSelectors ?? [];
  const basic = detail?.eventSelectors ?? [];
  if (advanced.length === 0 && basic.length === 0) return null;
  const selectors =
    advanced.length > 0
      ? advanced.slice(0, MAX_ITEMS).flatMap((selector) => (isWhole(selector) ? (advancedSelector(selector) ?? []) : []))
      : basic.slice(0, MAX_ITEMS).flatMap((selector) => basicSelector(selector) ?? []);
  return DIRECTIONS.filter((direction) => !selectors.some((selector) => selector.directions.includes(direction)));
}

/** An advanced selector that asks for nothing but kind and direction, and names services only to leave them out. */
function isWhole(selector: JsonObject): boolean {
  return objects(member(selector, 'fieldSelectors')).every((field) => {
    const name = text(member(field, 'field'));
    if (name === 'eventcategory' || name === 'readonly') return true;
    return (
      name === 'eventsource' && OPERATORS.every(({ name: operator, negative }) => negative || texts(member(field, operator)).length === 0)
    );
  });
}

/** Null for a selector of data events only. */
function basicSelector(selector: JsonObject): Selector | null {
  if (member(selector, 'includeManagementEvents') === false) return null;
  const kind = text(member(selector, 'readWriteType'));
  const directions = kind === 'readonly' ? (['read'] as const) : kind === 'writeonly' ? (['write'] as const) : DIRECTIONS;
  return { directions, admitsKms: !texts(member(selector, 'excludeManagementEventSources')).includes(KMS) };
}

/** Null for a selector of another category, or one that admits no direction at all. */
function advancedSelector(selector: JsonObject): Selector | null {
  const fields = objects(member(selector, 'fieldSelectors'));
  const named = (name: string) => fields.filter((field) => text(member(field, 'field')) === name);
  const category = named('eventcategory');
  if (category.length === 0 || !category.every((field) => admits(field, 'management'))) return null;
  const directions = DIRECTIONS.filter((direction) =>
    named('readonly').every((field) => admits(field, direction === 'read' ? 'true' : 'false')),
  );
  return { directions, admitsKms: named('eventsource').every((field) => admits(field, KMS)) };
}

/** Each operator that is given must hold: a positive one by any of its values, a negative one by none. */
function admits(field: JsonObject, value: string): boolean {
  return OPERATORS.every(({ name, negative, holds }) => {
    const values = texts(member(field, name));
    return values.length === 0 || values.some((pattern) => holds(value, pattern)) !== negative;
  });
}

const equal = (value: string, pattern: string) => value === pattern;
const begins = (value: string, pattern: string) => value.startsWith(pattern);
const ends = (value: string, pattern: string) => value.endsWith(pattern);

const OPERATORS = [
  { name: 'equals', negative: false, holds: equal },
  { name: 'startsWith', negative: false, holds: begins },
  { name: 'endsWith', negative: false, holds: ends },
  { name: 'notEquals', negative: true, holds: equal },
  { name: 'notStartsWith', negative: true, holds: begins },
  { name: 'notEndsWith', negative: true, holds: ends },
] as const;

/** Names are compared without case: callers' SDKs write them both ways. */
function member(object: JsonObject, name: string): Json | undefined {
  const wanted = name.toLowerCase();
  const found = Object.keys(object).find((key) => key.toLowerCase() === wanted);
  return found === undefined ? undefined : object[found];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value.trim().toLowerCase() : '';
}

function texts(value: Json | undefined): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.slice(0, MAX_ITEMS).flatMap((item) => (typeof item === 'string' ? [text(item)] : []));
}

function objects(value: Json | undefined): JsonObject[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.slice(0, MAX_ITEMS).filter((item): item is JsonObject => typeof item === 'object' && item !== null && !Array.isArray(item));
}
