import { systemClock } from '../../services/platform/clock.ts';
import { createLifecycle } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { configSchema } from '../../services/workers/config.ts';
import { openService, type Service } from '../../services/workers/service.ts';
import { startRoles } from '../../services/workers/start.ts';

export interface RunningService extends AsyncDisposable {
  readonly service: Service;
  readonly url: string;
  /** `HOST:PORT` */
  readonly address: string;
}

/** The whole service in this process, on a database of the test's. */
export async function runningService(databaseUrl: string): Promise<RunningService> {
  const logger = createLogger('silent');
  const lifecycle = createLifecycle({ logger });
  try {
    const config = configSchema.parse({ database_url: databaseUrl, listen: '127.0.0.1:0', api: { requests_per_minute: 0 } });
    const service = await openService({ config, clock: systemClock, logger, lifecycle, judgeBy: 'clock', name: 'test' });
    const { url } = await startRoles(service, ['all']);
    if (url === null) throw new Error('the service does not listen');
    return { service, url, address: new URL(url).host, [Symbol.asyncDispose]: async () => void (await lifecycle.stop()) };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}
