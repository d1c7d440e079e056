/**
 * Start is a list, stop is the same list backwards: named, bounded, idempotent, and usable in a test without a process.
 *
 * Every part registers how it is stopped at the moment it has started, so a start that fails half way undoes exactly
 * what was done. A part that fails to stop, or takes too long, is named and does not keep the others from stopping.
 */
import { monotonicMs, within } from './clock.ts';
import type { Logger } from './logger.ts';

export interface StopFailure {
  readonly name: string;
  readonly error: unknown;
}

export interface LifecycleOptions {
  readonly logger: Logger;
  /** For all parts together, milliseconds. */
  readonly stopTimeoutMs?: number;
}

export interface Lifecycle extends AsyncDisposable {
  /**
   * Starts a part and remembers how to stop it. When starting fails, the parts before it are stopped and its error is thrown.
   */
  start<T>(name: string, start: () => T | Promise<T>, stop: (started: T) => unknown): Promise<T>;
  /** Aborted at the beginning of `stop`, for loops that are to end by themselves. */
  readonly signal: AbortSignal;
  /** Stops everything, last started first. Never rejects; calling it again gives the same promise. */
  stop(): Promise<readonly StopFailure[]>;
}

interface Part {
  readonly name: string;
  stop(): unknown;
}

/** Orchestrators kill after 30 s; this leaves time to say why. */
const STOP_TIMEOUT_MS = 25_000;
/** What every part gets even when those before it have used up the time. */
const LEAST_MS = 250;

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { logger, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
  const running: Part[] = [];
  const stopping = new AbortController();
  let stopped: Promise<readonly StopFailure[]> | undefined;

  /** Stops one part within `ms`; says how it failed, or null. */
  async function stopPart({ name, stop }: Part, ms: number): Promise<StopFailure | null> {
    const startedAt = monotonicMs();
    try {
      await within(ms, Promise.resolve().then(stop), () => new Error(`not stopped after ${Math.round(ms)} ms`));
      logger.debug({ part: name, ms: Math.round(monotonicMs() - startedAt) }, 'stopped');
      return null;
    } catch (error) {
      logger.error({ part: name, err: error }, 'could not be stopped cleanly');
      return { name, error };
    }
  }

  async function stopAll(): Promise<readonly StopFailure[]> {
    stopping.abort();
    const deadline = monotonicMs() + stopTimeoutMs;
    const failures: StopFailure[] = [];
    for (let part = running.pop(); part; part = running.pop()) {
      const failure = await stopPart(part, Math.max(deadline - monotonicMs(), LEAST_MS));
      if (failure) failures.push(failure);
    }
    return failures;
  }

  const lifecycle: Lifecycle = {
    signal: stopping.signal,
    async start(name, start, stop) {
      if (stopped) throw new Error(`${name} cannot start: stopping`);
      try {
        const value = await start();
        const part = { name, stop: () => stop(value) };
        if (!stopping.signal.aborted) {
          running.push(part);
          return value;
        }
        await stopPart(part, stopTimeoutMs);
        throw new Error(`${name} was stopped while it started`);
      } catch (error) {
        await lifecycle.stop();
        throw error;
      }
    },
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
    async [Symbol.asyncDispose]() {
      await lifecycle.stop();
    },
  };
  return lifecycle;
}
