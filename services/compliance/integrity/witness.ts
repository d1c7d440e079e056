import type { Digest } from './digest.ts';
import type { DigestName } from './object-name.ts';
import type { Window } from './verdict.ts';

/** What was found of one digest. */
export interface DigestVerdict {
  readonly name: DigestName;
  /** Null where there was nothing to be read, or no digest in it. */
  readonly digest: Digest | null;
  readonly verdict: 'verified' | 'broken signature' | 'unverifiable signature' | 'changed file' | 'missing digest' | 'unreadable';
  /** Empty when it is verified. */
  readonly message: string;
  /** The delivery time that it covers. */
  readonly window: Window;
}

/** What was found of one log file that a digest lists. */
export interface LogFileVerdict {
  readonly key: string;
  /** SHA-256 that the digest lists, lower-case hex. */
  readonly listed: string;
  /** SHA-256 of what is there; null where nothing could be hashed. */
  readonly found: string | null;
  readonly digest: DigestName;
  /** `unproven`: it is as a digest says that proves nothing itself. */
  readonly verdict: 'verified' | 'missing file' | 'changed file' | 'unproven' | 'unreadable';
  readonly message: string;
}

/** Told of each file while a trail is validated, the sound ones included. What is told last of a file is what counts. */
export interface Witness {
  digest(verdict: DigestVerdict): void;
  logFile(verdict: LogFileVerdict): void;
}
