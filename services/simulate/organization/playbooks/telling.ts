import { DAY, MINUTE } from '../../../core/clock.ts';
import { laterMoment } from '../../instants.ts';
import type { Random } from '../../random.ts';
import type { Call, Caller } from '../../record.ts';
import type { SimKey } from '../../world.ts';
import type { Aftermath, OrgAccount, OrgKey, OrgPerson, Purpose, SimOrganization, Stage, Story, Workload } from '../contract.ts';

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

export interface Place {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly region: string;
}

/** A story while it is told: writes its records, and keeps what its label has to say. */
export class Telling {
  readonly stage: Stage;
  readonly organization: SimOrganization;
  readonly account: OrgAccount;
  readonly at: number;
  readonly random: Random;
  /** An account that nobody in the organization knows; one for each story. */
  readonly foreign: string;
  readonly #times: number[] = [];
  readonly #accounts = new Set<string>();
  readonly #keys = new Set<string>();
  readonly #actors = new Set<string>();
  readonly #aftermath: Aftermath[] = [];
  readonly #unseen: Story['unseen'][number][] = [];

  constructor(stage: Stage) {
    this.stage = stage;
    this.organization = stage.organization;
    this.account = stage.account;
    this.at = Math.ceil(stage.at / 1000) * 1000;
    this.random = stage.random;
    this.foreign = strangerTo(stage);
  }

  /** The attacker's doing. @returns the event time that the record carries */
  attack(place: Place, caller: Caller, call: Call): number {
    this.#actors.add(actorOf(caller));
    return this.bystander(place, caller, call);
  }

  /** What others do, or what AWS does, because of the attack. */
  bystander(place: Place, caller: Caller, call: Call): number {
    const time = Math.floor(place.time / 1000) * 1000;
    this.stage.scribe.write({ ...place, time }, caller, call);
    this.#times.push(time);
    this.#accounts.add(call.recipient ?? caller.account);
    for (const { ARN: arn } of call.resources ?? []) if (typeof arn === 'string' && arn.includes(':key/')) this.touch(arn);
    return time;
  }

  /** A key that findings may be about, though no record names it. */
  touch(arn: string): void {
    this.#keys.add(arn);
    this.#accounts.add(arn.split(':')[4] ?? '');
  }

  /** Those who use the key fail from now on, as long as the story lasts that the world tells of. */
  breaks(key: SimKey, trouble: { from: number; to: number; code: string; what: string }): void {
    const { from, to, code, what } = trouble;
    this.#aftermath.push({ key: key.arn, from: from + 1000, to, code, message: `${key.arn} ${what}.` });
  }

  /** The organization's trail shows nothing of KMS, or nothing at all, in between. */
  blinds(from: number, to: number, kmsOnly: boolean): void {
    for (const { id } of [...this.organization.accounts, this.organization.security])
      if (!this.#unseen.some((span) => span.account === id)) this.#unseen.push({ account: id, from: from + 1, to: to - 1, kmsOnly });
  }

  /** Keys of the account that serve one of the purposes; all keys where none is named, or none serves them. */
  keysFor(...purposes: readonly Purpose[]): readonly OrgKey[] {
    const found = this.account.keys.filter(({ purpose }) => purposes.includes(purpose));
    return found.length === 0 ? this.account.keys : found;
  }

  key(...purposes: readonly Purpose[]): OrgKey {
    return this.random.pick(this.keysFor(...purposes));
  }

  /** Some of the keys, each once, in their order; all where there are not more. */
  some(keys: readonly OrgKey[], count: number): readonly OrgKey[] {
    const left = [...keys];
    while (left.length > count) left.splice(this.random.int(0, left.length - 1), 1);
    return left;
  }

  workload(key: OrgKey): Workload {
    return this.random.pick(key.workloads);
  }

  /** One of the account's people, of the first of these permissions that anybody there has. */
  person(...permissions: readonly OrgPerson['permissions'][]): OrgPerson {
    const { people } = this.account;
    const wanted = permissions.map((name) => people.filter((person) => person.permissions === name)).find((found) => found.length > 0);
    return this.random.pick(wanted ?? people);
  }

  /** The person's next working day, or so many days later, at a local hour; some minutes past it. */
  office(person: OrgPerson, hour: number, days = 0): number {
    const clock = { hour, minute: this.random.int(2, 40), offset: person.offset };
    const first = [0, 1, 2, 3].map((after) => laterMoment(this.at, after, clock)).find((time) => time >= this.at) ?? this.at;
    return days === 0 ? first : laterMoment(first, days, clock);
  }

  /** A moment some minutes into the next change window, or into the one so many windows after it. */
  window(nth = 0): number {
    const { weekdays, from } = this.organization.changeWindow;
    const [hour = 0, minute = 0] = from.split(':').map(Number);
    const days = new Set(weekdays.map((name) => name.slice(0, 3).toLowerCase()));
    let left = nth;
    for (let midnight = Math.floor(this.at / DAY) * DAY; ; midnight += DAY) {
      const opens = midnight + (hour * 60 + minute) * MINUTE;
      if (opens < this.at || !days.has(WEEKDAYS[new Date(midnight).getUTCDay()] ?? 'sun')) continue;
      if (left === 0) return opens + this.random.int(4, 25) * MINUTE;
      left -= 1;
    }
  }

  /** So many seconds, at random, in milliseconds. */
  pause(least: number, most: number): number {
    return this.random.int(least, most) * 1000;
  }

  /** @throws RangeError for a story without records */
  story(label: Pick<Story, 'playbook' | 'expects' | 'recognisableAt'>): Story {
    if (this.#times.length === 0) throw new RangeError(`${label.playbook} tells nothing`);
    return {
      ...label,
      variant: this.stage.variant,
      startsAt: Math.min(...this.#times),
      endsAt: Math.max(...this.#times),
      accounts: [...this.#accounts],
      keys: [...this.#keys],
      actors: [...this.#actors],
      aftermath: this.#aftermath,
      unseen: this.#unseen,
    };
  }
}

/** The name under which findings know a caller: a role without its sessions, a user, the root user, a foreign account. */
function actorOf({ account, identity }: Caller): string {
  const context = identity['sessionContext'] as { readonly sessionIssuer?: { readonly arn?: string } } | undefined;
  const told = identity['type'] === 'AssumedRole' ? context?.sessionIssuer?.arn : identity['arn'];
  return typeof told === 'string' ? told : `account:${account}`;
}

function strangerTo({ organization, random }: Stage): string {
  const known = new Set([...organization.accounts, organization.security].map(({ id }) => id).concat(organization.trusted));
  for (;;) {
    const id = `9${random.text(11, '0123456789')}`;
    if (!known.has(id)) return id;
  }
}
