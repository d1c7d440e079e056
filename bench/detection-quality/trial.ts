/** The simulated organization of one seed, with every playbook told once, and what it has told kmswatch about itself. */
import { DAY } from '../../services/core/clock.ts';
import type { Organization } from '../../services/detectors/contract.ts';
import { type Playbook, type SimOrganization, type Story, type Variant, VARIANTS } from '../../services/simulate/organization/contract.ts';
import { planOrganization } from '../../services/simulate/organization/plan.ts';
import { PLAYBOOKS } from '../../services/simulate/organization/playbooks.ts';
import { Random } from '../../services/simulate/random.ts';
import type { Caller, Entry } from '../../services/simulate/record.ts';
import { organizationOf } from '../../services/workers/organization.ts';
import { organizationSchema } from '../../services/workers/organization-config.ts';
import type { Trial } from './judge.ts';
import type { Told } from './score.ts';

export interface Size {
  readonly seed: string;
  readonly days: number;
  readonly accounts: number;
  readonly keys: number;
  readonly records: number;
}

export const FULL: Omit<Size, 'seed'> = { days: 90, accounts: 40, keys: 400, records: 1_050_000 };

/** Of the days, for learning only. */
const LEARNING_SHARE = 1 / 3;

/** @param playbooks default all of them */
export function trialOf({ seed, days, accounts, keys, records }: Size, playbooks: readonly Playbook[] = PLAYBOOKS): Trial {
  const end = endOf(seed);
  const learnedDays = Math.round(days * LEARNING_SHARE);
  const told = new Map<Story, readonly Entry[]>();
  const plan = planOrganization({
    seed,
    end,
    days,
    accounts,
    keys,
    records,
    learningDays: learnedDays,
    stories: playbooks.map(({ id }, at) => ({ playbook: id, variant: variantOf(seed, at) })),
    playbooks: playbooks.map((playbook) => overheard(playbook, told)),
  });
  const { organization } = plan;
  return {
    start: end - days * DAY,
    days,
    learnedDays,
    accounts: [...new Set([organization.security, ...organization.accounts].map(({ id }) => id))],
    organization: knowledgeOf(organization),
    stories: plan.stories.map((story): Told => {
      const entries = told.get(story);
      if (!entries) throw new Error(`the story ${story.playbook} (${story.variant}) is not the one that its playbook told`);
      const others = plan.stories.filter((other) => other !== story);
      return {
        ...story,
        eventIds: new Set(entries.flatMap(({ record: { eventID } }) => (typeof eventID === 'string' ? [eventID] : []))),
        hidden: entries.some((entry) => others.some((other) => hides(other, entry))),
      };
    }),
    files: plan.files(),
  };
}

/**
 * Each seed tells each playbook in one variant; three seeds with neighbouring numbers tell all of them. More in one organization would
 * come upon the same callers and keys, and what one thief has made known of a caller hides the next one.
 */
function variantOf(seed: string, playbook: number): Variant {
  const turn = playbook + Number(/\d*$/.exec(seed)?.[0] ?? 0);
  return VARIANTS[turn % VARIANTS.length] ?? 'loud';
}

/** A playbook of whose stories the records are kept. */
function overheard(playbook: Playbook, told: Map<Story, readonly Entry[]>): Playbook {
  return {
    ...playbook,
    tell(stage) {
      const before = stage.scribe.entries.length;
      const story = playbook.tell(stage);
      told.set(story, stage.scribe.entries.slice(before));
      return story;
    },
  };
}

/** Does a story keep this record from the trail? */
export function hides({ unseen }: Story, { time, account, record }: Entry): boolean {
  const isKms = record['eventSource'] === 'kms.amazonaws.com';
  return unseen.some((span) => span.account === account && time > span.from && time < span.to && (isKms || !span.kmsOnly));
}

/** Midnight of some day of a year, so that each seed lies otherwise to holidays, sales and the ends of months. */
function endOf(seed: string): number {
  return Date.UTC(2026, 0, 1) + new Random(`${seed}/end`).int(0, 364) * DAY;
}

/** Name of the role behind a session. */
function roleOf({ identity: { arn } }: Caller): string {
  return typeof arn === 'string' ? (arn.split('/')[1] ?? '') : '';
}

/** What somebody who runs kmswatch would have written into its configuration. */
export function knowledgeOf({
  accounts,
  security,
  trusted,
  organizationId,
  allowedRegions,
  monitorQueue,
  trail,
  changeWindow,
}: SimOrganization): Organization {
  return organizationOf({
    organization: organizationSchema.parse({
      accounts: [...new Set([security, ...accounts].map(({ id }) => id))],
      trusted_accounts: trusted,
      organization_ids: [organizationId],
      allowed_regions: allowedRegions,
      break_glass_roles: [roleOf(security.breakGlass(0))],
      pipeline_roles: [roleOf(security.pipeline(0))],
      change_windows: [{ name: 'weekly change window', ...changeWindow }],
      log_keys: [security.keys[0]?.key.arn],
      log_buckets: [trail.bucket],
      monitor: [monitorQueue],
    }),
    sources: {},
  });
}
