import { type KeyRef, parseKmsArn } from '../../../services/core/arn.ts';
import type { Actor, EventDetail, KmsEvent, Outcome } from '../../../services/core/event.ts';
import { digest128 } from '../../../services/core/ids.ts';
import { operationClass } from '../../../services/core/operations.ts';

export const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-aaaa-4aaa-8aaa-000000000001';
export const OTHER_KEY = 'arn:aws:kms:eu-west-1:111122223333:key/22222222-bbbb-4bbb-8bbb-000000000002';
export const PRIMARY = 'arn:aws:kms:eu-west-1:111122223333:key/mrk-33333333cccc4ccc8ccc000000000003';
export const REPLICA = 'arn:aws:kms:us-east-1:111122223333:key/mrk-33333333cccc4ccc8ccc000000000003';
export const ALIAS = 'arn:aws:kms:eu-west-1:111122223333:alias/orders';

export const ADMIN: Actor = { type: 'role', id: 'arn:aws:iam::111122223333:role/KeyAdmin', account: '111122223333', name: 'KeyAdmin' };
export const ROOT: Actor = { type: 'root', id: 'arn:aws:iam::444455556666:root', account: '444455556666', name: 'root' };

export function ref(arn: string): KeyRef {
  const reference = parseKmsArn(arn);
  if (!reference) throw new Error(`no KMS ARN: ${arn}`);
  return reference;
}

export interface Telling {
  readonly at: number;
  readonly id?: string;
  readonly service?: string;
  readonly key?: string | null;
  readonly otherKey?: string | null;
  readonly detail?: EventDetail | null;
  readonly outcome?: Outcome;
  readonly actor?: Actor;
  readonly essence?: string;
  readonly account?: string;
  readonly region?: string;
  readonly protectsLogs?: boolean;
}

/** An event as the normalizer would give it, about `KEY` by `ADMIN` unless said otherwise. Its id is derived from what is said. */
export function tell(operation: string, telling: Telling): KmsEvent {
  const { at, service = 'kms', key = KEY, otherKey = null, detail = null, outcome = 'ok', actor = ADMIN } = telling;
  const digest = digest128([operation, JSON.stringify(telling)]);
  const essence = telling.essence ?? digest.slice(0, 16);
  const { account = '111122223333', region = 'eu-west-1', protectsLogs = false, id = idOf(digest) } = telling;
  return {
    eventId: id,
    eventTime: at,
    account,
    region,
    essence,
    eventVersion: '1.11',
    eventType: 'AwsApiCall',
    service,
    operation,
    operationClass: operationClass(service, operation, null),
    readOnly: null,
    key: key === null ? null : ref(key),
    otherKey: otherKey === null ? null : ref(otherKey),
    actor,
    session: { name: 'shift-1', accessKeyId: null, mfa: null, console: false },
    callingService: null,
    network: { kind: 'none', address: null, prefix: null },
    userAgentFamily: null,
    vpcEndpoint: null,
    tlsVersion: null,
    outcome,
    errorCode: outcome === 'ok' ? null : 'SomeException',
    encryptionContext: null,
    keyMaterialId: null,
    sharedEventId: null,
    requestId: null,
    correctsEventId: null,
    dryRun: false,
    detail,
    protectsLogs,
    lostFields: [],
  };
}

/** A `StoredEvent` of it; the engine and the reducer look at nothing else. */
export function stored(event: KmsEvent) {
  return { ...event, sessionName: event.session.name };
}

function idOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
