import type { KmsEvent, StoredEvent } from '../core/event.ts';

/** An event as the database gives it back to detectors. */
export function storedEvent(event: KmsEvent): StoredEvent {
  const { eventId, eventTime, account, region, service, operation, operationClass, key, otherKey, actor } = event;
  const { outcome, errorCode, callingService, detail, essence, session } = event;
  return {
    eventId,
    eventTime,
    account,
    region,
    service,
    operation,
    operationClass,
    key,
    otherKey,
    actor,
    outcome,
    errorCode,
    callingService,
    detail,
    essence,
    sessionName: session.name,
    ...(session.console && { console: true as const }),
    ...(session.mfa !== null && { mfa: session.mfa }),
  };
}
