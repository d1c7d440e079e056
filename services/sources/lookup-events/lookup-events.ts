/**
 * CloudTrail's event history, polled: per account and Region by LookupEvents. For control-plane events and quiet accounts: two requests
 * of 50 events a second are all that AWS allows.
 */
import { setMaxListeners } from 'node:events';
import { DAY, HOUR, MINUTE } from '../../core/clock.ts';
import type { Delivery, Source } from '../contract.ts';
import type { LiveContext } from '../live.ts';
import { createLookupApi, type LookupApi } from './api.ts';
import type { LookupEventsConfig } from './config.ts';
import { Handover } from './handover.ts';
import { Poller } from './poller.ts';
import { type Target, targetsOf } from './target.ts';
import { realTime, type Time } from './time.ts';
import type { TrackSettings } from './window.ts';

/** Tests put their own in the place of these. */
export interface LookupEventsParts {
  readonly time: Time;
  readonly apiOf: (target: Target) => LookupApi;
  /** Pages of a window, 50 events each. */
  readonly pagesAtMost: number;
}

/** 2,000 events, read in some 20 seconds. */
const PAGES_AT_MOST = 40;

/** @returns null when no account is configured */
export function createLookupEventsSource(
  config: LookupEventsConfig,
  context: LiveContext,
  parts: Partial<LookupEventsParts> = {},
): Source | null {
  const targets = targetsOf(config, context.services);
  if (targets.length === 0) return null;
  const {
    time = realTime(context.clock),
    apiOf = (target: Target) => createLookupApi(context.aws, target),
    pagesAtMost = PAGES_AT_MOST,
  } = parts;
  const settings: TrackSettings = {
    lookbackMs: config.lookback_days * DAY,
    overlapMs: config.overlap_minutes * MINUTE,
    pollMs: config.poll_seconds * 1000,
    sweepMs: config.sweep_hours * HOUR,
    pagesAtMost,
  };
  return {
    name: 'lookup-events',
    async *run(signal) {
      const ending = new AbortController();
      const until = AbortSignal.any([signal, ending.signal]);
      // Every poller listens.
      setMaxListeners(0, until);
      const out = new Handover<Delivery>();
      const pollers = targets.map((target) => new Poller(target, { ...context, time, settings, out, api: apiOf(target) }).run(until));
      try {
        yield* out.take(until);
      } finally {
        ending.abort();
        await Promise.allSettled(pollers);
      }
    },
  };
}
