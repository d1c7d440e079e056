/** What can be wrong with a trail's files; all right = `verified`. A closed list: documentation and tests rest on it. */
export const PROBLEM_VERDICTS = {
  'missing file': 'a log file that a digest lists is not there',
  'changed file': 'a log or digest file is not what CloudTrail delivered',
  'broken signature': 'the signature of a digest does not fit, has been taken away, or is by no known key',
  'unverifiable signature': 'the signature of a digest is not known: nothing can be said about it or its log files',
  'missing digest': 'a digest that another one refers to, or that was due, is not where it should be',
  gap: 'the chain of digests begins anew: validation or logging was off in between',
  unlisted: 'a file that lies among the others, but that no digest knows',
  'not enabled': 'log files without any digest: validation was not enabled when they were delivered',
  unreadable: 'a file may not or cannot be read: nothing is known of it',
} as const;

export type ProblemVerdict = keyof typeof PROBLEM_VERDICTS;

export interface Problem {
  readonly verdict: ProblemVerdict;
  /** Key of the S3 object; the common prefix where many are meant; for a missing digest the key that it would have. */
  readonly object: string;
  /** One sentence for a person. */
  readonly message: string;
  readonly account: string;
  readonly region: string;
  /** Null where no trail can be told, as for log files. */
  readonly trail: string | null;
  /** How many objects this one problem stands for. */
  readonly count: number;
  /** The time that it concerns, epoch milliseconds; null where it is about one file. */
  readonly window: Window | null;
}

/** A stretch of delivery time, epoch milliseconds; `from` may be -Infinity. */
export interface Window {
  readonly from: number;
  readonly to: number;
}
