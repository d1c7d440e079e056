/** Reads the event history of one account in one Region, as the guest of whoever polls it live. */
import type { JsonObject } from '../../core/json.ts';
import { AwsFailure } from '../../platform/aws.ts';
import type { Lease, Leases } from '../../platform/leases.ts';
import {
  draftOf,
  type Filter,
  filterName,
  Interruption,
  type LookupApi,
  nameOf,
  Pacer,
  readPages,
  Seen,
  type Target,
  type Time,
} from '../event-history.ts';
import { dayName } from './days.ts';
import type { Piece } from './stretch.ts';

export interface HistoryParts {
  readonly time: Time;
  readonly apiOf: (target: Target) => LookupApi;
  /** 12 digits: whose credentials are used. @throws AwsFailure */
  readonly accountOf: (target: Target) => Promise<string>;
  readonly leases: Pick<Leases, 'tryJoin'>;
  readonly relevant: (service: string, operation: string) => boolean;
}

/** Pages of one question, 50 events each; what is left of its window then is asked anew, for the token that leads on does not live long. */
const PAGES_AT_MOST = 40;
/** How often a token may be refused before the day is left. */
const CUT_OFF_AT_MOST = 20;
/** Another backfill of the same account and Region is waited for so long. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 1_000;
/** From joining to the first request, and from the last request to leaving: until then the other has noticed. */
const SETTLE_MS = 2_000;
/** Records that are known not to need delivering again: windows share a second. */
const SEEN_LIMIT = 20_000;

export interface Span {
  /** Both inclusive, whole seconds, epoch milliseconds. */
  readonly start: number;
  readonly end: number;
}

export class TargetReader {
  readonly #target: Target;
  readonly #parts: HistoryParts;
  readonly #api: LookupApi;
  readonly #pacer: Pacer;
  readonly #seen = new Seen(SEEN_LIMIT);
  #lease: Lease | null = null;
  #isRefused = false;

  constructor(target: Target, parts: HistoryParts) {
    this.#target = target;
    this.#parts = parts;
    this.#api = parts.apiOf(target);
    this.#pacer = new Pacer(parts.time);
  }

  /** A failure that will be the same for every other day. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Newest first. @throws AwsFailure, Interruption, Error */
  async *read(filter: Filter, span: Span, signal: AbortSignal): AsyncGenerator<Piece> {
    if (span.start > span.end) throw new Error('CloudTrail has dropped this day meanwhile');
    let page = 0;
    for (let [end, cutOff] = [span.end, 0]; end >= span.start && !signal.aborted; ) {
      let oldest = end;
      let isRead = true;
      try {
        let pages = 0;
        for await (const { events, isLast } of readPages(filter, { kind: 'pass', start: span.start, end }, await this.#tools(signal))) {
          pages += 1;
          page += 1;
          yield* this.#pieces(filter, { events, span, page });
          oldest = events.at(-1)?.EventTime?.getTime() ?? oldest;
          // Within one second there is no other way on than the token.
          isRead = isLast || pages < PAGES_AT_MOST || oldest >= end;
          if (!isRead) break;
        }
      } catch (error) {
        this.#note(error);
        // The token leads nowhere any more: what is left is asked for anew.
        if (!isLostToken(error) || (cutOff += 1) > CUT_OFF_AT_MOST) throw error;
        isRead = false;
      }
      if (isRead) return;
      end = oldest;
    }
  }

  #note(error: unknown): void {
    this.#isRefused ||= error instanceof AwsFailure && (error.reason === 'access-denied' || error.reason === 'credentials-missing');
    // The connection that held it is gone.
    if (error instanceof Interruption) this.#lease = null;
  }

  async close(): Promise<void> {
    const { time } = this.#parts;
    this.#api.close();
    if (!this.#lease) return;
    await time.sleep(SETTLE_MS, new AbortController().signal);
    await this.#lease.release();
  }

  *#pieces(filter: Filter, { events, span, page }: FoundPage): Generator<Piece> {
    const { account, region } = this.#target;
    const draft = draftOf(events, { filter, relevant: this.#parts.relevant, seen: this.#seen });
    if (!draft) return;
    for (const { digest, time } of draft.records) this.#seen.add(digest, time);
    const locator: JsonObject = {
      account,
      region,
      filter: filterName(filter),
      start: new Date(span.start).toISOString(),
      end: new Date(span.end).toISOString(),
      page,
      ...(draft.skippedOrdinals.length > 0 && { skippedOrdinals: draft.skippedOrdinals }),
    };
    const of = `page ${page} of ${account} ${region} ${filterName(filter)} ${dayName(span.start)}`;
    yield { kind: 'delivery', of, isFirst: true, locator, payload: draft.payload, quarantined: draft.quarantined };
  }

  async #tools(signal: AbortSignal): Promise<Parameters<typeof readPages>[2]> {
    const { time } = this.#parts;
    this.#lease ??= await this.#join(signal);
    return { api: this.#api, pacer: this.#pacer, lease: this.#lease, time, signal, onRetry: () => undefined };
  }

  async #join(signal: AbortSignal): Promise<Lease> {
    const { leases, time } = this.#parts;
    await this.#checkAccount();
    for (const deadline = time.elapsed() + PATIENCE_MS; !signal.aborted; await time.sleep(RETRY_MS, signal)) {
      const lease = await leases.tryJoin(nameOf(this.#target));
      if (lease) {
        await time.sleep(SETTLE_MS, signal);
        return lease;
      }
      if (time.elapsed() > deadline) break;
    }
    throw new Error(`another backfill is reading account ${this.#target.account} in ${this.#target.region}`);
  }

  /** Without a role it is the process's own account that is read: it must be the one meant. */
  async #checkAccount(): Promise<void> {
    const { account, role } = this.#target;
    if (role !== null) return;
    const own = await this.#parts.accountOf(this.#target);
    if (own === account) return;
    const message = `the credentials are those of account ${own}; account ${account} needs a role_arn or role_name in the configuration`;
    throw new AwsFailure('access-denied', { message, code: 'WrongAccount' });
  }
}

interface FoundPage {
  readonly events: Parameters<typeof draftOf>[0];
  readonly span: Span;
  /** From 1, newest first. */
  readonly page: number;
}

function isLostToken(error: unknown): boolean {
  return error instanceof AwsFailure && error.reason === 'token-invalid';
}
