import { KmswatchError } from '../../core/errors.ts';

/** User metadata of a digest object, as far as validation needs it. Null = it has none of that name. */
export interface ObjectMetadata {
  /** `x-amz-meta-signature`, hex. */
  readonly signature: string | null;
  /** `x-amz-meta-signature-algorithm`; `SHA256withRSA`. */
  readonly algorithm: string | null;
  /** `x-amz-meta-backfill-generation-timestamp`, of backfill digests only. */
  readonly backfillGenerated: string | null;
}

const PREFIX = 'x-amz-meta-';

/**
 * Reads a manifest `{ "<object key>": { "signature": …, "signature-algorithm": …, … } }`. Also taken: keys as `s3://bucket/key`, names
 * with their `x-amz-meta-`, and whole answers of `aws s3api head-object`.
 * @throws KmswatchError INPUT_INVALID
 */
export function parseManifest(document: unknown, name: string): Map<string, ObjectMetadata> {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw invalid(name, 'it is no JSON object of object keys');
  const manifest = new Map<string, ObjectMetadata>();
  for (const [key, value] of Object.entries(document)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, `${key.slice(0, 200)} has no metadata`);
    manifest.set(key.replace(/^s3:\/\/[^/]*\//, ''), metadataOf(value as object));
  }
  return manifest;
}

function metadataOf(value: object): ObjectMetadata {
  const inner = 'Metadata' in value && typeof value.Metadata === 'object' && value.Metadata !== null ? value.Metadata : value;
  const fields = new Map<string, string>();
  for (const [name, text] of Object.entries(inner)) {
    const short = name.toLowerCase().replace(PREFIX, '');
    if (typeof text === 'string' || typeof text === 'number') fields.set(short, String(text));
  }
  return {
    signature: fields.get('signature') ?? null,
    algorithm: fields.get('signature-algorithm') ?? null,
    backfillGenerated: fields.get('backfill-generation-timestamp') ?? null,
  };
}

function invalid(name: string, why: string): KmswatchError {
  return new KmswatchError('INPUT_INVALID', `${name} cannot be used as manifest of metadata: ${why}.`, {
    hint: 'Write {"<object key>": {"signature": "…", "signature-algorithm": "SHA256withRSA"}} for every digest.',
  });
}
