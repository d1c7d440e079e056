import { DAY } from '../../core/clock.ts';
import { Random } from '../random.ts';
import type { Entry } from '../record.ts';
import { Scribe } from '../scribe.ts';
import type { Playbook, Story, Variant } from './contract.ts';
import type { Estate, Household } from './organization.ts';

/** One story that is wished for; without `at` its time is drawn. */
export interface Part {
  readonly playbook: string;
  readonly variant: Variant;
  /** Epoch milliseconds. */
  readonly at?: number;
}

/** Which stories to tell: none, these, or every playbook that is given in these variants, each so many times (default 1). */
export type Casting = 'none' | readonly Part[] | { readonly all: readonly Variant[]; readonly times?: number };

export interface Told {
  readonly stories: Story[];
  readonly entries: Entry[];
}

/** Days that a story needs to unfold before the period ends, where its playbook does not say. */
const UNFOLDS = 8;

/**
 * Finds time and place for each story and has its playbook tell it. Each happens in another account while there are any.
 * @throws RangeError for an unknown playbook, one that no account suits, or one that writes outside its own story
 */
export function tellStories(estate: Estate, playbooks: readonly Playbook[], how: { casting: Casting; learningDays: number }): Told {
  const parts = partsOf(how.casting, playbooks);
  const random = new Random(`${estate.seed}/casting`);
  const earliest = Math.min(estate.start + how.learningDays * DAY, estate.end);
  const used = new Set<string>();
  const told = parts.map((part, number) => {
    const playbook = playbooks.find(({ id }) => id === part.playbook);
    if (!playbook) throw new RangeError(`there is no playbook ${part.playbook}`);
    const span = Math.max(0, estate.end - (playbook.days ?? UNFOLDS) * DAY - earliest);
    const at = part.at ?? Math.floor((earliest + random.float() * span) / 1_000) * 1_000;
    const account = placeFor(random, estate, { playbook, used });
    used.add(account.id);
    return tell(estate, playbook, { variant: part.variant, at, account, number });
  });
  return {
    stories: told.map(({ story }) => story).sort((a, b) => a.startsAt - b.startsAt),
    entries: told.flatMap(({ entries }) => entries),
  };
}

function partsOf(casting: Casting, playbooks: readonly Playbook[]): readonly Part[] {
  if (casting === 'none') return [];
  if (!('all' in casting)) return casting;
  const { all, times = 1 } = casting;
  return Array.from({ length: times }, () => playbooks.flatMap(({ id }) => all.map((variant) => ({ playbook: id, variant })))).flat();
}

function placeFor(random: Random, estate: Estate, { playbook, used }: { playbook: Playbook; used: ReadonlySet<string> }): Household {
  const { where, needs } = playbook;
  if (where === 'security') return estate.security;
  const suits = estate.accounts.filter(
    (household) => household !== estate.security && (!needs || household.keys.some(({ purpose }) => needs.includes(purpose))),
  );
  if (suits.length === 0) throw new RangeError(`no account suits the playbook ${playbook.id}`);
  const fresh = suits.filter(({ id }) => !used.has(id));
  return random.pick(fresh.length > 0 ? fresh : suits);
}

function tell(
  estate: Estate,
  playbook: Playbook,
  stage: { variant: Variant; at: number; account: Household; number: number },
): { story: Story; entries: Entry[] } {
  const { variant, at, account, number } = stage;
  const random = new Random(`${estate.seed}/story/${number}/${playbook.id}/${variant}`);
  const scribe = new Scribe(random.fork('records'));
  const story = playbook.tell({ organization: estate, variant, at, random, scribe, account });
  const [from, to] = [Math.floor(story.startsAt / 1_000) * 1_000, story.endsAt];
  if (scribe.entries.some(({ time }) => time < from || time > to))
    throw new RangeError(`the playbook ${playbook.id} (${variant}) writes records outside its story`);
  return { story, entries: scribe.entries };
}
