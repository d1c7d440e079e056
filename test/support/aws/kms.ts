import { randomBytes } from 'node:crypto';
import { type Answer, json, jsonError } from './answer.ts';
import { type FakeKey, isPending, keyMetadata, unsupportedRotation } from './kms-key.ts';

interface Place {
  readonly account: string;
  readonly region: string;
}

interface Input {
  readonly KeyId?: string;
  readonly Limit?: number;
  readonly Marker?: string;
  readonly PolicyName?: string;
}

export interface KmsRequest extends Place {
  readonly operation: string;
  /** ARN; null where the call names no key. */
  readonly key: string | null;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly status?: number;
}

/** The reading part of KMS: https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html */
export class Kms {
  /** Requests a second, account and Region; more are throttled. */
  requestsPerSecond = Infinity;
  /** No page holds more, whatever is asked for: KMS may give fewer items than that. */
  pageSize = Infinity;
  /** So many markers are refused as if they had expired. */
  refusedMarkers = 0;
  /** Asked for every request that is let through. */
  refuse: (request: KmsRequest) => Refusal | null = () => null;
  readonly #keys = new Map<string, Map<string, FakeKey>>();
  readonly #aliases = new Map<string, Map<string, string | null>>();
  readonly #markers = new Map<string, { readonly about: string; readonly offset: number }>();
  readonly #arrivals = new Map<string, number[]>();

  put(key: FakeKey): FakeKey {
    const [, , , region = '', account = ''] = key.arn.split(':');
    const place = this.#keys.get(`${account}/${region}`) ?? new Map<string, FakeKey>();
    this.#keys.set(`${account}/${region}`, place);
    place.set(key.arn, key);
    return key;
  }

  /** As KMS does when the waiting period is over. */
  remove(arn: string): void {
    for (const keys of this.#keys.values()) keys.delete(arn);
  }

  /** @param target key ARN; null = the name is reserved and points to nothing. Undefined takes the alias away */
  alias(place: Place, name: string, target: string | null | undefined): void {
    const aliases = this.#aliases.get(nameOf(place)) ?? new Map<string, string | null>();
    this.#aliases.set(nameOf(place), aliases);
    if (target === undefined) aliases.delete(name);
    else aliases.set(name, target);
  }

  answer(operation: string, body: string, place: Place): Answer {
    if (!this.#admits(nameOf(place))) {
      return jsonError('ThrottlingException', {
        message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      });
    }
    const input = JSON.parse(body) as Input;
    const refusal = this.refuse({ operation, key: input.KeyId ?? null, ...place });
    if (refusal) return jsonError(refusal.code, { message: refusal.message, status: refusal.status ?? 400 });
    if (operation === 'ListKeys') {
      const keys = [...(this.#keys.get(nameOf(place))?.values() ?? [])];
      return this.#page(
        { operation, input, most: 1000, usual: 100 },
        'Keys',
        keys.map(({ arn }) => ({ KeyId: idOf(arn), KeyArn: arn })),
      );
    }
    if (operation === 'ListAliases') {
      const aliases = [...(this.#aliases.get(nameOf(place)) ?? [])].map(([AliasName, target]) => ({
        AliasName,
        AliasArn: `arn:aws:kms:${place.region}:${place.account}:${AliasName}`,
        ...(target !== null && { TargetKeyId: idOf(target) }),
      }));
      return this.#page({ operation, input, most: 100, usual: 50 }, 'Aliases', aliases);
    }
    const key = this.#keys.get(nameOf(place))?.get(input.KeyId ?? '');
    if (!key) return jsonError('NotFoundException', { message: `Key '${input.KeyId}' does not exist` });
    return this.#aboutKey(operation, input, key);
  }

  #aboutKey(operation: string, input: Input, key: FakeKey): Answer {
    const listing = { operation, input };
    switch (operation) {
      case 'DescribeKey':
        return json({ KeyMetadata: keyMetadata(key) });
      case 'GetKeyRotationStatus': {
        if (unsupportedRotation(key)) return jsonError('UnsupportedOperationException', { message: '' });
        const enabled = key.rotation !== null && !isPending(key);
        return json({ KeyId: key.arn, KeyRotationEnabled: enabled, ...(enabled && { RotationPeriodInDays: key.rotation?.periodDays }) });
      }
      case 'ListKeyRotations': {
        if (key.spec !== 'SYMMETRIC_DEFAULT') return jsonError('UnsupportedOperationException', { message: '' });
        const rotations = key.rotations.map((at) => ({ KeyId: idOf(key.arn), RotationDate: at / 1000, RotationType: 'AUTOMATIC' }));
        return this.#page({ ...listing, most: 1000, usual: 100 }, 'Rotations', rotations);
      }
      case 'GetKeyPolicy':
        return json({ Policy: key.policy, PolicyName: input.PolicyName ?? 'default' });
      case 'ListGrants':
        return this.#page({ ...listing, most: 100, usual: 50 }, 'Grants', key.grants);
      case 'ListResourceTags': {
        const tags = Object.entries(key.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
        return this.#page({ ...listing, most: 50, usual: 50 }, 'Tags', tags);
      }
      case 'GetKeyLastUsage':
        return json({
          KeyId: key.arn,
          KeyLastUsage:
            key.lastUsage === null
              ? {}
              : { Operation: key.lastUsage.operation, Timestamp: key.lastUsage.at / 1000, CloudTrailEventId: key.lastUsage.eventId },
          TrackingStartDate: key.created / 1000,
          KeyCreationDate: key.created / 1000,
        });
      default:
        return jsonError('UnknownOperationException', { message: operation });
    }
  }

  #page<T>(
    { operation, input, most, usual }: { readonly operation: string; readonly input: Input; readonly most: number; readonly usual: number },
    name: string,
    items: readonly T[],
  ): Answer {
    const { Limit = usual, Marker, KeyId = '' } = input;
    if (Limit < 1 || Limit > most) return jsonError('ValidationException', { message: `limit ${Limit}` });
    const about = `${operation} ${KeyId}`;
    const marker = Marker === undefined ? null : this.#markers.get(Marker);
    if (marker && this.refusedMarkers > 0) {
      this.refusedMarkers -= 1;
      return jsonError('InvalidMarkerException', { message: 'The marker has expired' });
    }
    if (marker === undefined || (marker && marker.about !== about))
      return jsonError('InvalidMarkerException', { message: 'Could not parse the marker' });
    const offset = marker?.offset ?? 0;
    const end = offset + Math.min(Limit, this.pageSize);
    const isLast = end >= items.length;
    return json({ [name]: items.slice(offset, end), Truncated: !isLast, ...(!isLast && { NextMarker: this.#issue(about, end) }) });
  }

  #issue(about: string, offset: number): string {
    const name = randomBytes(24).toString('base64url');
    this.#markers.set(name, { about, offset });
    return name;
  }

  #admits(place: string): boolean {
    const now = performance.now();
    const recent = (this.#arrivals.get(place) ?? []).filter((at) => at > now - 1_000);
    this.#arrivals.set(place, recent);
    if (recent.length >= this.requestsPerSecond) return false;
    recent.push(now);
    return true;
  }
}

/** As KMS refuses when no key policy lets the caller in. */
export function deniedByKeyPolicy({ operation, key, account }: KmsRequest): Refusal {
  const message = `User: arn:aws:sts::${account}:assumed-role/kmswatch-reader/kmswatch is not authorized to perform: kms:${operation} on resource: ${key} because no resource-based policy allows the kms:${operation} action`;
  return { code: 'AccessDeniedException', message };
}

function nameOf({ account, region }: Place): string {
  return `${account}/${region}`;
}

function idOf(arn: string): string {
  return arn.slice(arn.indexOf('/') + 1);
}
