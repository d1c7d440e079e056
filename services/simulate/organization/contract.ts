/** What the simulated organization and its playbooks agree upon. */
import type { Caller } from '../record.ts';
import type { Random } from '../random.ts';
import type { Scribe } from '../scribe.ts';
import type { SimKey, World } from '../world.ts';

/** AWS services that keys serve, and `application` for those that workloads call themselves. */
export const PURPOSES = [
  's3',
  'ebs',
  'rds',
  'dynamodb',
  'secretsmanager',
  'ssm',
  'lambda',
  'sqs',
  'backup',
  'logs',
  'application',
  'signing',
  'imported',
] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface OrgKey {
  readonly key: SimKey;
  readonly purpose: Purpose;
  /** Who uses it day by day; never empty. */
  readonly workloads: readonly Workload[];
  /** Encryption context of one use, as the service writes it. Empty for signing. */
  context(random: Random): Record<string, string>;
}

/** A role of a service of the account that uses keys, directly or through an AWS service. */
export interface Workload {
  readonly account: string;
  readonly role: string;
  /** Principal of the AWS service that calls KMS with its credentials, as `s3.amazonaws.com`; null where it calls KMS itself. */
  readonly through: string | null;
  /** One of its instances at that time, as its records show it, `through` applied. */
  caller(time: number): Caller;
  /** Its own credentials without an AWS service between, from where its instances run. */
  direct(time: number): Caller;
}

/** Somebody who signs in through IAM Identity Center; works in one or more accounts. */
export interface OrgPerson {
  readonly mail: string;
  readonly permissions: 'PlatformAdmin' | 'Developer' | 'DataEngineer' | 'SecurityAudit';
  /** Hours east of UTC. */
  readonly offset: number;
  readonly accounts: readonly string[];
  /** A session of theirs, from their usual network with their usual client. `console` is a console session with MFA. */
  caller(account: string, time: number, tool: 'cli' | 'console'): Caller;
}

export interface OrgAccount {
  readonly id: string;
  readonly name: string;
  readonly regions: readonly string[];
  readonly keys: readonly OrgKey[];
  readonly people: readonly OrgPerson[];
  /** The role that deploys; changes policies, aliases and tags in its window. */
  pipeline(time: number): Caller;
  /** Role for emergencies, hardly ever used. */
  breakGlass(time: number): Caller;
}

/** Everything of the organization that stands still. */
export interface SimOrganization {
  readonly seed: string;
  readonly start: number;
  readonly end: number;
  readonly organizationId: string;
  readonly accounts: readonly OrgAccount[];
  /** Account of the log bucket, the trail and the key that encrypts it; its first key is that key. */
  readonly security: OrgAccount;
  readonly trail: { readonly arn: string; readonly name: string; readonly bucket: string };
  /** SQS queue that kmswatch reads. */
  readonly monitorQueue: string;
  readonly allowedRegions: readonly string[];
  /** Weekly change window. */
  readonly changeWindow: { readonly weekdays: readonly string[]; readonly from: string; readonly to: string };
  /** Customers' and partners' accounts that are trusted. */
  readonly trusted: readonly string[];
  /** Stable ids, for `callers.ts`; its keyring is empty. */
  readonly world: World;
}

export const VARIANTS = ['loud', 'quiet', 'evasive'] as const;
export type Variant = (typeof VARIANTS)[number];

/** A playbook is told on a stage: when it begins, what is there, and where it writes. */
export interface Stage {
  readonly organization: SimOrganization;
  readonly variant: Variant;
  /** The story may begin here; habits have been learned by then. Epoch milliseconds. */
  readonly at: number;
  readonly random: Random;
  readonly scribe: Scribe;
  /** The account that the story happens in. Not the security account, unless the playbook asks for it by `where`. */
  readonly account: OrgAccount;
}

/** A stretch in which use of a key fails, or does not happen (`code` null): what the story does to those who use the key. */
export interface Aftermath {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly code: string | null;
  readonly message: string;
}

/** The label of an injected story: what a judge needs to tell whether, and how soon, it was noticed. */
export interface Story {
  readonly playbook: string;
  readonly variant: Variant;
  /** Event times of its first and last record. */
  readonly startsAt: number;
  readonly endsAt: number;
  /** Event time of the record that makes it recognisable. */
  readonly recognisableAt: number;
  /** Detectors of which any one, on the story's subjects, counts as recognised. */
  readonly expects: readonly string[];
  /** Account ids and key ARNs in which findings belong to the story. */
  readonly accounts: readonly string[];
  readonly keys: readonly string[];
  /** ARNs of the attackers' principals as findings name actors. */
  readonly actors: readonly string[];
  readonly aftermath: readonly Aftermath[];
  /** Records of these accounts and times are not delivered: the trail is blind. `kmsOnly`: only those of KMS. */
  readonly unseen: readonly { readonly account: string; readonly from: number; readonly to: number; readonly kmsOnly: boolean }[];
}

export interface Playbook {
  readonly id: string;
  /** One sentence: what the attacker does. */
  readonly about: string;
  /** Where it can happen; default any account but the security account that has a key `needs`. */
  readonly where?: 'security';
  /** Purposes of which the account must have a key; any one of them. Default: none needed. */
  readonly needs?: readonly Purpose[];
  /** Days within which every variant has ended, counted from the stage's `at`; default 8: it waits for working hours or the change window. */
  readonly days?: number;
  /** Detectors that are meant to recognise it; each story names the ones for its variant. */
  readonly expects: readonly string[];
  /** How the variants differ, in a few words each. */
  readonly variants: Readonly<Record<Variant, string>>;
  /** Writes the story's records with the stage's scribe. */
  tell(stage: Stage): Story;
}
