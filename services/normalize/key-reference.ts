import { type KeyRef, keyRef, parseKmsArn } from '../core/arn.ts';
import { TextCache } from './cache.ts';
import { clean, IDENTIFIER_LIMIT } from './text.ts';

const KMS_ARN_IN_TEXT = /arn:aws[a-z-]{0,20}:kms:[a-z0-9-]{1,40}:[^:/\s]{1,64}:(?:key\/[A-Za-z0-9-]{1,128}|alias\/[A-Za-z0-9/_-]{1,256})/g;

/** Where a bare key id or alias name is looked up. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** Reference in whatever a record names: key ARN, alias ARN, key id, alias name. Null for anything else and for null. */
export function referenceTo(named: unknown, place: Place): KeyRef | null {
  if (typeof named !== 'string' || named.length > IDENTIFIER_LIMIT) return null;
  return named.startsWith('arn:') ? referenceOfArn(named) : keyRef(clean(named, IDENTIFIER_LIMIT), place.account, place.region);
}

export function referenceOfArn(arn: string): KeyRef | null {
  const known = REFERENCES.get(arn);
  if (known !== undefined) return known;
  const reference = arn.length > IDENTIFIER_LIMIT ? null : parseKmsArn(clean(arn, IDENTIFIER_LIMIT));
  return REFERENCES.keep(arn, reference === null ? null : Object.freeze(reference));
}

const REFERENCES = new TextCache<KeyRef | null>(4096);

/**
 * The KMS ARNs in an error message, in order. For a denied call, whose parameters are null, nothing else tells the key:
 * `User: … is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:… because …`.
 */
export function referencesInText(text: string): readonly KeyRef[] {
  const references: KeyRef[] = [];
  for (const [arn] of text.slice(0, 4096).matchAll(KMS_ARN_IN_TEXT)) {
    const reference = referenceOfArn(arn);
    if (reference !== null) references.push(reference);
  }
  return references;
}
