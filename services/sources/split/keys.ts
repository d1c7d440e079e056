const LONGEST = 16;

/** What the top-level keys of an object may make of it. */
export type KeyMeaning = 'list' | 'digest' | 'other';

/**
 * Keys whose array holds the records (S3 log files, `aws cloudtrail lookup-events`, CloudWatch Logs subscriptions), and keys of a digest file:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
const KEYS = new Map<string, KeyMeaning>([
  ['Records', 'list'],
  ['Events', 'list'],
  ['logEvents', 'list'],
  ['digestS3Object', 'digest'],
  ['logFiles', 'digest'],
]);

/** By length; no two of the keys are of one length. */
const FIRST_LETTER = new Uint8Array(LONGEST + 1);
for (const key of KEYS.keys()) FIRST_LETTER[key.length] = key.charCodeAt(0);

export function keyMeaning(key: string): KeyMeaning {
  return KEYS.get(key) ?? 'other';
}

/** A top-level key of the object that is being read, collected over pushes. */
export class KeyReader {
  readonly #bytes = Buffer.allocUnsafe(LONGEST);
  #length = 0;

  begin(): void {
    this.#length = 0;
  }

  add(chunk: Buffer, from: number, to: number): void {
    // Most keys are ruled out by their length and first letter; copying them would take a third of the splitter's time.
    const isWhole = this.#length === 0 && to < chunk.length;
    if (isWhole && FIRST_LETTER[to - from] !== chunk[from]) {
      this.#length = LONGEST + 1;
      return;
    }
    if (this.#length + to - from <= LONGEST) chunk.copy(this.#bytes, this.#length, from, to);
    this.#length += to - from;
  }

  meaning(): KeyMeaning {
    return this.#length > LONGEST ? 'other' : keyMeaning(this.#bytes.toString('latin1', 0, this.#length));
  }
}
