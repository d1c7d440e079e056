/** Builders of subjects for detector tests: a key or an alias with the events that a test names, everything else quiet. */
import { DAY } from '../../../services/core/clock.ts';
import { type Actor, compareEvents, type EventDetail, type StoredEvent } from '../../../services/core/event.ts';
import type { DerivedFinding } from '../../../services/core/finding.ts';
import type { AliasSubject, Detector, FailureHour, KeySubject, KeyUse } from '../../../services/detectors/contract.ts';
import { deriveFindings } from '../../../services/detectors/engine.ts';
import { aliasTimeline } from '../../../services/keys/alias.ts';
import { foldTimeline } from '../../../services/keys/reduce.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
export const KEY = keyArn('0c1d2e3f-1111-4222-8333-444455556666');
export const START = Date.UTC(2026, 0, 1);
export const ADMIN = role('KeyAdministrator');
export const APP = role('orders-service');

export function keyArn(id: string): string {
  return `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;
}

export function role(name: string): Actor {
  return { type: 'role', id: `arn:aws:iam::${ACCOUNT}:role/${name}`, account: ACCOUNT, name };
}

/** Days after `START`. */
export function day(n: number): number {
  return START + n * DAY;
}

export function anEvent(operation: string, at: number, more: Partial<StoredEvent> & { detail?: EventDetail } = {}): StoredEvent {
  const arn = KEY;
  return {
    eventId: `00000000-0000-4000-8000-${String(Math.floor(at / 1000)).padStart(12, '0')}`,
    eventTime: at,
    account: ACCOUNT,
    region: REGION,
    service: 'kms',
    operation,
    operationClass: 'control',
    key: { arn, kind: 'key', account: ACCOUNT, region: REGION, id: arn.slice(arn.indexOf('/') + 1) },
    otherKey: null,
    actor: ADMIN,
    outcome: 'ok',
    errorCode: null,
    callingService: null,
    detail: null,
    essence: '0'.repeat(16),
    sessionName: null,
    ...more,
  };
}

export function aKey(events: readonly StoredEvent[], more: Partial<KeySubject> = {}): KeySubject {
  const timeline = foldTimeline([...events].sort(compareEvents), KEY);
  return {
    kind: 'key',
    arn: KEY,
    account: ACCOUNT,
    region: REGION,
    facts: timeline.at(-1)?.after ?? {},
    timeline,
    uses: [],
    failures: [],
    aliases: [],
    protectsLogs: false,
    ...more,
  };
}

export function anAlias(name: string, events: readonly StoredEvent[], more: Partial<AliasSubject> = {}): AliasSubject {
  const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:${name}`;
  return { kind: 'alias', arn, account: ACCOUNT, region: REGION, timeline: aliasTimeline(events, arn), lastUsed: {}, targets: {}, ...more };
}

/** CreateAlias, UpdateAlias or DeleteAlias of an alias; `target` is a key id. */
export function aMove(operation: string, at: number, move: { name: string; target: string; actor?: Actor }): StoredEvent {
  const place = { account: ACCOUNT, region: REGION };
  return anEvent(operation, at, {
    key: { arn: keyArn(move.target), kind: 'key', id: move.target, ...place },
    otherKey: { arn: `arn:aws:kms:${REGION}:${ACCOUNT}:${move.name}`, kind: 'alias', id: move.name, ...place },
    actor: move.actor ?? ADMIN,
  });
}

export function aUse(firstAt: number, lastAt: number, more: Partial<KeyUse> = {}): KeyUse {
  const ids = { firstEventId: `first-${firstAt}`, lastEventId: `last-${lastAt}` };
  return { actor: APP, operationClass: 'use', outcome: 'ok', count: 2, firstAt, lastAt, ...ids, ...more };
}

export function aFailure(firstAt: number, lastAt: number, more: Partial<FailureHour> = {}): FailureHour {
  const ids = { firstEventId: `first-${firstAt}`, lastEventId: `last-${lastAt}` };
  const count = firstAt === lastAt ? 1 : 2;
  return {
    hour: firstAt - (firstAt % 3_600_000),
    actor: APP,
    operation: 'Decrypt',
    operationClass: 'use',
    outcome: 'disabled',
    keyArn: KEY,
    count,
    firstAt,
    lastAt,
    ...ids,
    ...more,
  };
}

export interface Judging {
  readonly params?: Record<string, unknown>;
  readonly asOf?: number;
  readonly logKeys?: readonly string[];
}

/** Findings of one detector; throws what the detector threw. */
export function judge(
  detector: Detector,
  subject: KeySubject | AliasSubject,
  { params = {}, asOf = day(400), logKeys = [] }: Judging = {},
): DerivedFinding[] {
  const organization = { ownAccounts: new Set<string>(), logKeys: new Set(logKeys) };
  const configured = [{ detector, params: detector.params.parse(params) as unknown }];
  const { findings, failures } = deriveFindings(subject, configured, { asOf, organization, now: () => 0 });
  if (failures.length > 0) throw new Error(failures.map((failure) => failure.message).join('; '));
  return findings;
}
