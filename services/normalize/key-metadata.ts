import type { KeyMetadata } from '../core/event.ts';
import { parseMoment } from './dates.ts';
import { type Lost, lose, readBoolean, readIdentifier, readName, readObject, readText } from './fields.ts';

type Writable<T> = { -readonly [P in keyof T]: T[P] };

/** `keyMetadata` of a CreateKey, `replicaKeyMetadata` of a ReplicateKey response. Old records say `customerMasterKeySpec`. */
export function keyMetadataOf(value: unknown, lost: Lost): KeyMetadata | null {
  const raw = readObject(value, 'responseElements.keyMetadata', lost);
  if (raw === null) return null;
  const region = readObject(raw.multiRegionConfiguration, 'responseElements.keyMetadata.multiRegionConfiguration', lost);
  const primary = readObject(region?.primaryKey, 'responseElements.keyMetadata.multiRegionConfiguration.primaryKey', lost);
  const name = (field: string): string | undefined => readName(raw[field], `responseElements.keyMetadata.${field}`, lost) ?? undefined;
  const flag = (field: string): boolean | undefined => readBoolean(raw[field], `responseElements.keyMetadata.${field}`, lost) ?? undefined;
  return withoutUndefined<KeyMetadata>({
    keySpec: name('keySpec') ?? name('customerMasterKeySpec'),
    keyUsage: name('keyUsage'),
    origin: name('origin'),
    keyManager: name('keyManager'),
    keyState: name('keyState'),
    enabled: flag('enabled'),
    multiRegion: flag('multiRegion'),
    multiRegionKeyType:
      readName(region?.multiRegionKeyType, 'responseElements.keyMetadata.multiRegionConfiguration.multiRegionKeyType', lost) ?? undefined,
    primaryKeyArn: readIdentifier(primary?.arn, 'responseElements.keyMetadata.multiRegionConfiguration.primaryKey.arn', lost) ?? undefined,
    creationDate: readMoment(raw.creationDate, 'responseElements.keyMetadata.creationDate', lost) ?? undefined,
    customKeyStoreId: name('customKeyStoreId'),
    description: readText(raw.description, 'responseElements.keyMetadata.description', lost) ?? undefined,
  });
}

export function readMoment(value: unknown, path: string, lost: Lost): number | null {
  if (value === undefined || value === null || value === '') return null;
  const moment = parseMoment(value);
  if (moment === null) lose(path, lost);
  return moment;
}

/** Only what the record states is present. */
export function withoutUndefined<T extends object>(value: Writable<T>): T {
  for (const field of Object.keys(value) as (keyof T)[]) if (value[field] === undefined) delete value[field];
  return value;
}
