import { z } from 'zod';
import { DAY, MINUTE } from '../../core/clock.ts';
import { learnedSince, settled } from '../baseline.ts';
import { type ActorSubject, type DailySpread, defineWindowDetector, type FailureHour } from '../contract.ts';
import { rowEvidence, rowSpan } from '../row-evidence.ts';
import { outlierOf } from '../statistics.ts';
import { actorFirst, argument, count, iso, keyId, listed, period, plain } from '../wording.ts';

interface Params {
  readonly keys: number;
  readonly minutes: number;
  readonly dryRunKeys: number;
  readonly minimumRead: number;
  readonly factor: number;
  readonly learningDays: number;
  readonly settlingDays: number;
}

/**
 * Who tries keys: refused, not found, or dry runs (`DryRunOperationException` = it would have succeeded;
 * https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html) on several keys within minutes; who, without having made
 * such calls before, dry-runs several keys or asks for several that are not there within a day; and who reads about far more keys on a day
 * than in the four weeks before.
 */
export default defineWindowDetector<Params, 'actor'>({
  id: 'key-probing',
  title: 'A caller tries which KMS keys it can use',
  severity: 'high',
  status: 'test',
  family: 'access',
  kind: 'window',
  subject: 'actor',
  events: ['kms:*'],
  params: z.strictObject({
    keys: z.int().min(2).default(5),
    minutes: z.int().min(1).max(60).default(10),
    dryRunKeys: z.int().min(2).default(4),
    minimumRead: z.int().min(3).default(15),
    factor: z.number().min(1).default(3),
    learningDays: z.int().min(7).max(365).default(14),
    settlingDays: z.int().min(1).max(365).default(14),
  }),
  techniques: ['T1580', 'T1526'],
  blindSpots: [
    'Of the refused calls of an hour the first and the last on each key and operation are known: a window full of calls in between can be missed.',
    'Denied calls that take longer than the minutes, dry runs that take longer than a day, or fewer keys.',
    'Reads about keys by a caller that is on record for less than the learning days.',
    "A call that is denied to a caller of another account is logged in the caller's account only.",
  ],
  falsePositives: [
    'A scanner or an inventory that runs for the first time.',
    'A program whose permissions were taken away while it used many keys.',
  ],

  evaluate(subject, { params, asOf }) {
    const tried = [...new Set([...triedOf(subject, params), ...slowlyTriedOf(subject, params)])];
    const read = readOf(subject, params);
    return [
      ...(tried.length === 0 ? [] : [triedMatch(subject, tried, { params, asOf })]),
      ...read.map((sweep) => readMatch(subject, sweep, { params, asOf })),
    ];
  },
});

/** Rows of refused calls with a moment inside a window that touches enough keys. */
function triedOf({ denied, probes = [] }: ActorSubject, { keys, minutes }: Params): FailureHour[] {
  return windowsOf([...denied, ...probes], { keys, span: minutes * MINUTE });
}

/** Denied calls come of many things; dry runs and keys that are not there hardly do, so that a caller to whom they are new may take a day. */
function slowlyTriedOf({ probes = [] }: ActorSubject, { dryRunKeys, learningDays }: Params): FailureHour[] {
  const [first] = probes.map(({ firstAt }) => firstAt).sort((a, b) => a - b);
  const settled = (first ?? 0) + learningDays * DAY;
  return windowsOf(
    probes.filter(({ firstAt }) => firstAt <= settled),
    { keys: dryRunKeys, span: DAY },
  );
}

function windowsOf(rows: readonly FailureHour[], { keys, span }: { keys: number; span: number }): FailureHour[] {
  const points = rows
    .filter(({ keyArn }) => keyArn !== null)
    .flatMap((row) => [...new Set([row.firstAt, row.lastAt])].map((at) => ({ at, row })))
    .sort((a, b) => a.at - b.at);
  const found = new Set<FailureHour>();
  let begin = 0;
  const inWindow = new Map<string, number>();
  for (const [end, { at, row }] of points.entries()) {
    inWindow.set(row.keyArn ?? '', (inWindow.get(row.keyArn ?? '') ?? 0) + 1);
    for (let first = points[begin]; first && first.at < at - span; first = points[++begin]) {
      const left = (inWindow.get(first.row.keyArn ?? '') ?? 1) - 1;
      if (left > 0) inWindow.set(first.row.keyArn ?? '', left);
      else inWindow.delete(first.row.keyArn ?? '');
    }
    if (inWindow.size >= keys) for (const point of points.slice(begin, end + 1)) found.add(point.row);
  }
  return [...found];
}

function triedMatch(subject: ActorSubject, rows: readonly FailureHour[], { params, asOf }: { params: Params; asOf: number }) {
  const { firstAt, lastAt } = rowSpan(rows);
  const keys = [...new Set(rows.map(({ keyArn }) => keyArn ?? ''))].sort();
  const calls = rows.reduce((total, row) => total + row.count, 0);
  const dryRuns = rows.filter(({ outcome }) => outcome === 'dry-run').reduce((total, row) => total + row.count, 0);
  const operations = [...new Set(rows.map(({ operation }) => operation))].sort();
  return {
    dedupKey: [subject.actor.id, 'tried'],
    keyArn: null,
    at: firstAt,
    until: lastAt,
    occurrences: calls,
    actor: subject.actor.id,
    region: keys[0]?.split(':')[3] ?? '',
    evidence: rowEvidence(rows),
    explanation: {
      what: `${actorFirst(subject.actor)} made ${count(calls, 'refused call')} on ${count(keys.length, 'different key')}, ${period(firstAt, lastAt)}: ${listed(operations)}. Among the keys: ${listed(keys.map(keyId), 5)}.`,
      why: `Observed: different keys within ${params.minutes} minutes that the caller was denied, did not find or only tried, or within a day that it only tried or did not find and never had before; expected: a program that was set up knows its keys.${dryRuns > 0 ? ` ${count(dryRuns, 'call')} of it would have succeeded and said so.` : ''}`,
      benign: 'A scanner or an inventory ran for the first time, or permissions were taken from a program that uses many keys.',
      now: [
        `Look at the calls: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(firstAt)} --end-time ${iso(lastAt + MINUTE)} --region ${argument(keys[0]?.split(':')[3] ?? '', 'REGION')}`,
        'See which calls of the same caller succeeded afterwards: those are the keys it found.',
        `Ask the owner of ${plain(subject.actor.name, 80)} whether this was a test.`,
        "If nobody knows it, take the caller's credentials out of use.",
      ],
    },
    details: {
      calls,
      key_count: keys.length,
      dry_runs: dryRuns,
      operations: operations.slice(0, 20).map((name) => plain(name, 64)),
      keys: keys.slice(0, 10).map((key) => plain(key, 256)),
      within_minutes: params.minutes,
    },
    ...settled(lastAt, asOf, { days: params.settlingDays, reason: `No such calls for ${params.settlingDays} days.` }),
  };
}

interface ReadSweep {
  readonly spread: DailySpread;
  readonly expected: { readonly median: number; readonly percentile95: number; readonly z: number };
}

function readOf({ spreads = [], presence = [], habits = [] }: ActorSubject, params: Params): ReadSweep[] {
  const read = spreads.filter(({ operationClass }) => operationClass === 'read');
  const counts = new Map(read.map((spread) => [spread.day, spread.count]));
  return read.flatMap((spread): ReadSweep[] => {
    const { day } = spread;
    if (spread.firstAt < learnedSince(habits, spread.firstAt, 90 * DAY) + params.learningDays * DAY) return [];
    const before = presence.flatMap((past) => (past.day < day && past.day >= day - 28 ? [counts.get(past.day) ?? 0] : []));
    const outlier = outlierOf(spread.count, before, { minimum: params.minimumRead, factor: params.factor });
    return outlier ? [{ spread, expected: outlier }] : [];
  });
}

function readMatch(subject: ActorSubject, { spread, expected }: ReadSweep, { params, asOf }: { params: Params; asOf: number }) {
  const { firstAt, lastAt, keys } = spread;
  return {
    dedupKey: [subject.actor.id, 'read', new Date(spread.day * DAY).toISOString().slice(0, 10)],
    keyArn: null,
    at: firstAt,
    until: lastAt,
    occurrences: spread.count,
    severity: 'medium' as const,
    title: 'A caller read about far more KMS keys than usual',
    actor: subject.actor.id,
    region: keys[0]?.split(':')[3] ?? '',
    evidence: spread.evidence,
    explanation: {
      what: `${actorFirst(subject.actor)} read descriptions, policies or grants of ${count(spread.count, 'different key')}, ${period(firstAt, lastAt)}. Among them: ${listed(keys.map(keyId), 5)}.`,
      why: `Observed: ${spread.count} keys on one day; expected from the four weeks before: median ${expected.median}, at most ${expected.percentile95} on 95 of 100 days with calls (modified z-score ${expected.z.toFixed(1)}).`,
      benign: 'A scanner, an audit or an inventory ran for the first time.',
      now: [
        `Ask the owner of ${plain(subject.actor.name, 80)} what it was for.`,
        `See what followed: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com --start-time ${iso(firstAt)} --end-time ${iso(firstAt + DAY)} --region ${argument(keys[0]?.split(':')[3] ?? '', 'REGION')}`,
        'If nobody knows it, look at what else the caller listed in other services, and where it called from.',
      ],
    },
    details: {
      keys_read: spread.count,
      keys_read_for_the_first_time: spread.fresh,
      expected_median: expected.median,
      expected_percentile_95: expected.percentile95,
      keys: keys.slice(0, 10).map((key) => plain(key, 256)),
    },
    ...settled(lastAt, asOf, { days: params.settlingDays, reason: `The day is ${params.settlingDays} days past.` }),
  };
}
