import { describe, expect, it } from 'vitest';
import { TextCache } from '../../../services/normalize/cache.ts';

describe('TextCache', () => {
  it('never holds more than its capacity, and no long texts', () => {
    const cache = new TextCache<number>(10);
    for (let index = 0; index < 1000; index++) {
      cache.keep(`text ${index}`, index);
      expect(cache.size).toBeLessThanOrEqual(10);
    }
    cache.keep('x'.repeat(513), 1);
    expect(cache.get('x'.repeat(513))).toBeUndefined();
    expect(cache.get('text 999')).toBe(999);
  });
});
