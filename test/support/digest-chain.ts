/** Trails as CloudTrail delivers them, made here: log files, digests, signatures by keys of our own. */
import { createHash, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const HOUR = 3_600_000;

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly fingerprint: string;
  /** DER of the public key, base64, as ListPublicKeys gives it. */
  readonly value: string;
}

export function signingKey(form: 'pkcs1' | 'spki' = 'pkcs1'): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = publicKey.export({ format: 'der', type: form });
  return { privateKey, fingerprint: createHash('md5').update(der).digest('hex'), value: der.toString('base64') };
}

export function publicKeyList(...keys: readonly SigningKey[]): { PublicKeyList: object[] } {
  return {
    PublicKeyList: keys.map(({ value, fingerprint }) => ({
      Value: value,
      ValidityStartTime: '2023-07-01T00:00:00+00:00',
      ValidityEndTime: '2023-08-01T00:00:00+00:00',
      Fingerprint: fingerprint,
    })),
  };
}

export interface ChainOptions {
  readonly account?: string;
  readonly region?: string;
  readonly homeRegion?: string;
  readonly trail?: string;
  /** In front of `AWSLogs/`. */
  readonly prefix?: string;
  /** Between `AWSLogs/` and the account, for organization trails. */
  readonly organization?: string;
  readonly key?: SigningKey;
  /** End of the first digest, epoch milliseconds. */
  readonly firstEnd?: number;
  readonly backfill?: boolean;
}

type Fields = Record<string, unknown>;

/** The objects of a bucket and their user metadata. Change them to do what an attacker could do. */
export class Bucket {
  readonly name: string;
  readonly objects = new Map<string, Buffer>();
  readonly metadata = new Map<string, Record<string, string>>();

  constructor(name = 'trail-bucket') {
    this.name = name;
  }

  /** Writes everything as files below a folder. */
  writeTo(folder: string): void {
    for (const [key, bytes] of this.objects) {
      const path = join(folder, key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
  }

  manifest(): Record<string, Record<string, string>> {
    return Object.fromEntries(this.metadata);
  }
}

export interface Delivered {
  readonly key: string;
  readonly logs: readonly string[];
}

/** One chain of digests: account × Region × trail. */
export class Chain {
  readonly digests: Delivered[] = [];
  readonly options: Required<ChainOptions>;
  readonly #bucket: Bucket;
  #previous: { key: string; hash: string; signature: string } | null = null;
  #hours = 0;
  #files = 0;

  constructor(bucket: Bucket, options: ChainOptions = {}) {
    this.#bucket = bucket;
    this.options = {
      account: '111122223333',
      region: 'us-east-1',
      homeRegion: options.region ?? 'us-east-1',
      trail: 'main_trail',
      prefix: '',
      organization: '',
      key: options.key ?? signingKey(),
      firstEnd: Date.UTC(2023, 6, 10, 11, 1, 31),
      backfill: false,
      ...options,
    };
  }

  get place(): string {
    const { prefix, organization, account } = this.options;
    return `${prefix}AWSLogs/${organization}${account}/`;
  }

  /** Key of a log file whose name has this time. */
  logKey(time: number, unique = `${hash('md5', this.options.trail).slice(0, 6)}${String(++this.#files).padStart(10, '0')}`): string {
    const { account, region } = this.options;
    const stamp = new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    return `${this.place}CloudTrail/${region}/${datePath(stamp)}/${account}_CloudTrail_${region}_${stamp.slice(0, 13)}Z_${unique}.json.gz`;
  }

  /** End of the digest of this hour, 0 = the first. */
  endOf(hour: number): number {
    return this.options.firstEnd + hour * HOUR;
  }

  /** Delivers an hour's log files and the digest that lists them. `change` is done to the digest before it is signed. */
  deliver(contents: readonly string[], change: (fields: Fields) => Fields = (fields) => fields): Delivered {
    const end = this.endOf(this.#hours++);
    const files = contents.map((content, at) => {
      const key = this.logKey(end - HOUR + Math.floor(((at + 1) / (contents.length + 1)) * HOUR));
      this.#bucket.objects.set(key, gzipSync(content));
      return { s3Bucket: this.#bucket.name, s3Object: key, hashValue: hash('sha256', content), hashAlgorithm: 'SHA-256' };
    });
    const key = this.#digestKey(end);
    const fields = change({
      awsAccountId: this.options.account,
      digestStartTime: seconds(end - HOUR),
      digestEndTime: seconds(end),
      digestS3Bucket: this.#bucket.name,
      digestS3Object: key,
      digestPublicKeyFingerprint: this.options.key.fingerprint,
      digestSignatureAlgorithm: 'SHA256withRSA',
      newestEventTime: files.length > 0 ? seconds(end) : null,
      oldestEventTime: files.length > 0 ? seconds(end - HOUR) : null,
      previousDigestS3Bucket: this.#previous && this.#bucket.name,
      previousDigestS3Object: this.#previous?.key ?? null,
      previousDigestHashValue: this.#previous?.hash ?? null,
      previousDigestHashAlgorithm: this.#previous && 'SHA-256',
      previousDigestSignature: this.#previous?.signature ?? null,
      logFiles: files,
    });
    this.#store(key, fields);
    const delivered = { key, logs: files.map(({ s3Object }) => s3Object) };
    this.digests.push(delivered);
    return delivered;
  }

  /** Nothing is delivered for some hours, and the next digest begins a new chain: logging or validation was off. */
  restart(hoursOff = 0): void {
    this.#previous = null;
    this.#hours += hoursOff;
  }

  #store(key: string, fields: Fields): void {
    const content = JSON.stringify(fields);
    const contentHash = hash('sha256', content);
    const signed = [
      fields['digestEndTime'],
      `${String(fields['digestS3Bucket'])}/${String(fields['digestS3Object'])}`,
      contentHash,
      fields['previousDigestSignature'] ?? 'null',
    ];
    const signature = sign('sha256', Buffer.from(signed.join('\n')), this.options.key.privateKey).toString('hex');
    this.#bucket.objects.set(key, gzipSync(content));
    this.#bucket.metadata.set(key, {
      signature,
      'signature-algorithm': 'SHA256withRSA',
      ...(this.options.backfill ? { 'backfill-generation-timestamp': seconds(this.endOf(this.#hours)) } : {}),
    });
    this.#previous = { key, hash: contentHash, signature };
  }

  #digestKey(end: number): string {
    const { account, region, trail, homeRegion, backfill } = this.options;
    const stamp = new Date(end).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const file = `${account}_CloudTrail-Digest_${region}_${trail}_${homeRegion}_${stamp}${backfill ? '_backfill' : ''}.json.gz`;
    return `${this.place}CloudTrail-Digest/${region}/${datePath(stamp)}/${file}`;
  }
}

export function logContents(count: number, seed = ''): string[] {
  return Array.from({ length: count }, (_, at) =>
    JSON.stringify({
      Records: [
        { eventVersion: '1.09', eventID: `${seed}${at}`, eventName: 'Decrypt' },
        { eventID: `${seed}${at}b`, eventName: 'Encrypt' },
      ],
    }),
  );
}

function datePath(stamp: string): string {
  return `${stamp.slice(0, 4)}/${stamp.slice(4, 6)}/${stamp.slice(6, 8)}`;
}

function seconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
