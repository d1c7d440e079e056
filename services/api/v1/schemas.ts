/** Shapes that several routes share. Names of fields are those of the commands' JSON. */
import { z } from 'zod';
import { FINDING_STATUSES } from '../../core/finding.ts';
import { SEVERITIES } from '../../core/severity.ts';
import type { FindingBrief } from '../../store/read/findings.ts';
import type { KeyListed } from '../../store/read/keys.ts';
import { findingJson } from '../json/finding.ts';
import { keyJson } from '../json/key.ts';

/** What JSON can hold; the values of details are the detectors'. */
export const anything = z.record(z.string(), z.unknown());

export const time = z.iso.datetime({ offset: true }).meta({ description: 'ISO 8601.' });
export const maybeTime = z.iso.datetime().nullable();

/** PostgreSQL knows years from -4712; nothing here is older than CloudTrail. */
export const instant = time
  .transform((text) => Date.parse(text))
  .refine((at) => at >= Date.UTC(2000, 0, 1) && at <= Date.UTC(2200, 0, 1), 'must lie between the years 2000 and 2200');

/** A list in a query: repeated, or with commas. */
export function list<T>(each: z.ZodType<T, string>) {
  return z
    .union([z.string().max(4_000), z.array(z.string().max(4_000)).max(100)])
    .transform((given) =>
      [given]
        .flat()
        .flatMap((text) => text.split(','))
        .filter((text) => text !== ''),
    )
    .pipe(z.array(each).max(100))
    .optional();
}

export const limit = z.coerce.number().int().min(1).max(500).default(50).meta({ description: 'At most so many on a page.' });

/** Text that a person wrote. NUL cannot be stored. */
export const words = z
  .string()
  .trim()
  .min(1)
  .max(2_000)
  .refine((text) => !text.includes('\0'), 'must not hold NUL characters');

export const name = z
  .string()
  .trim()
  .min(1)
  .max(512)
  .refine((text) => !text.includes('\0'), 'must not hold NUL characters');

export const findingSchema = z
  .object({
    id: z.string(),
    detector: z.string(),
    severity: z.enum(SEVERITIES),
    status: z.enum(FINDING_STATUSES),
    title: z.string(),
    key_arn: z.string().nullable(),
    actor: z.string().nullable(),
    account: z.string(),
    region: z.string(),
    first_seen: z.iso.datetime(),
    last_seen: z.iso.datetime(),
    occurrences: z.int(),
    evidence: z.array(z.string()).meta({ description: 'CloudTrail event ids.' }),
    details: anything,
  })
  .meta({ id: 'Finding' });

export const keySchema = z
  .object({
    arn: z.string(),
    account: z.string(),
    region: z.string(),
    state: z.string().nullable(),
    manager: z.string().nullable(),
    origin: z.string().nullable(),
    key_spec: z.string().nullable(),
    multi_region: z.boolean().nullable(),
    rotation: z.object({
      eligible: z.boolean().nullable(),
      reason: z.string(),
      enabled: z.boolean().nullable(),
      period_days: z.number().nullable(),
      last_rotated_at: maybeTime,
    }),
    deletion_date: maybeTime,
    aliases: z.array(z.string()),
    last_used_at: maybeTime,
  })
  .meta({ id: 'Key' });

export const eventSchema = z
  .object({
    event_id: z.string(),
    event_time: z.iso.datetime(),
    account: z.string(),
    region: z.string(),
    service: z.string(),
    operation: z.string(),
    operation_class: z.string(),
    outcome: z.string(),
    error_code: z.string().nullable(),
    actor: z.string(),
    key_arn: z.string().nullable(),
    session: z.string().nullable(),
    calling_service: z.string().nullable(),
    network: z.string().nullable(),
    user_agent: z.string().nullable(),
    encryption_context: z.string().nullable().meta({ description: 'Names of its entries; never values.' }),
  })
  .meta({ id: 'Event' });

export function page<T extends z.ZodType>(items: T): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodNullable<z.ZodString> }> {
  return z.object({
    items: z.array(items),
    next: z.string().nullable().meta({ description: 'Cursor of the next page; null on the last.' }),
  });
}

export function findingOut(finding: FindingBrief): z.output<typeof findingSchema> {
  return findingJson(finding) as z.output<typeof findingSchema>;
}

export function keyOut(key: KeyListed): z.output<typeof keySchema> {
  return keyJson(key) as z.output<typeof keySchema>;
}
