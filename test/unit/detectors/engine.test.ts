import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { KmsEvent } from '../../../services/core/event.ts';
import { findingId } from '../../../services/core/finding.ts';
import { configureDetectors, type DetectorSettings } from '../../../services/detectors/configure.ts';
import {
  type Channel,
  type Detector,
  defineAbsenceDetector,
  defineEventDetector,
  defineStateDetector,
  defineWindowDetector,
  type EventDetector,
  type Match,
  type Subject,
} from '../../../services/detectors/contract.ts';
import { deriveFindings } from '../../../services/detectors/engine.ts';
import { subjectsOf } from '../../../services/detectors/subjects.ts';
import { ADMIN, ALIAS, KEY, OTHER_KEY, ROOT, tell } from '../keys/fabricate.ts';

const ORGANIZATION = { ownAccounts: new Set<string>(), logKeys: new Set<string>() };
const ABOUT = {
  title: 'It is the case',
  severity: 'medium',
  status: 'test',
  family: 'deletion',
  techniques: [],
  blindSpots: [],
  falsePositives: [],
} as const;
const NO_PARAMS = z.strictObject({});

function match(at: number, evidence: readonly string[], more: Partial<Match> = {}): Match {
  return { at, evidence, explanation: { what: 'w', why: 'y', benign: 'b', now: ['n'] }, details: {}, ...more };
}

const FAKE = { ...ABOUT, kind: 'event', params: NO_PARAMS } as const;

type KeyDetector = EventDetector<Record<string, never>, 'key'>;

const disabled: KeyDetector = defineEventDetector({
  ...ABOUT,
  id: 'fake-disabled',
  kind: 'event',
  subject: 'key',
  events: ['kms:DisableKey'],
  params: NO_PARAMS,
  dedupKey: (_, subject) => [subject.arn],
  evaluate: ({ event }) => match(event.eventTime, [event.eventId]),
  mends: ({ event }) => (event.operation === 'EnableKey' ? 'Enabled again.' : null),
});

function run(
  events: readonly KmsEvent[],
  detectors: readonly Detector[],
  options: { kind?: Subject['kind']; settings?: Record<string, DetectorSettings>; coverage?: readonly Channel[]; asOf?: number } = {},
) {
  const subject = subjectsOf(events, ORGANIZATION).find(({ kind }) => kind === (options.kind ?? 'key'));
  if (!subject) throw new Error('no such subject');
  const { asOf = 10_000, coverage } = options;
  return deriveFindings(subject, configureDetectors(detectors, options.settings), {
    asOf,
    organization: ORGANIZATION,
    now: () => 0,
    coverage,
  });
}

function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return items[0] as T;
}

describe('event detectors', () => {
  it('one match is one open finding, told by its event', () => {
    const event = tell('DisableKey', { at: 1000 });
    expect(run([event], [disabled])).toEqual({
      findings: [
        {
          id: findingId('fake-disabled', [KEY]),
          detector: 'fake-disabled',
          dedupKey: [KEY],
          severity: 'medium',
          title: 'It is the case',
          open: true,
          resolvedAt: null,
          resolution: null,
          keyArn: KEY,
          actor: ADMIN.id,
          account: '111122223333',
          region: 'eu-west-1',
          firstSeen: 1000,
          lastSeen: 1000,
          occurrences: 1,
          evidence: [event.eventId],
          explanation: { what: 'w', why: 'y', benign: 'b', now: ['n'] },
          details: {},
        },
      ],
      failures: [],
      evaluations: [{ detector: 'fake-disabled', matches: 1, milliseconds: 0 }],
    });
  });

  it('a mend resolves, a recurrence re-opens the same finding, and everything is counted', () => {
    const [off, on, again] = [tell('DisableKey', { at: 1000 }), tell('EnableKey', { at: 2000 }), tell('DisableKey', { at: 3000 })];
    expect(only(run([off, on], [disabled]).findings)).toMatchObject({ open: false, resolvedAt: 2000, resolution: 'Enabled again.' });
    const reopened = only(run([again, on, off], [disabled]).findings);
    expect(reopened).toMatchObject({ open: true, resolvedAt: null, resolution: null, occurrences: 2, firstSeen: 1000, lastSeen: 3000 });
    expect(reopened.evidence).toEqual([off.eventId, again.eventId]);
    expect(only(run([tell('DisableKey', { at: 4000 }), again, on, off], [disabled]).findings).occurrences).toBe(3);
  });

  it('neither a mend before the match nor a failed mend resolves', () => {
    const off = tell('DisableKey', { at: 1000 });
    expect(only(run([tell('EnableKey', { at: 500 }), off], [disabled]).findings).open).toBe(true);
    expect(only(run([off, tell('EnableKey', { at: 2000, outcome: 'denied' })], [disabled]).findings).open).toBe(true);
  });

  it('an event that mends an open case is not judged itself, with nothing open it is', () => {
    const moved: Detector = { ...disabled, id: 'fake-moved', events: ['kms:DisableKey', 'kms:EnableKey'] };
    expect(only(run([tell('DisableKey', { at: 1 }), tell('EnableKey', { at: 2 })], [moved]).findings)).toMatchObject({
      open: false,
      occurrences: 1,
    });
    expect(only(run([tell('EnableKey', { at: 2 })], [moved]).findings)).toMatchObject({ open: true, occurrences: 1 });
  });

  it.each([
    [undefined, 1],
    ['success', 1],
    ['failure', 2],
    ['any', 3],
  ] as const)('with outcome %s judges %i of one successful and two failed calls', (outcome, occurrences) => {
    const detector: Detector = { ...disabled, ...(outcome && { outcome }) };
    const events = [
      tell('DisableKey', { at: 1 }),
      tell('DisableKey', { at: 2, outcome: 'denied' }),
      tell('DisableKey', { at: 3, outcome: 'dry-run' }),
    ];
    expect(only(run(events, [detector]).findings).occurrences).toBe(occurrences);
  });

  it('severity is the worst since the last mend; the words are of the latest match', () => {
    const graded: KeyDetector = {
      ...disabled,
      evaluate: ({ event }) =>
        match(event.eventTime, [event.eventId], { severity: event.detail?.description as 'low', title: `at ${event.eventTime}` }),
    };
    const off = (at: number, description: string) => tell('DisableKey', { at, detail: { description } });
    const on = tell('EnableKey', { at: 50 });
    expect(only(run([off(10, 'critical'), off(20, 'low')], [graded]).findings)).toMatchObject({ severity: 'critical', title: 'at 20' });
    expect(only(run([off(10, 'critical'), on, off(60, 'low'), off(70, 'info')], [graded]).findings)).toMatchObject({
      severity: 'low',
      title: 'at 70',
    });
    expect(only(run([off(10, 'critical'), off(20, 'low'), on], [graded]).findings)).toMatchObject({ severity: 'critical', open: false });
  });

  it('dedup keys keep cases apart, and a mend closes its own only', () => {
    const byTag: KeyDetector = {
      ...disabled,
      events: ['kms:TagResource'],
      dedupKey: (event) => [event.detail?.description ?? ''],
      mends: ({ event }) => (event.operation === 'UntagResource' ? 'gone' : null),
    };
    const tag = (operation: string, at: number, description: string) => tell(operation, { at, detail: { description } });
    const { findings } = run([tag('TagResource', 1, 'a'), tag('TagResource', 2, 'b'), tag('UntagResource', 3, 'b')], [byTag]);
    expect(findings.map(({ dedupKey, open }) => [dedupKey[0], open])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });

  it('the moment of judging can escalate and conclude what is open, not what is mended', () => {
    const standing: KeyDetector = {
      ...disabled,
      standing: (latest, _, { asOf }) =>
        asOf > 5000
          ? {
              ...latest,
              severity: 'critical',
              title: 'Now it is urgent',
              ...(asOf > 9000 && { resolved: { at: 9000, reason: 'It is over.' } }),
            }
          : latest,
    };
    const off = tell('DisableKey', { at: 1000 });
    expect(only(run([off], [standing], { asOf: 4000 }).findings)).toMatchObject({ severity: 'medium', open: true });
    expect(only(run([off], [standing], { asOf: 6000 }).findings)).toMatchObject({
      severity: 'critical',
      title: 'Now it is urgent',
      occurrences: 1,
    });
    expect(only(run([off], [standing], { asOf: 9500 }).findings)).toMatchObject({
      open: false,
      resolvedAt: 9000,
      resolution: 'It is over.',
    });
    expect(only(run([off, tell('EnableKey', { at: 2000 })], [standing], { asOf: 9500 }).findings)).toMatchObject({
      severity: 'medium',
      resolvedAt: 2000,
      resolution: 'Enabled again.',
    });
  });

  it('keeps the first ten and the last ten events as evidence, and counts all', () => {
    const events = Array.from({ length: 50 }, (_, i) => tell('DisableKey', { at: i }));
    const { evidence, occurrences } = only(run(events, [disabled]).findings);
    expect(occurrences).toBe(50);
    expect(evidence).toEqual([...events.slice(0, 10), ...events.slice(-10)].map(({ eventId }) => eventId));
  });

  it('looks only at the events that it names, and at no mend while nothing is open', () => {
    const seen: string[] = [];
    const watched: KeyDetector = {
      ...disabled,
      evaluate: ({ event }) => {
        seen.push(`evaluate ${event.operation} ${event.eventTime}`);
        return match(event.eventTime, []);
      },
      mends: ({ event }) => {
        seen.push(`mends ${event.operation} ${event.eventTime}`);
        return event.operation === 'EnableKey' ? 'x' : null;
      },
    };
    run(
      ['TagResource', 'DisableKey', 'DisableKey', 'EnableKey', 'TagResource', 'DisableKey'].map((operation, at) => tell(operation, { at })),
      [watched],
    );
    expect(seen).toEqual([
      'evaluate DisableKey 1',
      'mends DisableKey 2',
      'evaluate DisableKey 2',
      'mends EnableKey 3',
      'evaluate DisableKey 5',
    ]);
  });

  it('understands a whole service as event, named once or more', () => {
    const all: Detector = { ...disabled, events: ['kms:*', 'kms:DisableKey'], mends: undefined };
    expect(only(run([tell('DisableKey', { at: 1 }), tell('TagResource', { at: 2 })], [all]).findings).occurrences).toBe(2);
  });

  it('files findings of aliases under the key it points to, and of accounts under the event', () => {
    const repointed = defineEventDetector({
      ...FAKE,
      id: 'fake-alias',
      subject: 'alias',
      events: ['kms:UpdateAlias', 'kms:DeleteAlias'],
      evaluate: ({ event }) => match(event.eventTime, [event.eventId]),
      dedupKey: (_, subject) => [subject.arn],
    });
    const moves = [tell('CreateAlias', { at: 1, otherKey: ALIAS }), tell('UpdateAlias', { at: 2, key: OTHER_KEY, otherKey: ALIAS })];
    expect(only(run(moves, [repointed], { kind: 'alias' }).findings)).toMatchObject({
      keyArn: OTHER_KEY,
      occurrences: 1,
      region: 'eu-west-1',
    });
    const deleted = tell('DeleteAlias', { at: 3, key: null, otherKey: ALIAS });
    expect(only(run([...moves, deleted], [repointed], { kind: 'alias' }).findings)).toMatchObject({ keyArn: OTHER_KEY, occurrences: 2 });

    const stopped = defineEventDetector({
      ...FAKE,
      id: 'fake-stopped',
      subject: 'account',
      events: ['cloudtrail:StopLogging'],
      evaluate: ({ event }) => match(event.eventTime, [event.eventId]),
      dedupKey: (event) => [event.region],
    });
    const stop = tell('StopLogging', { at: 5, service: 'cloudtrail', key: null, region: 'us-east-2', actor: ROOT });
    expect(only(run([stop], [stopped], { kind: 'account' }).findings)).toMatchObject({
      keyArn: null,
      account: '111122223333',
      region: 'us-east-2',
      actor: ROOT.id,
    });
  });
});

describe('the other kinds', () => {
  const off = tell('DisableKey', { at: 1000 });

  it('a state detector judges as of the moment, with the facts of all events', () => {
    const still = defineStateDetector({
      ...ABOUT,
      id: 'fake-still-disabled',
      kind: 'state',
      subject: 'key',
      events: ['kms:DisableKey'],
      params: z.strictObject({ patienceMs: z.number().default(100) }),
      dedupKey: (subject) => [subject.arn],
      evaluate: ({ facts }, { asOf, params, stateOf }) =>
        stateOf(facts) === 'Disabled' && asOf - (facts.enabled?.at ?? asOf) > params.patienceMs
          ? match(facts.enabled?.at ?? 0, [], { until: asOf })
          : null,
    });
    expect(only(run([off], [still], { asOf: 1101 }).findings)).toMatchObject({
      firstSeen: 1000,
      lastSeen: 1101,
      actor: null,
      keyArn: KEY,
      open: true,
    });
    expect(run([off], [still], { asOf: 1100 }).findings).toEqual([]);
    expect(run([off], [still], { asOf: 1101, settings: { 'fake-still-disabled': { patienceMs: 5000 } } }).findings).toEqual([]);
    expect(run([off, tell('EnableKey', { at: 1050 })], [still], { asOf: 5000 }).findings).toEqual([]);
  });

  it('window and baseline detectors give many matches, put together by dedup key in order of time', () => {
    const burst = defineWindowDetector({
      ...ABOUT,
      id: 'fake-burst',
      kind: 'window',
      subject: 'actor',
      events: ['kms:*'],
      params: NO_PARAMS,
      evaluate: ({ denied }) => [
        { ...match(300, ['c'], { until: 310, occurrences: 7, severity: 'low' }), dedupKey: ['one'], keyArn: KEY, region: 'eu-west-1' },
        {
          ...match(100, ['a'], { until: 110, occurrences: 5, severity: 'critical', resolved: { at: 200, reason: 'It stopped.' } }),
          dedupKey: ['one'],
        },
        { ...match(50, [], { occurrences: denied.length, resolved: { at: 60, reason: 'over' } }), dedupKey: ['two'] },
      ],
    });
    const baseline: Detector = { ...burst, id: 'fake-habit', kind: 'baseline' };
    const { findings } = run([tell('Decrypt', { at: 1, outcome: 'denied' })], [burst, baseline], { kind: 'actor' });
    expect(findings.map(({ detector, dedupKey }) => [detector, dedupKey[0]])).toEqual([
      ['fake-burst', 'one'],
      ['fake-burst', 'two'],
      ['fake-habit', 'one'],
      ['fake-habit', 'two'],
    ]);
    expect(findings[0]).toMatchObject({
      open: true,
      occurrences: 12,
      firstSeen: 100,
      lastSeen: 310,
      severity: 'low',
      evidence: ['a', 'c'],
      keyArn: KEY,
      region: 'eu-west-1',
      actor: ADMIN.id,
      account: '111122223333',
    });
    expect(findings[1]).toMatchObject({ open: false, resolvedAt: 60, resolution: 'over', occurrences: 1 });
  });

  it('an absence detector judges the coverage of its account, and nothing where coverage is not known', () => {
    const silent = defineAbsenceDetector({
      ...ABOUT,
      id: 'fake-silent',
      kind: 'absence',
      subject: 'account',
      events: ['kms:*'],
      params: NO_PARAMS,
      evaluate: (coverage, { asOf }) => [
        { ...match(asOf, [], { occurrences: coverage.length }), dedupKey: ['trail'], account: '111122223333', region: 'eu-west-1' },
      ],
    });
    const trail = tell('StartLogging', { at: 1, service: 'cloudtrail', key: null });
    const channel = { region: 'eu-west-1', source: 's3-trail', heard: [0], listened: [0], missing: [], lastEventId: null };
    const coverage = [
      { ...channel, account: '111122223333' },
      { ...channel, account: '444455556666' },
    ];
    expect(only(run([trail], [silent], { kind: 'account', coverage }).findings)).toMatchObject({
      occurrences: 1,
      region: 'eu-west-1',
      open: true,
    });
    expect(run([trail], [silent], { kind: 'account' }).findings).toEqual([]);
  });
});

describe('safety', () => {
  const off = tell('DisableKey', { at: 1000 });

  it.each(['evaluate', 'dedupKey', 'mends', 'standing'] as const)(
    'a detector that throws in %s loses its findings, and nobody else does',
    (place) => {
      const broken: Detector = {
        ...disabled,
        id: 'fake-broken',
        [place]: () => {
          throw new Error('no such\nthing\u0000');
        },
      };
      const { findings, failures, evaluations } = run(
        [off, tell('EnableKey', { at: 2000 }), tell('DisableKey', { at: 3000 })],
        [broken, disabled],
      );
      expect(failures).toEqual([{ detector: 'fake-broken', message: 'Error: no such thing ' }]);
      expect(only(findings).detector).toBe('fake-disabled');
      expect(evaluations.map(({ detector }) => detector)).toEqual(['fake-broken', 'fake-disabled']);
    },
  );

  it('names from records cannot bring control characters, direction marks, NUL or broken text into a finding', () => {
    const hostile = 'a\u001b[31m\u0000\u202Eb\ud800';
    const naive: KeyDetector = {
      ...disabled,
      dedupKey: () => [hostile],
      evaluate: ({ event }) =>
        match(event.eventTime, [event.eventId], {
          title: hostile,
          actor: hostile,
          details: { [hostile]: [hostile, { n: Number.NaN }] },
          explanation: { what: hostile, why: hostile, benign: hostile, now: [hostile] },
        }),
      mends: undefined,
    };
    const finding = only(run([off], [naive]).findings);
    const text = 'a [31m  b\ufffd';
    expect(finding).toMatchObject({ title: text, actor: text, dedupKey: [text], details: { [text]: [text, { n: null }] } });
    expect(finding.explanation).toEqual({ what: text, why: text, benign: text, now: [text] });
    expect(finding.id).toBe(findingId('fake-disabled', finding.dedupKey));
  });

  it('measures what each detector cost', () => {
    const subject = subjectsOf([off], ORGANIZATION)[0] as Subject;
    let clock = 0;
    const { evaluations } = deriveFindings(subject, configureDetectors([disabled]), {
      asOf: 1,
      organization: ORGANIZATION,
      now: () => (clock += 3),
    });
    expect(evaluations).toEqual([{ detector: 'fake-disabled', matches: 1, milliseconds: 3 }]);
  });
});
