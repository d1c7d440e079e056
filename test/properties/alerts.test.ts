import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type Decision, type GroupState, type GroupView, NEW_GROUP } from '../../services/alerts/group.ts';
import { placementsOf, createRoute } from '../../services/alerts/route.ts';
import { timingOf, type Timing } from '../../services/alerts/timing.ts';

/** One alert of a group, and what was told of it. */
interface Member {
  rank: number;
  standing: 'open' | 'acknowledged' | 'resolved';
  since: number;
  told: 'firing' | 'resolved' | null;
  toldRank: number;
}

type Action =
  | { readonly kind: 'open'; readonly id: number; readonly rank: number }
  | { readonly kind: 'resolve' | 'acknowledge'; readonly id: number }
  | { readonly kind: 'pass'; readonly ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), id: fc.nat(3), rank: fc.nat(4) }),
  fc.record({ kind: fc.constantFrom('resolve' as const, 'acknowledge' as const), id: fc.nat(3) }),
  fc.record({
    kind: fc.constant('pass' as const),
    ms: fc.oneof(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 60_000, max: 8 * 3_600_000 })),
  }),
);
const actions = fc.array(action, { maxLength: 60 });
const timing: fc.Arbitrary<Partial<Timing>> = fc.oneof(
  fc.constant({}),
  fc.record({
    groupWait: fc.constantFrom(0, 10_000, 30_000),
    groupInterval: fc.constantFrom(0, 60_000, 300_000),
    repeatInterval: fc.constantFrom(600_000, 14_400_000),
  }),
);

interface Told {
  readonly at: number;
  readonly because: string;
  readonly firing: readonly number[];
  readonly over: readonly number[];
  readonly changes: number;
}

/** The alerts of one group, told as the grouping step would. */
class Run {
  now = 0;
  readonly told: Told[] = [];
  readonly members = new Map<number, Member>();
  #state: GroupState = NEW_GROUP;
  #wakeAt: number | null = null;
  readonly said: Partial<Timing>;
  readonly polls: boolean;

  constructor(said: Partial<Timing>, polls: boolean) {
    this.said = said;
    this.polls = polls;
  }

  do(step: Action): void {
    if (step.kind === 'pass') return this.pass(step.ms);
    const before = this.members.get(step.id);
    if (step.kind === 'open') {
      const isFresh = before?.standing !== 'open' || step.rank < before.rank;
      const kept = before ?? { told: null, toldRank: 9, since: this.now };
      this.members.set(step.id, {
        ...kept,
        rank: step.rank,
        standing: 'open',
        since: isFresh ? this.now : kept.since,
        told: before?.standing === 'resolved' && kept.told === 'resolved' ? null : kept.told,
      });
    } else if (before && before.standing !== 'resolved') {
      this.members.set(step.id, { ...before, standing: step.kind === 'resolve' ? 'resolved' : 'acknowledged' });
    }
    this.decide();
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const stops = [end, this.#wakeAt ?? end, this.polls ? this.now + Math.ceil(ms / 7) : end];
      this.now = Math.min(...stops.filter((stop) => stop > this.now), end);
      this.decide();
      if (this.now >= end) return;
    }
  }

  /** Decides what the group is, as often as anybody asks. */
  decide(): Decision {
    const view = this.view();
    const decision = decide(this.#state, view, {
      now: this.now,
      settings: { timing: (rank) => timingOf(this.said, rank), sendResolved: true, isEscalation: false },
    });
    this.#state = decision.state;
    this.#wakeAt = decision.wakeAt;
    if (decision.tell !== null) this.#tell(decision, view.news + view.over + view.missed);
    for (const [id, member] of this.members)
      if (member.standing === 'resolved' && (member.told === 'resolved' || (member.told === null && member.rank > 1)))
        this.members.delete(id);
    return decision;
  }

  view(): GroupView {
    const all = [...this.members.values()];
    const firing = all.filter(({ standing }) => standing === 'open');
    const news = firing.filter(({ told, rank, toldRank }) => told !== 'firing' || rank < toldRank);
    const missed = all.filter(({ standing, told, rank }) => standing === 'resolved' && told === null && rank <= 1);
    const least = (values: number[]): number | null => (values.length > 0 ? Math.min(...values) : null);
    return {
      firing: firing.length,
      topRank: least(firing.map(({ rank }) => rank)),
      news: news.length,
      newsRank: least(news.map(({ rank }) => rank)),
      newsSince: least(news.map(({ since }) => since)),
      over: all.filter(({ standing, told }) => standing === 'resolved' && told === 'firing').length,
      missed: missed.length,
      missedRank: least(missed.map(({ rank }) => rank)),
      unresolved: all.filter(({ standing }) => standing !== 'resolved').length,
      ripensAt: null,
    };
  }

  #tell({ because }: Decision, changes: number): void {
    const firing: number[] = [];
    const over: number[] = [];
    for (const [id, member] of this.members) {
      if (member.standing === 'open') firing.push(id);
      else if (member.standing === 'resolved') over.push(id);
      else continue;
      member.told = member.standing === 'open' ? 'firing' : 'resolved';
      member.toldRank = member.rank;
    }
    this.told.push({ at: this.now, because, firing, over, changes });
  }
}

const LONGEST = 24 * 3_600_000;

describe('whatever happens to the alerts of a group', () => {
  test('none is lost: in the end the receiver believes of every alert what is so', () => {
    fc.assert(
      fc.property(actions, timing, (steps, said) => {
        const run = new Run(said, false);
        for (const step of steps) run.do(step);
        run.pass(10 * 60_000);
        const view = run.view();
        expect([view.news, view.over, view.missed]).toEqual([0, 0, 0]);
        expect([...run.members.values()].filter(({ standing, told }) => standing === 'open' && told !== 'firing')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('a critical or high alert is told however short it was', () => {
    fc.assert(
      fc.property(actions, timing, fc.nat(1), (steps, said, rank) => {
        const run = new Run(said, false);
        for (const step of steps) run.do(step);
        run.do({ kind: 'open', id: 99, rank });
        run.do({ kind: 'resolve', id: 99 });
        run.pass(10 * 60_000);
        expect(run.told.some(({ firing, over }) => firing.includes(99) || over.includes(99))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('no change is told twice: every telling but a repetition has something new, and repetitions keep their distance', () => {
    fc.assert(
      fc.property(actions, timing, (steps, said) => {
        const run = new Run(said, true);
        for (const step of steps) run.do(step);
        run.pass(LONGEST);
        const least = Math.min(...[0, 1, 2, 3, 4].map((rank) => timingOf(said, rank).repeatInterval));
        const wrong = run.told.filter(({ because, changes, at }, n) =>
          because === 'repeat' ? changes > 0 || at - (run.told[n - 1]?.at ?? 0) < least : changes === 0,
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('how often anybody looks makes no difference', () => {
    fc.assert(
      fc.property(actions, timing, (steps, said) => {
        const [rare, often] = [new Run(said, false), new Run(said, true)];
        for (const step of steps) {
          rare.do(step);
          often.do(step);
          for (let times = 0; times < 3; times += 1) often.decide();
        }
        expect(often.told).toEqual(rare.told);
      }),
      { numRuns: 500 },
    );
  });
});

test('the same labels lead to the same groups, whatever their order', () => {
  const root = createRoute({ receiver: 'a', group_by: ['b', 'a', 'c'], routes: [] });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.string()), (labels) => {
      const turned = Object.fromEntries(Object.entries(labels).toReversed());
      expect(placementsOf(root, turned)).toEqual(placementsOf(root, labels));
    }),
  );
});
