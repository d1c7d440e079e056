import { describe, expect, it } from 'vitest';
import { eventOf, record, run } from './records.ts';

function contextOf(requestParameters: unknown): ReturnType<typeof eventOf>['encryptionContext'] {
  return eventOf(record({ requestParameters })).encryptionContext;
}

describe('encryptionContextOf', () => {
  it('has the sorted keys as its shape', () => {
    expect(contextOf({ encryptionContext: { SecretVersionId: 'v', SecretARN: 'a' } })).toEqual({
      shape: 'SecretARN,SecretVersionId',
      values: { SecretARN: 'a', SecretVersionId: 'v' },
    });
  });

  it("is the source's for ReEncrypt", () => {
    const request = { sourceEncryptionContext: { from: '1' }, destinationEncryptionContext: { to: '2' } };
    expect(eventOf(record({ eventName: 'ReEncrypt', requestParameters: request })).encryptionContext?.shape).toBe('from');
  });

  it.each([[null], [{}], [{ encryptionContext: null }], [{ encryptionContext: {} }]])('is null for %j', (request) => {
    expect(contextOf(request)).toBeNull();
  });

  it('loses what is no text, and keeps the rest', () => {
    const event = eventOf(record({ requestParameters: { encryptionContext: { a: 1, b: 'x', c: null, d: {} } } }));
    expect(event.encryptionContext).toEqual({ shape: 'b', values: { b: 'x' } });
    expect(event.lostFields).toEqual(['requestParameters.encryptionContext[]']);
    expect(eventOf(record({ requestParameters: { encryptionContext: 'x' } })).lostFields).toEqual(['requestParameters.encryptionContext']);
  });

  it('treats `__proto__` as a key like others and leaves every prototype alone', () => {
    for (const pairs of ['"__proto__":"p"', '"__proto__":"p","a":"1"', '"__proto__":{"polluted":"yes"},"a":"1"']) {
      const text = JSON.stringify(record({ requestParameters: 'HERE' })).replace('"HERE"', `{"encryptionContext":{${pairs}}}`);
      const normalized = run(text);
      expect(normalized.outcome).toBe('ok');
      expect(({} as { polluted?: string }).polluted).toBeUndefined();
    }
    const text = JSON.stringify(record({ requestParameters: 'HERE' })).replace('"HERE"', '{"encryptionContext":{"__proto__":"p","a":"1"}}');
    const context = eventOf(text).encryptionContext;
    expect(context?.shape).toBe('__proto__,a');
    expect(JSON.stringify(context?.values)).toBe('{"__proto__":"p","a":"1"}');
  });

  it('is bounded in pairs and lengths', () => {
    const pairs = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`key-${String(index).padStart(4, '0')}`, 'v'.repeat(2000)]),
    );
    const context = contextOf({ encryptionContext: pairs });
    expect(Object.keys(context?.values ?? {})).toHaveLength(64);
    expect(context?.values['key-0000']).toHaveLength(1024);
    expect(context?.shape.length).toBeLessThanOrEqual(800);
  });
});
