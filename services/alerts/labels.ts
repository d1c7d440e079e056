/** What matchers look at and what groups are made by: names and values, as Alertmanager's labels. A label that is missing counts as empty. */
import type { Severity } from '../core/severity.ts';

export type Labels = Readonly<Record<string, string>>;

/** The part of a finding, and of what is known of its key, that labels are made of. */
export interface Labelled {
  readonly severity: Severity;
  readonly detector: string;
  readonly family: string;
  readonly account: string;
  readonly region: string;
  readonly keyArn: string | null;
  /** Tags of the key. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Labels that every alert has, `key` and `owner` where they are known; each tag of the key is one more, `tag_…`. */
export const LABEL_NAMES = ['severity', 'detector', 'family', 'account', 'region', 'key', 'owner'] as const;

export const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/;

const VALUE_LIMIT = 2_048;
const TAG_LIMIT = 50;

/** @param ownerTags names of tags that say who owns a key, the first that a key has counts; letter case does not matter */
export function labelsOf(of: Labelled, ownerTags: readonly string[]): Labels {
  const labels: Record<string, string> = {
    severity: of.severity,
    detector: of.detector,
    family: of.family,
    account: of.account,
    region: of.region,
  };
  if (of.keyArn !== null) labels['key'] = of.keyArn.slice(0, VALUE_LIMIT);
  const owner = ownerOf(of.tags, ownerTags);
  if (owner !== null) labels['owner'] = owner.slice(0, VALUE_LIMIT);
  for (const tag of Object.keys(of.tags).sort().slice(0, TAG_LIMIT)) {
    const name = tagLabel(tag);
    // Two tags may differ in characters that no label has: the first counts.
    if (!Object.hasOwn(labels, name)) labels[name] = (of.tags[tag] ?? '').slice(0, VALUE_LIMIT);
  }
  return labels;
}

/** `Cost Center` → `tag_Cost_Center`. */
export function tagLabel(tag: string): string {
  return `tag_${tag.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 190)}`;
}

export function labelValue(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

/** `{account="111122223333", key="…"}`: the same labels give the same text. */
export function labelText(labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`);
  return `{${pairs.join(', ')}}`;
}

function ownerOf(tags: Labelled['tags'], ownerTags: readonly string[]): string | null {
  const byName = new Map(
    Object.keys(tags)
      .sort()
      .toReversed()
      .map((tag) => [tag.toLowerCase(), tags[tag] ?? '']),
  );
  for (const wanted of ownerTags) {
    const value = byName.get(wanted.toLowerCase());
    if (value !== undefined && value !== '') return value;
  }
  return null;
}
