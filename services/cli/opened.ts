import { openService, type Service, type ServiceOptions } from '../workers/service.ts';
import { type App, openLogger, readConfig, withLifecycle } from './app.ts';

/** Runs work with everything open: database migrated, queues, detectors. Closed when the work ends, fails or the user interrupts. */
export async function withService<T>(
  app: App,
  options: Pick<ServiceOptions, 'judgeBy' | 'name'> & { readonly quiet: boolean },
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const config = readConfig(app, options);
  const logger = openLogger(app, config);
  return await withLifecycle(app, logger, async (lifecycle) => {
    app.status.show('Opening the database …');
    const service = await openService({ config, clock: app.clock, logger, lifecycle, judgeBy: options.judgeBy, name: options.name });
    app.status.clear();
    return await work(service);
  });
}
