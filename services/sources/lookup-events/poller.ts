import { HOUR } from '../../core/clock.ts';
import { AwsFailure } from '../../platform/aws.ts';
import type { Lease } from '../../platform/leases.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Delivery } from '../contract.ts';
import type { LiveContext } from '../live.ts';
import type { LookupApi } from './api.ts';
import { filterName } from './filter.ts';
import type { Handover } from './handover.ts';
import { checkpointName, takeIn } from './intake.ts';
import { Pacer } from './pacer.ts';
import { readProgress, writeProgress } from './progress.ts';
import { Interruption, pauseAfter } from './reader.ts';
import { Seen } from './seen.ts';
import { nameOf, type Target } from './target.ts';
import type { Time } from './time.ts';
import { Track } from './track.ts';
import type { TrackSettings } from './window.ts';

export interface PollerParts extends Pick<LiveContext, 'leases' | 'checkpoints' | 'relevant' | 'aws'> {
  readonly api: LookupApi;
  readonly settings: TrackSettings;
  readonly time: Time;
  readonly logger: Logger;
  readonly out: Handover<Delivery>;
}

/** How often it is tried to take over from a process that polls the same. */
const STANDBY_MS = 5_000;
/** From taking the lease to the first request: by then the last request of whoever held it is more than a second old. */
const SETTLE_MS = 2_000;
const PAUSE_MS = { first: 2_000, most: 10 * 60_000 } as const;
/** Records of a target that are known not to need delivering again. */
const SEEN_LIMIT = 20_000;
const SEEN_MS = 32 * HOUR;
/** A failure that stays the same is told again after this time. */
const REMIND_MS = HOUR;

/**
 * Polls one account in one Region, while it holds the lease for that: so the requests of all processes together are those of one.
 * A failure never leaves it; it is told and tried again.
 */
export class Poller {
  readonly #target: Target;
  readonly #parts: PollerParts;
  readonly #pacer: Pacer;
  readonly #logger: Logger;
  readonly #seen = new Seen(SEEN_LIMIT);
  #trouble: { readonly what: string; readonly toldAt: number } | null = null;

  constructor(target: Target, parts: PollerParts) {
    this.#target = target;
    this.#parts = parts;
    this.#pacer = new Pacer(parts.time);
    this.#logger = parts.logger.child({ source: 'lookup-events', account: target.account, region: target.region });
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { leases, time, api } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      let lease: Lease | null = null;
      try {
        lease = await leases.tryTake(nameOf(this.#target));
        if (lease) await this.#poll(lease, signal);
        failures = 0;
      } catch (err) {
        failures += 1;
        if (!signal.aborted) this.#logger.warn({ err }, 'polling will be begun again');
      }
      await lease?.release();
      await time.sleep(failures > 0 ? this.#pause(failures) : STANDBY_MS * (0.5 + time.random() / 2), signal);
    }
    api.close();
  }

  /** Polls until the lease is lost or the signal aborts. @throws what is no failure of AWS */
  async #poll(lease: Lease, signal: AbortSignal): Promise<void> {
    const { time } = this.#parts;
    await time.sleep(SETTLE_MS, signal);
    const tracks = await this.#tracks();
    let isOurs = this.#target.role !== null;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!isOurs) await this.#checkAccount();
        isOurs = true;
        await this.#round(tracks, { lease, signal });
        failures = 0;
        this.#recovered();
        const dueAt = Math.min(...tracks.map((track) => track.dueAt));
        await time.sleep(Math.max(dueAt - time.now(), 0), signal);
      } catch (error) {
        if (signal.aborted || error instanceof Interruption) return;
        if (!(error instanceof AwsFailure)) throw error;
        failures += 1;
        const pauseMs = this.#pause(failures);
        this.#failed(error, pauseMs);
        await time.sleep(pauseMs, signal);
      }
      if (!(await lease.holds())) return;
    }
  }

  async #tracks(): Promise<Track[]> {
    const { checkpoints, settings, time } = this.#parts;
    const now = time.now();
    return await Promise.all(
      this.#target.filters.map(async (filter) => {
        const stored = await checkpoints.read(`${nameOf(this.#target)}/${filterName(filter)}`);
        const progress = readProgress(stored, settings.overlapMs);
        const track = new Track(filter, { settings, progress, now });
        const from = new Date(track.progress.settled).toISOString();
        this.#logger.info({ filter: filterName(filter), from }, progress ? 'reading goes on' : 'reading begins');
        return track;
      }),
    );
  }

  /** Without a role it is the process's own account that is read: it must be the one meant. */
  async #checkAccount(): Promise<void> {
    const account = await this.#parts.aws.accountOf(this.#target);
    if (account === this.#target.account) return;
    const message = `the credentials are those of account ${account}; account ${this.#target.account} needs a role_arn or role_name`;
    throw new AwsFailure('access-denied', { message, code: 'WrongAccount' });
  }

  /** Reads windows of all filters by turns until none is due. */
  async #round(tracks: readonly Track[], { lease, signal }: { readonly lease: Lease; readonly signal: AbortSignal }): Promise<void> {
    const { api, time, relevant, settings, checkpoints, out } = this.#parts;
    const { pagesAtMost } = settings;
    const [target, pacer, seen, logger] = [this.#target, this.#pacer, this.#seen, this.#logger];
    let isBusy = true;
    while (isBusy && !signal.aborted) {
      isBusy = false;
      for (const track of tracks) {
        await this.#leaveGapBehind(track);
        const window = track.next(time.now());
        if (!window) continue;
        isBusy = true;
        await takeIn(track, window, { api, pacer, lease, time, signal, target, checkpoints, relevant, seen, out, logger, pagesAtMost });
      }
    }
    seen.forgetBefore(time.now() - SEEN_MS);
  }

  async #leaveGapBehind(track: Track): Promise<void> {
    const found = track.gap(this.#parts.time.now());
    if (!found) return;
    await this.#parts.checkpoints.write(checkpointName(this.#target, track), writeProgress(found.progress));
    track.leaveBehind(found.progress);
    if (!found.isNew) return;
    const { gap } = found;
    const between = { from: new Date(gap.from).toISOString(), to: new Date(gap.to).toISOString() };
    this.#logger.error(
      { filter: filterName(track.filter), ...between },
      'a gap that can no longer be filled: CloudTrail keeps events for 90 days',
    );
  }

  #pause(failures: number): number {
    return pauseAfter(failures - 1, { ...PAUSE_MS, random: this.#parts.time.random() });
  }

  #failed(failure: AwsFailure, pauseMs: number): void {
    const now = this.#parts.time.now();
    const told = {
      reason: failure.reason,
      code: failure.code,
      detail: failure.message,
      hint: failure.hint,
      retryInMs: Math.round(pauseMs),
    };
    const isKnown = this.#trouble?.what === failure.code && now - this.#trouble.toldAt < REMIND_MS;
    if (isKnown) return this.#logger.debug(told, 'still cannot be polled');
    this.#trouble = { what: failure.code, toldAt: now };
    this.#logger.error({ ...told, role: this.#target.role?.arn ?? null }, 'cannot be polled; other accounts and Regions go on');
  }

  #recovered(): void {
    if (this.#trouble) this.#logger.info('is polled again');
    this.#trouble = null;
  }
}
