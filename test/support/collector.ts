import { onTestFinished } from 'vitest';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { systemClock } from '../../services/platform/clock.ts';
import { createReplaySource } from '../../services/sources/replay/replay.ts';
import { configSchema } from '../../services/workers/config.ts';
import { type Replayed, replay } from '../../services/workers/replay.ts';
import { openService } from '../../services/workers/service.ts';
import { MONTH_END } from './month.ts';

/**
 * The collecting half of a replay in this process: registers the folder's files and waits until others have stored and judged them.
 * It works on no queue itself.
 */
export async function collectFrom(
  folder: string,
  config: { readonly database_url: string; readonly redis_url?: string },
): Promise<Replayed | null> {
  const logger = createLogger('silent');
  const lifecycle = createLifecycle({ logger });
  onTestFinished(async () => void (await lifecycle.stop()));
  const { deps } = await openService({
    config: configSchema.parse(config),
    clock: systemClock,
    logger,
    lifecycle,
    judgeBy: 'events',
    name: 'collector',
  });
  const source = createReplaySource({ paths: [folder], stdin: null, limits: deps.limits });
  try {
    return await replay(deps, { source, runId: 'collector', inFlight: 1_000, asOf: MONTH_END, signal: lifecycle.signal, logger });
  } finally {
    await lifecycle.stop();
  }
}
