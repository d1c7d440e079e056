import type { JsonObject } from '../../core/json.ts';
import type { Story } from './contract.ts';

/** A story's label as files tell it: times as ISO 8601, null for an end that never comes. */
export function storyJson(story: Story): JsonObject {
  return {
    playbook: story.playbook,
    variant: story.variant,
    starts_at: iso(story.startsAt),
    ends_at: iso(story.endsAt),
    recognisable_at: iso(story.recognisableAt),
    expects: story.expects,
    accounts: story.accounts,
    keys: story.keys,
    actors: story.actors,
    aftermath: story.aftermath.map(({ key, from, to, code }) => ({ key, from: iso(from), to: iso(to), code })),
    unseen: story.unseen.map(({ account, from, to, kmsOnly }) => ({ account, from: iso(from), to: iso(to), kms_only: kmsOnly })),
  };
}

function iso(time: number): string | null {
  return Number.isFinite(time) ? new Date(time).toISOString() : null;
}
