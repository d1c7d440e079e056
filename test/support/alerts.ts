/** Alerts without records and detectors: findings are stored as detection stores them, and receivers record what they are sent. */
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { METRICS } from '../../services/core/metrics.ts';
import type { DerivedFinding } from '../../services/core/finding.ts';
import { findingId } from '../../services/core/finding.ts';
import type { Severity } from '../../services/core/severity.ts';
import type { Delivery, Notification } from '../../services/notifiers/contract.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createMetrics, type Metrics } from '../../services/platform/metrics.ts';
import { connect } from '../../services/platform/postgres.ts';
import { signalChanges } from '../../services/store/alerts-signals.ts';
import { replaceFindings } from '../../services/store/findings.ts';
import type { Database } from '../../services/store/schema.ts';
import { inTransaction } from '../../services/store/transaction.ts';
import type { Deps } from '../../services/workers/deps.ts';
import { notify } from '../../services/workers/notify.ts';
import { type Alerting, createAlerting, type Receiver } from '../../services/workers/notify-alerting.ts';
import { alertingSchema, type WrittenRoute } from '../../services/workers/notify-config.ts';
import { deliverAll } from '../../services/workers/notify-deliver.ts';
import { createTelemetry } from '../../services/workers/telemetry.ts';
import { testDatabase } from './postgres.ts';

export const START = Date.UTC(2026, 5, 1, 12);

/** A receiver and what it was sent; `answer` decides how it takes it. */
export interface Recorder {
  readonly sent: Notification[];
  answer(notification: Notification, given: { signal: AbortSignal; memory: unknown }): Promise<Delivery> | Delivery;
}

export interface AlertWorld extends AsyncDisposable {
  readonly url: string;
  readonly deps: Deps;
  readonly metrics: Metrics<typeof METRICS>;
  /** By name. */
  readonly receivers: ReadonlyMap<string, Recorder>;
  sent(receiver?: string): Notification[];
  now(): number;
  /** Lets time pass, then groups and delivers what is due. */
  pass(milliseconds: number): Promise<void>;
  /** Groups and delivers. */
  work(): Promise<void>;
  /** Findings of one subject as detection finds them now, in place of those before. */
  find(subject: string, findings: readonly DerivedFinding[]): Promise<void>;
  /** A person's word on a finding. */
  say(id: string, status: 'open' | 'acknowledged' | 'suppressed'): Promise<void>;
  query<R extends object>(text: string): Promise<R[]>;
}

export interface AlertWorldOptions {
  readonly receivers?: Readonly<Record<string, Partial<Receiver>>>;
  readonly route?: WrittenRoute & { readonly receiver?: string };
  readonly url?: string;
}

export async function alertWorld({ receivers = { team: {} }, route = {}, url }: AlertWorldOptions = {}): Promise<AlertWorld> {
  const database = url === undefined ? await testDatabase() : null;
  const place = url ?? database?.url ?? '';
  const connection = await connect<Database>({ url: place, role: 'kmswatch_writer', max: 6, applicationName: 'kmswatch alerts test' });
  const { pool } = connection;
  let at = START;
  const clock = { now: () => at };
  const recorders = new Map<string, Recorder>(Object.keys(receivers).map((name) => [name, { sent: [], answer: () => ({ ok: true }) }]));
  const alerting = recording({ receivers, route, recorders, clock });
  const registry = new Registry();
  const metrics = createMetrics(registry, METRICS, {
    source: ['replay'],
    detector: ['test'],
    queue: ['notify'],
    receiver: [...recorders.keys()],
    version: ['test'],
    node: ['test'],
  });
  const telemetry = createTelemetry(metrics, createLogger('silent'));
  const deps = { pool, clock, alerting, telemetry, detectors: [] } as unknown as Deps;
  const world: AlertWorld = {
    url: place,
    deps,
    metrics,
    receivers: recorders,
    sent: (receiver = [...recorders.keys()][0] ?? '') => recorders.get(receiver)?.sent ?? [],
    now: () => at,
    async pass(milliseconds) {
      at += milliseconds;
      await world.work();
    },
    async work() {
      await notify(deps);
      await deliverAll(deps);
    },
    async find(subject, findings) {
      await inTransaction(pool, (client) =>
        replaceFindings(client, { subjects: [subject], findings: findings.map((finding) => ({ subject, finding })), at, keep: new Set() }),
      );
    },
    async say(id, status) {
      await inTransaction(pool, async (client) => {
        await client.query('UPDATE finding SET status = $2 WHERE id = $1', [id, status]);
        const change = status === 'open' ? 'unacknowledged' : status;
        await signalChanges(client, { changes: [{ findingId: id, change }], committedAt: at });
      });
    },
    query: async <R extends object>(text: string) => (await pool.query<R>(text)).rows,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await database?.drop();
    },
  };
  return world;
}

interface Recording {
  readonly receivers: Readonly<Record<string, Partial<Receiver>>>;
  readonly route: WrittenRoute;
  readonly recorders: ReadonlyMap<string, Recorder>;
  readonly clock: { now(): number };
}

/** The real thing, but for what receivers do with what they are sent. */
function recording({ receivers, route, recorders, clock }: Recording): Alerting {
  const names = Object.keys(receivers);
  const config = alertingSchema.parse({ receivers: names.map((name) => ({ name, log: {} })), route: { receiver: names[0], ...route } });
  const alerting = createAlerting({
    config,
    externalUrl: 'https://kmswatch.example.com',
    runbooksUrl: null,
    clock,
    logger: createLogger('silent'),
  });
  const recorded = [...alerting.receivers].map(([name, receiver]) => {
    const recorder = recorders.get(name);
    const send: Receiver['send'] = async (notification, given) => {
      recorder?.sent.push(notification);
      return (await recorder?.answer(notification, given)) ?? { ok: true };
    };
    return [name, { ...receiver, wantsEvery: false, perMinute: null, ...receivers[name], send }] as const;
  });
  return { ...alerting, receivers: new Map(recorded) };
}

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1111aaaa-0000-4000-8000-00000000000';

export interface FindingOptions {
  readonly detector?: string;
  readonly severity?: Severity;
  readonly key?: number | null;
  readonly open?: boolean;
  readonly at?: number;
  readonly account?: string;
  readonly title?: string;
}

/** A finding as a detector derives it; the same name and detector are the same finding. */
export function finding(name: string, options: FindingOptions = {}): DerivedFinding {
  const { detector = 'key-disabled', severity = 'high', key = 1, open = true, at = START, account = '111122223333' } = options;
  return {
    id: findingId(detector, [name]),
    detector,
    dedupKey: [name],
    severity,
    title: options.title ?? `finding ${name}`,
    open,
    resolvedAt: open ? null : at,
    resolution: open ? null : 'The world has mended.',
    keyArn: key === null ? null : `${KEY}${key}`,
    actor: 'arn:aws:iam::111122223333:user/alice',
    account,
    region: 'eu-central-1',
    firstSeen: at,
    lastSeen: at,
    occurrences: 1,
    evidence: [`event-${randomBytes(4).toString('hex')}`],
    explanation: { what: 'What happened.', why: 'Why it matters.', benign: 'When it is harmless.', now: ['Look.'] },
    details: {},
  };
}

/** What a notification says, in short. */
export function told({ reason, status, alerts, truncated }: Notification): [string, string, string[], number] {
  return [reason, status, alerts.map((alert) => `${alert.title.replace('finding ', '')} ${alert.status}`), truncated];
}
