import { z } from 'zod';
import { HOUR } from '../../core/clock.ts';
import type { StoredEvent } from '../../core/event.ts';
import type { Severity } from '../../core/severity.ts';
import { type AccountSubject, defineWindowDetector, type IntegrityVerdict } from '../contract.ts';
import { trailOf } from '../trail.ts';
import { argument, count, iso, listed, period, plain } from '../wording.ts';

interface Words {
  readonly severity: Severity;
  readonly title: string;
  /** What is so of `n` of them. */
  readonly what: (n: number) => string;
  readonly why: string;
}

const WORDS: Readonly<Record<string, Words>> = {
  'missing-file': {
    severity: 'critical',
    title: 'Log files that CloudTrail delivered are gone',
    what: (n) => `${count(n, 'log file')} that signed digests list ${n === 1 ? 'is' : 'are'} not in the bucket`,
    why: 'CloudTrail signs every hour which log files it delivered, and never takes one back. Expected is every listed file, with the content that was signed.',
  },
  'changed-file': {
    severity: 'critical',
    title: 'Log files or digests are not what CloudTrail delivered',
    what: (n) => `${count(n, 'file')} of the trail ${n === 1 ? 'has' : 'have'} another content than CloudTrail signed`,
    why: 'The SHA-256 of a file differs from the one that CloudTrail signed. Expected is the same hash for ever: CloudTrail does not write a file again.',
  },
  'broken-signature': {
    severity: 'critical',
    title: 'The signature of a CloudTrail digest does not fit',
    what: (n) => `${count(n, 'digest')} ${n === 1 ? 'has' : 'have'} a signature that is not CloudTrail's for this content`,
    why: 'Only CloudTrail can sign a digest. A digest with another signature, or without one, was changed or written by somebody else.',
  },
  'missing-digest': {
    severity: 'critical',
    title: 'CloudTrail digests are missing',
    what: (n) => `${count(n, 'digest')} that should be in the bucket ${n === 1 ? 'is' : 'are'} not there`,
    why: 'CloudTrail delivers a digest every hour, also for an hour without log files, and each names the one before. Expected is an unbroken chain.',
  },
  gap: {
    severity: 'high',
    title: 'The chain of CloudTrail digests was interrupted',
    what: (n) => `the chain of digests began anew ${n === 1 ? 'once' : `${n} times`} although there were digests before`,
    why: 'A new chain begins only after logging or log file validation was off. No record that was received says so.',
  },
  unlisted: {
    severity: 'high',
    title: 'Log files lie in the bucket that no CloudTrail digest lists',
    what: (n) => `${count(n, 'file')} among the log files or digests ${n === 1 ? 'is' : 'are'} in no chain of CloudTrail's`,
    why: 'CloudTrail lists every file that it delivers in a digest. Expected is none that it does not list: somebody else may have written it.',
  },
};

/** A trail that is off, or was set up anew, delivers no digests: other detectors tell of that. */
const SWITCHES: ReadonlySet<string> = new Set(['StopLogging', 'DeleteTrail', 'StartLogging', 'UpdateTrail', 'CreateTrail']);

/** Digests and log files as https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html has them. */
export default defineWindowDetector({
  id: 'log-integrity-broken',
  title: 'The log files of a CloudTrail trail are not as CloudTrail signed them',
  severity: 'critical',
  status: 'stable',
  family: 'blinding',
  kind: 'window',
  subject: 'account',
  events: [...SWITCHES].map((operation) => `cloudtrail:${operation}`),
  params: z.strictObject({}),
  techniques: ['T1070', 'T1565.001'],
  blindSpots: [
    'Trails without log file validation, and trails that are not in the configuration.',
    'What was changed longer ago than the hourly check looks back; kmswatch verify looks at any time.',
    'A chain that was taken away whole, log files included, before it was first looked at.',
  ],
  falsePositives: [
    'Lifecycle rules that delete or archive log files within days.',
    'A trail of an organization that was stopped on purpose: only the management account has the record of it.',
    'Tools that write into the bucket below the prefix of the trail.',
  ],

  evaluate(subject) {
    const { account, integrity = [] } = subject;
    const wrong = integrity.filter((problem) => Object.hasOwn(WORDS, problem.verdict) && !isExplained(problem, subject));
    const groups = Map.groupBy(wrong, ({ region, trail, verdict }) => JSON.stringify([region, trail, verdict]));
    return [...groups.values()].map((problems) => matchOf(account, problems));
  },
});

function matchOf(account: string, problems: readonly IntegrityVerdict[]) {
  const { region, trail, verdict } = problems[0] as IntegrityVerdict;
  const words = WORDS[verdict] as Words;
  const open = problems.filter(({ resolvedAt }) => resolvedAt === null);
  const told = open.length > 0 ? open : problems;
  const [first] = told as [IntegrityVerdict];
  const at = Math.min(...problems.map(beginOf));
  const until = Math.max(...problems.map(({ end }) => end));
  const named = trail === null ? 'a trail' : `trail ${plain(trail, 80)}`;
  const reasons = [...new Set(told.map(({ reason }) => plain(reason, 300)))].slice(0, 3);
  return {
    dedupKey: [account, region, trail ?? '-', verdict],
    region,
    at,
    until: Math.max(until, at),
    occurrences: problems.length,
    severity: words.severity,
    title: words.title,
    evidence: [],
    explanation: {
      what: `Of ${named} of account ${plain(account, 32)} in ${plain(region, 32)}, ${words.what(told.length)}, delivered ${period(Math.min(...told.map(beginOf)), Math.max(...told.map(({ end }) => end)))}: ${listed(told.map(fileName), 3)}.`,
      why: `${words.why} What was found: ${reasons.join('; ')}.`,
      benign:
        verdict === 'missing-digest' || verdict === 'gap'
          ? 'The trail, or its log file validation, was switched off or set up anew under a change request.'
          : 'A lifecycle rule, a migration or a tool of your own moved, rewrote or added the files.',
      now: [
        `Look at all of it anew: kmswatch verify --from ${iso(at - HOUR)} --to ${iso(until + HOUR)}`,
        `See who wrote or deleted: aws s3api list-object-versions --bucket ${argument(first.bucket, 'BUCKET')} --prefix ${argument(first.key, 'OBJECT_KEY')}`,
        'Read what the files should hold from Event history, which nobody can change and which keeps 90 days: aws cloudtrail lookup-events --start-time START --end-time END',
        'Treat whoever may write into the bucket as an intruder until the change is explained, and turn on versioning and Object Lock.',
      ],
    },
    details: {
      verdict,
      trail,
      bucket: first.bucket,
      still_wrong: open.length,
      objects: told.slice(0, 20).map(({ key }) => key),
      newest: iso(until),
    },
    ...(open.length === 0 && {
      resolved: {
        at: Math.max(...problems.map(({ resolvedAt }) => resolvedAt ?? 0)),
        reason:
          verdict === 'unlisted' ? 'A later check found them listed, or gone.' : 'A later check found all of it as CloudTrail signed it.',
      },
    }),
  };
}

function fileName({ key }: IntegrityVerdict): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function beginOf({ begin, end }: IntegrityVerdict): number {
  return begin ?? end;
}

/** Whether records say that the trail was off, or was touched while its chain broke off. */
function isExplained(problem: IntegrityVerdict, { timeline }: AccountSubject): boolean {
  if (problem.verdict !== 'gap' && problem.verdict !== 'missing-digest') return false;
  const switched = timeline.filter(
    (event) => isSwitch(event) && trailOf(event).name === problem.trail && event.eventTime <= problem.end + HOUR,
  );
  if (problem.verdict === 'gap') return switched.some(({ eventTime }) => eventTime >= beginOf(problem) - HOUR);
  const last = switched.filter(({ eventTime, operation }) => eventTime <= problem.end && operation !== 'UpdateTrail').at(-1);
  return last?.operation === 'StopLogging' || last?.operation === 'DeleteTrail';
}

function isSwitch({ service, operation, outcome }: StoredEvent): boolean {
  return service === 'cloudtrail' && outcome === 'ok' && SWITCHES.has(operation);
}
