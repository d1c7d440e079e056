/** What is upstream of each source, so that the same tests can be made of all of them: see test/contracts/sources.test.ts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished, vi } from 'vitest';
import { MINUTE } from '../../services/core/clock.ts';
import type { QuarantineReason } from '../../services/core/quarantine.ts';
import { monotonicMs, sleep, systemClock } from '../../services/platform/clock.ts';
import type { Source, SourceName } from '../../services/sources/contract.ts';
import { DEFAULT_LIMITS } from '../../services/sources/limits.ts';
import type { LiveContext } from '../../services/sources/live.ts';
import { lookupEventsSchema } from '../../services/sources/lookup-events/config.ts';
import { createLookupEventsSource } from '../../services/sources/lookup-events/lookup-events.ts';
import type { Time } from '../../services/sources/lookup-events/time.ts';
import { LIVE_SOURCES } from '../../services/sources/registry.ts';
import { createReplaySource } from '../../services/sources/replay/replay.ts';
import type { Config } from '../../services/workers/config.ts';
import { type Fault, startAws } from './aws/server.ts';
import { fakeAws, logKey, notification } from './fauxqs.ts';
import { temporaryFolder } from './month.ts';
import { asOwner } from './pipeline.ts';
import { ACCOUNT, type Fields, KEYS, record, REGION, resources } from './records.ts';
import { troubledFront } from './source-contract-front.ts';

export interface Upstream {
  /** `sources` of the configuration. */
  readonly sources: object;
  /** The source as a process has it. */
  open(config: Config, context: LiveContext): Promise<Source>;
  put(records: readonly Fields[]): Promise<void>;
  /** One input that is no record, with these around it. */
  putBroken(neighbours: readonly Fields[]): Promise<void>;
  /** How much of what was put is not acknowledged: files, messages, or events to which no checkpoint has come. */
  outstanding(): Promise<number>;
  /** What a process that has died held is free again. */
  release(): Promise<void>;
  /** Everything that was put is to be told again, to a process that begins. */
  repeat(): Promise<void>;
  /** From now on calls are throttled and refused for a while. */
  trouble(): void;
  /** What was refused so far. */
  refused(): readonly string[];
}

export interface SourceCase {
  readonly name: SourceName;
  /** @param url of the database, for sources that acknowledge there */
  prepare(url: string): Promise<Upstream>;
  /** Of what `putBroken` puts. */
  readonly brokenReason: QuarantineReason;
  readonly refusals: { readonly expected: readonly string[] } | { readonly none: string };
  /** Whether the age of its events says how fast we are. */
  readonly measuresLag: boolean;
}

const RECORDS_PER_FILE = 15;
const BROKEN = '{"eventVersion":"1.11","eventName":Decrypt}';

export const SOURCES: readonly SourceCase[] = [
  {
    name: 'replay',
    prepare: files,
    brokenReason: 'invalid-json',
    refusals: { none: 'a file system neither throttles nor answers with a status' },
    measuresLag: false,
  },
  {
    name: 's3-trail',
    prepare: trail,
    brokenReason: 'invalid-json',
    refusals: {
      expected: [
        'ReceiveMessage 400',
        'ReceiveMessage 503',
        'GetObject 503',
        'GetObject 500',
        'DeleteMessageBatch 400',
        'DeleteMessageBatch 503',
      ],
    },
    measuresLag: true,
  },
  {
    name: 'eventbridge',
    prepare: rule,
    brokenReason: 'not-a-record',
    refusals: { expected: ['ReceiveMessage 400', 'ReceiveMessage 503', 'DeleteMessageBatch 400', 'DeleteMessageBatch 503'] },
    measuresLag: true,
  },
  {
    name: 'lookup-events',
    prepare: history,
    brokenReason: 'invalid-json',
    refusals: { expected: ['ThrottlingException', 'unavailable', 'cut'] },
    measuresLag: true,
  },
];

/** Uses of two keys a quarter of a minute apart, some minutes ago, and something that is worth a finding. */
export function someRecords(count: number, prefix = 'contract'): Fields[] {
  const from = Date.now() - 20 * MINUTE;
  return Array.from({ length: count }, (_, n) => {
    const name = n === 3 ? 'ScheduleKeyDeletion' : n === 7 ? 'DisableKey' : 'Decrypt';
    return record(name, from + n * 15_000, { ...resources(KEYS[n % 2]!), eventID: `${prefix}-${n}` });
  });
}

function fileOf(texts: readonly string[]): Buffer {
  return gzipSync(`{"Records":[${texts.join(',')}]}`);
}

function parted(records: readonly Fields[]): string[][] {
  const count = Math.ceil(records.length / RECORDS_PER_FILE);
  return Array.from({ length: count }, (_, n) => textsOf(records.slice(n * RECORDS_PER_FILE, (n + 1) * RECORDS_PER_FILE)));
}

function textsOf(records: readonly Fields[]): string[] {
  return records.map((each) => JSON.stringify(each));
}

/** The first of the neighbours comes before it, the others after it. */
function around(neighbours: readonly string[]): string[] {
  return [...neighbours.slice(0, 1), BROKEN, ...neighbours.slice(1)];
}

async function files(): Promise<Upstream> {
  const folder = await temporaryFolder();
  let [written, acknowledged] = [0, 0];
  const put = async (texts: readonly string[]): Promise<void> => {
    written += 1;
    await writeFile(join(folder, `part-${written}.json.gz`), fileOf(texts));
  };
  return {
    sources: {},
    async open() {
      acknowledged = 0;
      const onProgress = (progress: { readonly acknowledged: number }): void => void (acknowledged = progress.acknowledged);
      return createReplaySource({ paths: [folder], stdin: null, limits: DEFAULT_LIMITS, onProgress });
    },
    async put(records) {
      for (const part of parted(records)) await put(part);
    },
    putBroken: (neighbours) => put(around(textsOf(neighbours))),
    outstanding: async () => written - acknowledged,
    release: async () => undefined,
    repeat: async () => undefined,
    trouble: () => undefined,
    refused: () => [],
  };
}

async function trail(): Promise<Upstream> {
  const queue = await queueUpstream();
  let written = 0;
  const put = async (texts: readonly string[]): Promise<void> => {
    written += 1;
    const [key, body] = [logKey(`part ${written}+ä`), fileOf(texts)];
    await queue.putObject(key, body);
    queue.send(notification(key, body.length));
  };
  return {
    ...queue.upstream,
    sources: { s3_trail: { queues: [queue.fields] } },
    open: (config, context) => opened('s3_trail', config, context),
    async put(records) {
      for (const part of parted(records)) await put(part);
    },
    putBroken: (neighbours) => put(around(textsOf(neighbours))),
  };
}

async function rule(): Promise<Upstream> {
  const queue = await queueUpstream();
  const put = async (records: readonly Fields[]): Promise<void> => {
    for (const detail of records) queue.send({ id: 'x', source: 'aws.kms', 'detail-type': 'AWS API Call via CloudTrail', detail });
  };
  return {
    ...queue.upstream,
    sources: { eventbridge: { queues: [queue.fields] } },
    open: (config, context) => opened('eventbridge', config, context),
    put,
    async putBroken(neighbours) {
      await put(neighbours.slice(0, 1));
      queue.send(BROKEN);
      await put(neighbours.slice(1));
    },
  };
}

async function opened(section: 's3_trail' | 'eventbridge', { sources }: Config, context: LiveContext): Promise<Source> {
  const source =
    section === 's3_trail'
      ? sources.s3_trail && (await LIVE_SOURCES.s3_trail.create(sources.s3_trail, context))
      : sources.eventbridge && (await LIVE_SOURCES.eventbridge.create(sources.eventbridge, context));
  if (!source) throw new Error(`${section} is not configured`);
  return source;
}

interface QueueUpstream {
  readonly fields: object;
  readonly upstream: Pick<Upstream, 'outstanding' | 'release' | 'repeat' | 'trouble' | 'refused'>;
  putObject(key: string, body: Uint8Array): Promise<void>;
  send(message: unknown): void;
}

async function queueUpstream(): Promise<QueueUpstream> {
  const aws = await fakeAws();
  const front = await troubledFront(aws.url);
  vi.stubEnv('AWS_ENDPOINT_URL', front.url);
  const url = aws.createQueue('queue').replace(aws.url, front.url);
  const sent: unknown[] = [];
  const send = (message: unknown): void => void aws.send('queue', message);
  return {
    fields: { url, region: REGION },
    putObject: (key, body) => aws.putObject(key, body),
    send(message) {
      sent.push(message);
      send(message);
    },
    upstream: {
      outstanding: async () => aws.depth('queue').ready + aws.depth('queue').inFlight,
      async release() {
        await front.quiet();
        await aws.reveal('queue');
      },
      async repeat() {
        await front.quiet();
        for (const message of sent) send(message);
      },
      trouble: () => front.begin(),
      refused: () => front.refused,
    },
  };
}

/** So many times faster than the clock time passes for whoever polls. */
const HURRY = 10;

async function history(url: string): Promise<Upstream> {
  const aws = await startAws();
  onTestFinished(async () => await aws[Symbol.asyncDispose]());
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  aws.cloudTrail.requestsPerSecond = 2 * HURRY;
  const times: number[] = [];
  const refused: string[] = [];
  const settings = {
    accounts: [{ account: ACCOUNT, role_arn: `arn:aws:iam::${ACCOUNT}:role/reader` }],
    regions: [REGION],
    lookback_days: 1,
  };
  const add = (fields: Fields): ReturnType<typeof aws.cloudTrail.history.add> => {
    const event = aws.cloudTrail.history.add(fields);
    times.push(event.time);
    return event;
  };
  return {
    sources: { lookup_events: settings },
    async open(_, context) {
      const source = createLookupEventsSource(lookupEventsSchema.parse(settings), context, { time: hurried });
      if (!source) throw new Error('no account is configured');
      return source;
    },
    async put(records) {
      for (const fields of records) add(fields);
    },
    async putBroken(neighbours) {
      const [first = {}] = neighbours;
      Object.assign(add({ ...first, eventID: 'broken' }), { text: BROKEN });
      for (const fields of neighbours) add(fields);
    },
    async outstanding() {
      const name = `lookup-events/${ACCOUNT}/${REGION}/EventSource=kms.amazonaws.com`;
      const [row] = await asOwner<{ at: string }>(url, "SELECT value ->> 'high_water' AS at FROM checkpoint WHERE name = $1", [name]);
      return row ? times.filter((time) => time >= Date.parse(row.at)).length : times.length;
    },
    release: async () => undefined,
    // What is younger than the overlap is read again by whoever begins.
    repeat: async () => undefined,
    trouble() {
      const faults: Fault[] = [{ kind: 'error', code: 'ThrottlingException' }, { kind: 'unavailable' }, { kind: 'cut' }];
      aws.onRequest = ({ operation }) => {
        const fault = operation === 'LookupEvents' ? faults.shift() : undefined;
        if (fault) refused.push(fault.kind === 'error' ? fault.code : fault.kind);
        return fault ?? null;
      };
    },
    refused: () => refused,
  };
}

const hurried: Time = {
  now: () => systemClock.now(),
  elapsed: () => monotonicMs() * HURRY,
  sleep: (ms, signal) => sleep(ms / HURRY, signal),
  random: Math.random,
};
