import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KmswatchError } from '../../../services/core/errors.ts';
import { configureDetectors, detectorsConfigSchema, relevanceFilter } from '../../../services/detectors/configure.ts';
import { type Detector, defineStateDetector } from '../../../services/detectors/contract.ts';

function fake(id: string, events: readonly string[], params: z.ZodType = z.strictObject({ days: z.int().min(1).default(30) })): Detector {
  return defineStateDetector({
    id,
    title: id,
    severity: 'low',
    status: 'test',
    family: 'rotation',
    kind: 'state',
    subject: 'key',
    events,
    params,
    techniques: [],
    blindSpots: [],
    falsePositives: [],
    dedupKey: () => [],
    evaluate: () => null,
  });
}

const DETECTORS = [fake('b-detector', ['kms:DisableKey', 'cloudtrail:StopLogging']), fake('a-detector', ['rds:*'])];

describe('configureDetectors', () => {
  it('without settings enables every detector with its defaults, in the order of the registry', () => {
    expect(configureDetectors(DETECTORS).map(({ detector, params }) => [detector.id, params])).toEqual([
      ['b-detector', { days: 30 }],
      ['a-detector', { days: 30 }],
    ]);
  });

  it('takes settings over defaults and leaves disabled detectors out', () => {
    const configured = configureDetectors(DETECTORS, { 'a-detector': { days: 7 }, 'b-detector': { enabled: false } });
    expect(configured.map(({ detector, params }) => [detector.id, params])).toEqual([['a-detector', { days: 7 }]]);
  });

  it.each([
    [{ 'c-detector': {} }, /c-detector/],
    [{ 'a-detector': { dayz: 7 } }, /dayz/],
    [{ 'a-detector': { days: 0 } }, /days/],
    [{ 'a-detector': { enabled: 'yes' as never } }, /enabled/],
    [{ constructor: {} }, /constructor/],
  ])('refuses %j and says what is wrong', (settings, message) => {
    expect(() => configureDetectors(DETECTORS, settings)).toThrow(KmswatchError);
    expect(() => configureDetectors(DETECTORS, settings)).toThrow(message);
  });

  it('tells every problem at once', () => {
    expect(() => configureDetectors(DETECTORS, { 'a-detector': { days: 0 }, 'b-detector': { dayz: 1 } })).toThrow(
      /days[\s\S]*dayz|dayz[\s\S]*days/,
    );
  });
});

describe('detectorsConfigSchema', () => {
  it('gives the whole section its defaults', () => {
    expect(detectorsConfigSchema(DETECTORS).parse(undefined)).toEqual({
      'b-detector': { days: 30, enabled: true },
      'a-detector': { days: 30, enabled: true },
    });
  });

  it('can be told as JSON schema, for the reference', () => {
    const schema = z.toJSONSchema(detectorsConfigSchema(DETECTORS), { io: 'input' });
    expect(schema).toMatchObject({
      additionalProperties: false,
      properties: { 'a-detector': { additionalProperties: false, properties: { days: { default: 30 }, enabled: { default: true } } } },
    });
  });

  it('refuses detectors whose parameters could not be configured', () => {
    expect(() => detectorsConfigSchema([fake('x', [], z.string())])).toThrow(/object schema/);
    expect(() => detectorsConfigSchema([fake('x', [], z.strictObject({ enabled: z.boolean() }))])).toThrow(/"enabled" is taken/);
  });
});

describe('relevanceFilter', () => {
  it('lets through all of KMS and what enabled detectors name, nothing else', () => {
    const all = relevanceFilter(configureDetectors(DETECTORS));
    expect([all('kms', 'Anything'), all('cloudtrail', 'StopLogging'), all('rds', 'ModifyDBInstance')]).toEqual([true, true, true]);
    expect([all('cloudtrail', 'DescribeTrails'), all('s3', 'GetObject'), all('__proto__', 'x')]).toEqual([false, false, false]);
    const some = relevanceFilter(configureDetectors(DETECTORS, { 'b-detector': { enabled: false } }));
    expect([some('kms', 'Anything'), some('cloudtrail', 'StopLogging')]).toEqual([true, false]);
  });
});
