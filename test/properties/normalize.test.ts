import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Normalized } from '../../services/normalize/contract.ts';
import { normalize } from '../../services/normalize/normalize.ts';
import { control, everything, type Fields, KEY, keyResource, record } from '../unit/normalize/records.ts';

const BASES: readonly Fields[] = [
  record(),
  record({ eventName: 'ReEncrypt', requestParameters: { sourceKeyId: KEY, destinationKeyId: 'alias/a' } }),
  control('CreateGrant', {
    requestParameters: { keyId: KEY, operations: ['Decrypt'], constraints: { encryptionContextSubset: { a: 'b' } } },
  }),
  control('CreateKey', {
    requestParameters: { tags: [{ tagKey: 'a', tagValue: 'b' }] },
    responseElements: { keyMetadata: { arn: KEY, enabled: true } },
  }),
  control('PutEventSelectors', { eventSource: 'cloudtrail.amazonaws.com', requestParameters: { trailName: 't', eventSelectors: [{}] } }),
  { CloudTrailEvent: JSON.stringify(record()) },
  { 'detail-type': 'AWS API Call via CloudTrail', detail: record() },
];

const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'toString',
    '\u0000',
    '\ud800',
    '\udc00x',
    'arn:',
    `${KEY}\u0000`,
    '1e999',
    '...',
    'true',
    '-1',
    '🔑'.repeat(900),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: 1, max: 3000 }).map((length) => 'é'.repeat(length)),
);
const hostileValue = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, 2 ** 60, 1.5, [], {}, [[]], [null], { omitted: true }),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
);
/** Where to change a record (by picking among its fields at each level), and to what. */
const mutation = fc.record({
  path: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
  value: hostileValue,
  rename: fc.option(hostileText, { freq: 8 }),
});

describe('normalize', () => {
  test.prop([fc.constantFrom(...BASES), fc.array(mutation, { minLength: 1, maxLength: 5 })], { numRuns: 3000 })(
    'gives an event that can be stored, or a reason, for every mutated record',
    (base, mutations) => {
      const changed = structuredClone(base);
      for (const one of mutations) mutate(changed, one);
      expectSound(normalize(Buffer.from(JSON.stringify(changed)), everything));
    },
  );

  test.prop([fc.constantFrom(...BASES), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 })], { numRuns: 1000 })(
    'gives an event that can be stored, or a reason, for every damaged byte string',
    (base, damages) => {
      const bytes = Buffer.from(JSON.stringify(base));
      for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
      expectSound(normalize(bytes, everything));
    },
  );

  test.prop([fc.uint8Array({ maxLength: 200 })])('never throws on arbitrary bytes', (bytes) => {
    expectSound(normalize(bytes, everything));
  });

  it('gives the same essence whatever the order of members', () => {
    const essence = (requestParameters: unknown): string | null => {
      const normalized = normalize(Buffer.from(JSON.stringify(record({ requestParameters }))), everything);
      return normalized.outcome === 'ok' ? normalized.event.essence : null;
    };
    const holds = fc.property(fc.jsonValue(), (request) => essence(reversed(request)) === essence(request) && essence(request) !== null);
    fc.assert(holds, { numRuns: 300 });
    expect(essence({ a: 1, b: 2 })).not.toBe(essence({ a: 2, b: 1 }));
  });

  it.each<[string, string]>([
    ['many members', big((index) => `"k${index}":"v"`)],
    ['members in falling order', big((index) => `"${String(100_000 - index).padStart(6, '0')}":1`)],
    ['one long text', JSON.stringify(record({ requestParameters: { encryptionContext: { a: 'x'.repeat(250_000) } } }))],
    [
      'many pairs of encryption context',
      JSON.stringify(record({ requestParameters: 'HERE' })).replace(
        '"HERE"',
        `{"encryptionContext":${bigObject((index) => `"k${index}":"v"`)}}`,
      ),
    ],
    ['many resources', JSON.stringify(record({ resources: Array.from({ length: 1500 }, () => keyResource(`${KEY}x`)) }))],
    [
      'many tags',
      JSON.stringify(
        control('TagResource', {
          requestParameters: { tags: Array.from({ length: 7500 }, (_, index) => ({ tagKey: `${index}`, tagValue: 'v' })) },
        }),
      ),
    ],
    [
      'a message full of almost-ARNs',
      JSON.stringify(
        record({ resources: [], requestParameters: null, errorCode: 'AccessDenied', errorMessage: 'arn:aws:kms:eu:1:key'.repeat(12_000) }),
      ),
    ],
    ['a date of blanks', JSON.stringify(record({ eventTime: ' '.repeat(250_000) }))],
    ['a user agent of slashes', JSON.stringify(record({ userAgent: 'a/ '.repeat(80_000) }))],
    ['10,000 levels of objects', deep('{"a":', '1', '}')],
    ['10,000 levels of arrays', deep('[', '1', ']')],
    [
      'a number of 100,000 digits',
      JSON.stringify(record({ requestParameters: 'HERE' })).replace('"HERE"', `{"numberOfBytes":${'9'.repeat(100_000)}}`),
    ],
    ['escapes of surrogates', JSON.stringify(record({ errorMessage: 'HERE' })).replace('HERE', '\\ud800'.repeat(40_000))],
  ])('takes less than 50 ms for up to 256 KB: %s', (_name, text) => {
    const bytes = Buffer.from(text);
    expect(bytes.length).toBeLessThanOrEqual(262_144);
    let best = Number.POSITIVE_INFINITY;
    // Processor time, and the best of some rounds, so that what else runs on the machine does not decide.
    for (let round = 0; round < 20 && best >= 50; round++) {
      const before = process.cpuUsage();
      expectSound(normalize(bytes, everything));
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1000);
    }
    expect(best).toBeLessThan(50);
  });
});

/** Storable: no text that Postgres refuses, none that an index cannot hold, numbers that are numbers, and no changed prototype. */
function expectSound(normalized: Normalized): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  if (normalized.outcome !== 'ok') return;
  const { event } = normalized;
  expect(event.essence).toMatch(/^[0-9a-f]{16}$/);
  expect(event.eventId).not.toBe('');
  expect(Number.isSafeInteger(event.eventTime)).toBe(true);
  for (const indexed of [
    event.operation,
    event.service,
    event.actor.id,
    event.key?.arn,
    event.otherKey?.arn,
    event.session.name,
    event.encryptionContext?.shape,
  ]) {
    expect(Buffer.byteLength(indexed ?? '')).toBeLessThanOrEqual(2400);
  }
  expectStorable(event);
}

function expectStorable(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\u0000') || !value.isWellFormed()) throw new Error(`not storable: ${JSON.stringify(value)}`);
    if (value.length > 131_072) throw new Error(`${value.length} characters are too many`);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error('a number that is none');
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      expectStorable(name);
      expectStorable(member);
    }
  } else if (typeof value !== 'boolean' && value !== undefined && value !== null) {
    throw new Error(`a ${typeof value}`);
  }
}

function mutate(root: Fields, { path, value, rename }: { path: number[]; value: unknown; rename: string | null }): void {
  let at: Record<string, unknown> = root;
  for (const [level, pick] of path.entries()) {
    const names = Object.keys(at);
    const name = names[pick % Math.max(1, names.length)] ?? 'added';
    const next = at[name];
    if (level < path.length - 1 && typeof next === 'object' && next !== null) {
      at = next as Record<string, unknown>;
      continue;
    }
    Object.defineProperty(at, rename ?? name, { value: structuredClone(value), enumerable: true, configurable: true, writable: true });
    return;
  }
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([name, member]) => [name, reversed(member)]));
}

function bigObject(member: (index: number) => string): string {
  const members: string[] = [];
  let size = 0;
  for (let index = 0; size < 250_000; index++) {
    const text = member(index);
    size += text.length + 1;
    members.push(text);
  }
  return `{${members.join(',')}}`;
}

function big(member: (index: number) => string): string {
  return JSON.stringify(record({ requestParameters: 'HERE' })).replace('"HERE"', bigObject(member));
}

function deep(open: string, inner: string, close: string): string {
  return JSON.stringify(record({ requestParameters: 'HERE' })).replace('"HERE"', open.repeat(10_000) + inner + close.repeat(10_000));
}
