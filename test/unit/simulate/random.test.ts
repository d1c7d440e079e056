import { describe, expect, it } from 'vitest';
import { Random } from '../../../services/simulate/random.ts';

const draw = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.next32());

describe('seeded random values', () => {
  it('are the same for the same seed, for ever', () => {
    expect(draw(new Random('larkspur'), 4)).toEqual(draw(new Random('larkspur'), 4));
    expect(draw(new Random('larkspur'), 3)).toMatchInlineSnapshot(`
      [
        891464341,
        4119448463,
        294259338,
      ]
    `);
  });

  it('differ for another seed and for another fork', () => {
    const streams = [new Random('a'), new Random('b'), new Random('a').fork('x'), new Random('a').fork('y')];
    expect(new Set(streams.map((stream) => stream.next32())).size).toBe(4);
  });

  it('leave a stream untouched when it is forked', () => {
    const [plain, forked] = [new Random('a'), new Random('a')];
    draw(forked.fork('x'), 10);
    expect(draw(forked, 5)).toEqual(draw(plain, 5));
  });

  it('fill [0, 1) evenly', () => {
    const random = new Random('even');
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let drawn = 0; drawn < 20_000; drawn += 1) {
      const value = random.float();
      const bucket = Math.floor(value * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(1_800);
    expect(Math.max(...buckets)).toBeLessThan(2_200);
  });

  it.each([0.3, 5, 80])('count Poisson events with the mean %d', (mean) => {
    const random = new Random('poisson');
    let sum = 0;
    for (let drawn = 0; drawn < 4_000; drawn += 1) sum += random.poisson(mean);
    expect(Math.abs(sum / 4_000 - mean)).toBeLessThan(4 * Math.sqrt(mean / 4_000));
  });

  it('keep to both ends of an integer range', () => {
    const random = new Random('ends');
    expect(new Set(Array.from({ length: 200 }, () => random.int(3, 5)))).toEqual(new Set([3, 4, 5]));
  });

  it('make version 4 UUIDs without repeating one', () => {
    const random = new Random('ids');
    const ids = Array.from({ length: 5_000 }, () => random.uuid());
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(5_000);
  });

  it('refuse to pick from nothing', () => {
    expect(() => new Random('a').pick([])).toThrow(RangeError);
  });
});
