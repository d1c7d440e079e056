import { describe, expect, test } from 'vitest';
import { kmsLogging } from '../../../services/detectors/event-selectors.ts';

const KMS = 'kms.amazonaws.com';
const basic = (...eventSelectors: readonly Record<string, unknown>[]) => kmsLogging({ eventSelectors: eventSelectors as never });
const field = (name: string, conditions: object) => ({ field: name, ...conditions });
const advanced = (...selectors: readonly (readonly object[])[]) =>
  kmsLogging({ advancedEventSelectors: selectors.map((fieldSelectors) => ({ name: 's', fieldSelectors })) as never });
const MANAGEMENT = field('eventCategory', { equals: ['Management'] });
const NO_KMS = field('eventSource', { notEquals: [KMS] });

const BOTH = ['read', 'write'];

describe('basic selectors', () => {
  test('an exclusion of KMS keeps both kinds of events out', () => {
    expect(basic({ readWriteType: 'All', includeManagementEvents: true, excludeManagementEventSources: [KMS] })).toEqual({
      admitted: [],
      excluded: BOTH,
      by: 'excludeManagementEventSources',
    });
  });

  test('names and values are read in any case', () => {
    expect(basic({ ReadWriteType: 'ReadOnly', ExcludeManagementEventSources: ['KMS.amazonaws.com'] })?.excluded).toEqual(['read']);
  });

  test('an exclusion of something else, or of nothing, keeps KMS in', () => {
    expect(basic({ excludeManagementEventSources: ['rdsdata.amazonaws.com'] })).toEqual({ admitted: BOTH, excluded: [], by: null });
    expect(basic({ excludeManagementEventSources: [] })?.admitted).toEqual(BOTH);
  });

  test('what one selector keeps out another may let in', () => {
    const without = { readWriteType: 'All', excludeManagementEventSources: [KMS] };
    expect(basic(without, { readWriteType: 'All' })?.excluded).toEqual([]);
    expect(basic(without, { readWriteType: 'WriteOnly' })).toEqual({
      admitted: ['write'],
      excluded: ['read'],
      by: 'excludeManagementEventSources',
    });
  });

  test('an exclusion in a selector that takes no management events excludes nothing by itself', () => {
    expect(basic({ includeManagementEvents: false, excludeManagementEventSources: [KMS] })).toEqual({
      admitted: [],
      excluded: [],
      by: null,
    });
  });
});

describe('advanced selectors', () => {
  test('management events without KMS', () => {
    expect(advanced([MANAGEMENT, NO_KMS])).toEqual({ admitted: [], excluded: BOTH, by: 'advancedEventSelectors' });
  });

  test('management events of named services, KMS not among them', () => {
    expect(advanced([MANAGEMENT, field('eventSource', { equals: ['s3.amazonaws.com'] })])?.excluded).toEqual(BOTH);
    expect(advanced([MANAGEMENT, field('eventSource', { equals: ['s3.amazonaws.com', KMS] })])?.excluded).toEqual([]);
  });

  test('by beginning and end of the source', () => {
    expect(advanced([MANAGEMENT, field('eventSource', { notStartsWith: ['kms'] })])?.excluded).toEqual(BOTH);
    expect(advanced([MANAGEMENT, field('eventSource', { endsWith: ['.amazonaws.com'] })])?.admitted).toEqual(BOTH);
  });

  test('empty lists of operators, as CloudTrail writes them out, mean nothing', () => {
    const written = { equals: [], startsWith: [], endsWith: [], notEquals: [KMS], notStartsWith: [], notEndsWith: [] };
    expect(advanced([MANAGEMENT, field('eventSource', written)])?.excluded).toEqual(BOTH);
  });

  test('only the reading half', () => {
    const reads = field('readOnly', { equals: ['true'] });
    const writes = field('readOnly', { equals: ['false'] });
    expect(advanced([MANAGEMENT, reads, NO_KMS], [MANAGEMENT, writes])).toMatchObject({ admitted: ['write'], excluded: ['read'] });
  });

  test('a condition on data events says nothing about management events', () => {
    const data = [field('eventCategory', { equals: ['Data'] }), field('eventSource', { notEquals: [KMS] })];
    expect(advanced([MANAGEMENT], data)).toEqual({ admitted: BOTH, excluded: [], by: null });
  });
});

test('a record that holds no selectors tells nothing', () => {
  expect(kmsLogging(null)).toBeNull();
  expect(kmsLogging({ eventSelectors: [] })).toBeNull();
});

test('selectors of wrong types are no exclusion and no error', () => {
  expect(basic({ excludeManagementEventSources: 7, readWriteType: {} })).toMatchObject({ excluded: [] });
  expect(kmsLogging({ advancedEventSelectors: [{ fieldSelectors: [null, 3, []] as never }] })).toMatchObject({ excluded: [] });
});
