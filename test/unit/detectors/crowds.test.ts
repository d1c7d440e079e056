import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crowdsOf } from '../../../services/detectors/crowds.ts';

interface Happening {
  readonly eventTime: number;
  readonly to: string;
}

const happenings = (...pairs: readonly (readonly [number, string])[]): Happening[] => pairs.map(([eventTime, to]) => ({ eventTime, to }));
const crowds = (events: readonly Happening[], windowMs = 10, minimum = 3) => crowdsOf(events, { windowMs, minimum, thing: ({ to }) => to });

describe('crowds', () => {
  test('take as many different things as asked for, within the window, its ends included', () => {
    expect(crowds(happenings([0, 'a'], [5, 'b'], [10, 'c'])).map(({ events, peak }) => [events.length, peak])).toEqual([[3, 3]]);
    expect(crowds(happenings([0, 'a'], [5, 'b'], [11, 'c']))).toEqual([]);
    expect(crowds(happenings([0, 'a'], [1, 'b'], [2, 'a'], [3, 'b']))).toEqual([]);
  });

  test('that overlap are one; apart, they are two', () => {
    const chain = happenings([0, 'a'], [5, 'b'], [10, 'c'], [15, 'd'], [18, 'e']);
    expect(crowds(chain)).toEqual([{ events: chain, peak: 3 }]);
    const [first, second] = [happenings([0, 'a'], [1, 'b'], [2, 'c']), happenings([100, 'a'], [101, 'b'], [102, 'c'], [103, 'd'])];
    expect(crowds([...first, ...second])).toEqual([
      { events: first, peak: 3 },
      { events: second, peak: 4 },
    ]);
  });

  test('hold every event that any window with enough things holds, and no other', () => {
    const drawn = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.constantFrom('a', 'b', 'c', 'd')), { maxLength: 25 });
    fc.assert(
      fc.property(drawn, (pairs) => {
        const events = happenings(...pairs).toSorted((a, b) => a.eventTime - b.eventTime);
        const within = events.filter((event) =>
          events.some((end) => {
            const window = events.filter(({ eventTime }) => eventTime <= end.eventTime && eventTime >= end.eventTime - 10);
            return window.includes(event) && new Set(window.map(({ to }) => to)).size >= 3;
          }),
        );
        expect(new Set(crowds(events).flatMap((crowd) => crowd.events))).toEqual(new Set(within));
      }),
    );
  });
});
