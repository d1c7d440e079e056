/** What happens to messages, for logs and metrics. No text from a message is in here but its id. */
export type QueueEvent =
  | { readonly kind: 'received'; readonly messages: number }
  /** Its events are committed (or there was nothing in it for us), and it was deleted. */
  | { readonly kind: 'deleted'; readonly messages: number }
  /** `why`: `test-event`, `digest`, `foreign`, … */
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'extended'; readonly messages: number }
  /** Its time ran out while we worked on it; it comes again, here or elsewhere. */
  | { readonly kind: 'lost'; readonly id: string }
  /** It stays in the queue and comes again. */
  | { readonly kind: 'returned'; readonly id: string; readonly reason: string }
  /** It was kept in quarantine; a message that failed too often is then left to the queue. */
  | { readonly kind: 'quarantined'; readonly id: string; readonly reason: string }
  /** A call to SQS failed and will be made again. */
  | { readonly kind: 'failed'; readonly call: string; readonly message: string };

export type OnQueueEvent = (queue: string, event: QueueEvent) => void;
