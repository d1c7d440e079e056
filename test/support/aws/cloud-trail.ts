import { createHash, randomBytes } from 'node:crypto';
import { type Answer, json, jsonError } from './answer.ts';
import { History } from './history.ts';

interface LookupEventsInput {
  readonly LookupAttributes?: readonly { readonly AttributeKey: string; readonly AttributeValue: string }[];
  readonly StartTime?: number;
  readonly EndTime?: number;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

interface Token {
  readonly question: string;
  readonly offset: number;
  readonly issuedAt: number;
}

interface ListPublicKeysInput {
  readonly StartTime?: number;
  readonly EndTime?: number;
  readonly NextToken?: string;
}

/** A public key for signatures of digests. */
export interface PublicKey {
  readonly region: string;
  /** DER, base64. */
  readonly value: string;
  readonly fingerprint: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** LookupEvents as https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html tells of it. */
export class CloudTrail {
  readonly history = new History();
  /** Accounts in which the call is refused. */
  readonly denied = new Set<string>();
  readonly publicKeys: PublicKey[] = [];
  /** Requests a second, account and Region; more are throttled. */
  requestsPerSecond = 2;
  tokenMs = Infinity;
  /** So many tokens are refused as if they had expired. */
  refusedTokens = 0;
  readonly #tokens = new Map<string, Token>();
  /** Arrival of requests that were let through by place, performance.now(). */
  readonly #arrivals = new Map<string, number[]>();

  answer(operation: string, body: string, { account, region }: { readonly account: string; readonly region: string }): Answer {
    const place = `${account}/${region}`;
    if (operation === 'ListPublicKeys') return this.#listPublicKeys(region, account, JSON.parse(body) as ListPublicKeysInput);
    if (!this.#admits(place)) return jsonError('ThrottlingException', { message: 'Rate exceeded' });
    if (operation !== 'LookupEvents') return jsonError('UnknownOperationException', { message: operation });
    if (this.denied.has(account)) {
      const message = `User: arn:aws:sts::${account}:assumed-role/kmswatch-reader/kmswatch is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action`;
      return jsonError('AccessDeniedException', { message });
    }
    return this.#lookup(place, JSON.parse(body) as LookupEventsInput);
  }

  /** One key a page: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html */
  #listPublicKeys(region: string, account: string, { StartTime, EndTime, NextToken = '0' }: ListPublicKeysInput): Answer {
    if (this.denied.has(account))
      return jsonError('AccessDeniedException', { message: 'not authorized to perform: cloudtrail:ListPublicKeys' });
    const now = Date.now() / 1000;
    const [start, end] = [(StartTime ?? now) * 1000, (EndTime ?? now) * 1000];
    const found = this.publicKeys.filter((key) => key.region === region && key.from <= end && key.to >= start);
    const at = Number(NextToken);
    return json({
      PublicKeyList: found.slice(at, at + 1).map(({ value, fingerprint, from, to }) => ({
        Value: value,
        Fingerprint: fingerprint,
        ValidityStartTime: from / 1000,
        ValidityEndTime: to / 1000,
      })),
      ...(at + 1 < found.length && { NextToken: String(at + 1) }),
    });
  }

  #admits(place: string): boolean {
    const now = performance.now();
    const recent = (this.#arrivals.get(place) ?? []).filter((at) => at > now - 1_000);
    this.#arrivals.set(place, recent);
    if (recent.length >= this.requestsPerSecond) return false;
    recent.push(now);
    return true;
  }

  #lookup(place: string, input: LookupEventsInput): Answer {
    const { StartTime = 0, EndTime = Infinity, MaxResults = 50, NextToken, LookupAttributes = [] } = input;
    if (LookupAttributes.length > 1) return jsonError('InvalidLookupAttributesException', { message: 'only one attribute' });
    if (StartTime > EndTime) return jsonError('InvalidTimeRangeException', { message: 'start after end' });
    if (MaxResults < 1 || MaxResults > 50) return jsonError('InvalidMaxResultsException', { message: String(MaxResults) });
    const question = createHash('sha256')
      .update(JSON.stringify([place, StartTime, EndTime, MaxResults, LookupAttributes]))
      .digest('hex');
    const token = NextToken === undefined ? null : this.#tokens.get(NextToken);
    if (token && this.refusedTokens > 0) {
      this.refusedTokens -= 1;
      return jsonError('InvalidNextTokenException', { message: 'The token has expired' });
    }
    if (token === undefined || (token && (token.question !== question || token.issuedAt < performance.now() - this.tokenMs))) {
      return jsonError('InvalidNextTokenException', { message: 'Invalid token or a token that was used with other parameters' });
    }
    const offset = token?.offset ?? 0;
    const [attribute] = LookupAttributes;
    const found = this.history.find(
      place,
      { key: attribute?.AttributeKey ?? null, value: attribute?.AttributeValue ?? null, start: StartTime * 1000, end: EndTime * 1000 },
      Date.now(),
    );
    const page = found.slice(offset, offset + MaxResults);
    const isLast = offset + MaxResults >= found.length;
    return json({
      Events: page.map((event) => ({
        EventId: event.eventId,
        EventName: event.eventName,
        EventSource: event.eventSource,
        EventTime: event.time / 1000,
        ReadOnly: String(event.readOnly),
        Resources: [],
        CloudTrailEvent: event.text,
      })),
      ...(!isLast && { NextToken: this.#issue({ question, offset: offset + MaxResults, issuedAt: performance.now() }) }),
    });
  }

  #issue(token: Token): string {
    const name = randomBytes(24).toString('base64url');
    this.#tokens.set(name, token);
    return name;
  }
}
