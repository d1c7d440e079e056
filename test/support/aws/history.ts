/** Event history of accounts, as LookupEvents sees it. */
export interface HistoryEvent {
  /** The record as CloudTrail writes it. */
  readonly text: string;
  readonly eventId: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly readOnly: boolean;
  /** Epoch milliseconds, whole seconds. */
  readonly time: number;
  /** From when on it can be looked up, epoch milliseconds. */
  readonly availableAt: number;
}

export interface Lookup {
  readonly key: string | null;
  readonly value: string | null;
  readonly start: number;
  readonly end: number;
}

export class History {
  readonly #places = new Map<string, HistoryEvent[]>();

  /** @param availableAt later than now = the event comes late */
  add(record: object, availableAt = 0): HistoryEvent {
    const fields = record as Readonly<Record<string, unknown>>;
    const event = {
      text: JSON.stringify(record),
      eventId: String(fields['eventID']),
      eventName: String(fields['eventName']),
      eventSource: String(fields['eventSource']),
      readOnly: fields['readOnly'] === true,
      time: Date.parse(String(fields['eventTime'])),
      availableAt,
    };
    const place = `${String(fields['recipientAccountId'])}/${String(fields['awsRegion'])}`;
    const events = this.#places.get(place) ?? [];
    this.#places.set(place, events);
    events.push(event);
    return event;
  }

  /** Newest first; both times inclusive. */
  find(place: string, { key, value, start, end }: Lookup, now: number): HistoryEvent[] {
    return (this.#places.get(place) ?? [])
      .filter((event) => event.availableAt <= now && event.time >= start && event.time <= end && matches(event, key, value))
      .sort((a, b) => b.time - a.time || (a.eventId < b.eventId ? 1 : -1));
  }
}

function matches(event: HistoryEvent, key: string | null, value: string | null): boolean {
  switch (key) {
    case null:
      return true;
    case 'EventSource':
      return event.eventSource === value;
    case 'EventName':
      return event.eventName === value;
    case 'ReadOnly':
      return String(event.readOnly) === value;
    case 'EventId':
      return event.eventId === value;
    default:
      throw new Error(`the test server does not know the attribute ${key}`);
  }
}
