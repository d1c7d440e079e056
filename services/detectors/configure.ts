/** From the registry's detectors and what the configuration says of them to detectors that can be run. */
import { z } from 'zod';
import { KmswatchError } from '../core/errors.ts';
import type { About } from '../core/about.ts';
import type { Detector, Organization } from './contract.ts';

export interface ConfiguredDetector {
  readonly detector: Detector;
  /** Parsed by the detector's own schema. */
  readonly params: unknown;
}

/** Settings of one detector: `enabled` and its parameters. */
export type DetectorSettings = { readonly enabled?: boolean } & Readonly<Record<string, unknown>>;

const enabled = z.boolean().default(true).describe('Whether the detector is evaluated.');

/**
 * Schema of the configuration's `detectors` section: every detector by its id, each with `enabled` (default true) and its
 * parameters with their defaults. Unknown ids and unknown parameters are refused.
 */
export function detectorsConfigSchema(detectors: readonly Detector[]): z.ZodType<Record<string, DetectorSettings>> {
  const shape = Object.fromEntries(detectors.map((detector) => [detector.id, settingsSchema(detector)]));
  return z.strictObject(shape).prefault({});
}

function settingsSchema(detector: Detector): z.ZodType<DetectorSettings> {
  const { params } = detector;
  if (!(params instanceof z.ZodObject)) throw new TypeError(`detector ${detector.id}: params must be an object schema`);
  if (Object.hasOwn(params.shape, 'enabled')) throw new TypeError(`detector ${detector.id}: the name "enabled" is taken`);
  return params.safeExtend({ enabled }).strict().prefault({}).describe(detector.title);
}

/**
 * The enabled detectors with their parameters, in the registry's order.
 * @throws KmswatchError CONFIG_INVALID naming every wrong id and parameter
 */
export function configureDetectors(
  detectors: readonly Detector[],
  overrides: Readonly<Record<string, DetectorSettings>> = {},
): ConfiguredDetector[] {
  const parsed = detectorsConfigSchema(detectors).safeParse(overrides);
  if (!parsed.success) throw new KmswatchError('CONFIG_INVALID', `detectors: ${z.prettifyError(parsed.error)}`);
  return detectors.flatMap((detector) => {
    const { enabled: isEnabled, ...params } = parsed.data[detector.id] ?? {};
    return isEnabled === false ? [] : [{ detector, params }];
  });
}

/** Does one of these `service:Operation` or `service:*` patterns name the event? */
export function namesEvent(patterns: ReadonlySet<string>, service: string, operation: string): boolean {
  return patterns.has(`${service}:${operation}`) || patterns.has(`${service}:*`);
}

/**
 * Which records are ingested: KMS's always, others as far as an enabled detector names them and, where it is given, what the
 * organization has told lets them matter.
 */
export function relevanceFilter(
  configured: readonly ConfiguredDetector[],
  organization?: Organization,
): (service: string, operation: string, about?: () => About) => boolean {
  const plain = new Set(configured.flatMap(({ detector }) => (detector.concerns === undefined ? detector.events : [])));
  const picky = configured.flatMap(({ detector: { concerns, events } }) => (concerns ? [{ concerns, events: new Set(events) }] : []));
  const named = new Set(picky.flatMap(({ events }) => [...events]));
  return (service, operation, about) => {
    if (service === 'kms' || namesEvent(plain, service, operation)) return true;
    if (!namesEvent(named, service, operation)) return false;
    if (about === undefined || organization === undefined) return true;
    const record = about();
    return picky.some(({ concerns, events }) => namesEvent(events, service, operation) && concerns(record, organization));
  };
}
