import { createHash, hash, type KeyObject, sign } from 'node:crypto';
import { HOUR } from '../core/clock.ts';
import { datePath, isoSeconds } from './instants.ts';
import type { LogFile } from './log-file.ts';

export interface DigestOptions {
  readonly bucket: string;
  readonly trail: string;
  /** Region that the trail was made in. */
  readonly homeRegion: string;
  /** The simulated period, epoch milliseconds: a digest for each of its hours. */
  readonly start: number;
  readonly end: number;
  /** RSA key that signs; CloudTrail's own have 2048 bits. */
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** One digest before it is compressed. Its signature is user metadata of the S3 object. */
export interface DigestFile {
  readonly key: string;
  readonly content: string;
  readonly signature: string;
}

interface Chain {
  readonly account: string;
  readonly region: string;
  readonly pending: {
    s3Bucket: string;
    s3Object: string;
    hashValue: string;
    hashAlgorithm: string;
    oldestEventTime: string;
    newestEventTime: string;
  }[];
  previous: { readonly key: string; readonly hash: string; readonly signature: string } | null;
}

/**
 * The digests of a trail, hour by hour, for each account and Region that has log files. Files from before the period are
 * listed by the first one. Sources:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html,
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
 */
export class DigestChains {
  readonly #options: DigestOptions;
  readonly #fingerprint: string;
  readonly #chains = new Map<string, Chain>();
  #hourEnds: number;

  constructor(options: DigestOptions) {
    this.#options = options;
    this.#hourEnds = options.start + HOUR;
    this.#fingerprint = createHash('md5').update(pkcs1(options.publicKey)).digest('hex');
  }

  /** Takes in a log file, with its uncompressed content; first come the digests of the hours that are over by then. */
  *accept(file: LogFile, content: string): Generator<DigestFile, void, undefined> {
    yield* this.#due(file.time);
    const [, account = '', , region = ''] = file.key.split('/');
    const name = `${account}/${region}`;
    const chain = this.#chains.get(name) ?? { account, region, pending: [], previous: null };
    this.#chains.set(name, chain);
    const times = file.records.flatMap(({ eventTime }) => (typeof eventTime === 'string' ? [eventTime] : [])).toSorted();
    chain.pending.push({
      s3Bucket: this.#options.bucket,
      s3Object: file.key,
      hashValue: hash('sha256', content),
      hashAlgorithm: 'SHA-256',
      oldestEventTime: times[0] ?? isoSeconds(file.time),
      newestEventTime: times.at(-1) ?? isoSeconds(file.time),
    });
  }

  /** The digests up to the end of the period. */
  *finish(): Generator<DigestFile, void, undefined> {
    yield* this.#due(Number.POSITIVE_INFINITY);
  }

  /** What `aws s3api head-object` would tell of the newest digests; the others' signatures stand in the digests after them. */
  metadata(): Record<string, { signature: string; 'signature-algorithm': string }> {
    const newest = [...this.#chains.values()].flatMap(({ previous }) => (previous ? [previous] : []));
    return Object.fromEntries(newest.map(({ key, signature }) => [key, { signature, 'signature-algorithm': 'SHA256withRSA' }]));
  }

  /** What `aws cloudtrail list-public-keys` would print. */
  publicKeys(): { PublicKeyList: object[] } {
    const { start, end, publicKey } = this.#options;
    const validity = { ValidityStartTime: isoSeconds(start), ValidityEndTime: isoSeconds(end) };
    return { PublicKeyList: [{ Value: pkcs1(publicKey).toString('base64'), ...validity, Fingerprint: this.#fingerprint }] };
  }

  *#due(until: number): Generator<DigestFile, void, undefined> {
    while (this.#hourEnds < until && this.#hourEnds < this.#options.end + HOUR) {
      for (const chain of this.#chains.values()) yield this.#digest(chain, this.#hourEnds);
      this.#hourEnds += HOUR;
    }
  }

  #digest(chain: Chain, end: number): DigestFile {
    const { bucket } = this.#options;
    const { account, previous } = chain;
    const logFiles = chain.pending.splice(0);
    const key = this.#keyOf(chain, end);
    const endText = isoSeconds(end);
    const content = JSON.stringify({
      awsAccountId: account,
      digestStartTime: isoSeconds(end - HOUR),
      digestEndTime: endText,
      digestS3Bucket: bucket,
      digestS3Object: key,
      digestPublicKeyFingerprint: this.#fingerprint,
      digestSignatureAlgorithm: 'SHA256withRSA',
      newestEventTime:
        logFiles
          .map(({ newestEventTime }) => newestEventTime)
          .sort()
          .at(-1) ?? null,
      oldestEventTime: logFiles.map(({ oldestEventTime }) => oldestEventTime).sort()[0] ?? null,
      previousDigestS3Bucket: previous && bucket,
      previousDigestS3Object: previous?.key ?? null,
      previousDigestHashValue: previous?.hash ?? null,
      previousDigestHashAlgorithm: previous && 'SHA-256',
      previousDigestSignature: previous?.signature ?? null,
      logFiles,
    });
    const contentHash = hash('sha256', content);
    const signed = [endText, `${bucket}/${key}`, contentHash, previous?.signature ?? 'null'].join('\n');
    const signature = sign('sha256', Buffer.from(signed), this.#options.privateKey).toString('hex');
    chain.previous = { key, hash: contentHash, signature };
    return { key, content, signature };
  }

  #keyOf({ account, region }: Chain, end: number): string {
    const { trail, homeRegion } = this.#options;
    const stamp = isoSeconds(end).replaceAll(/[-:]/g, '');
    const file = [account, 'CloudTrail-Digest', region, trail, homeRegion, stamp].join('_');
    return `AWSLogs/${account}/CloudTrail-Digest/${region}/${datePath(end)}/${file}.json.gz`;
  }
}

function pkcs1(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs1' });
}
