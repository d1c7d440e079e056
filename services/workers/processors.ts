import { hasUndetected } from '../store/batches.ts';
import { assess } from './assess.ts';
import type { Deps } from './deps.ts';
import { detect } from './detect.ts';
import { gather } from './gather.ts';
import { ingest } from './ingest.ts';
import { notify } from './notify.ts';
import type { QueueName } from './queues.ts';
import type { Service } from './service.ts';

/** Works on queues in this process; stopping takes no new jobs, and closing the queues waits for those in hand. */
export async function startWorkers(service: Pick<Service, 'deps' | 'lifecycle'>, names: readonly QueueName[]): Promise<void> {
  const { deps, lifecycle } = service;
  const workers = workersOf(deps);
  await lifecycle.start(
    'workers',
    async () => {
      for (const name of names) await workers[name]();
    },
    () => deps.queues.pause(),
  );
}

/** One entry a queue: a queue without a handler does not compile. */
function workersOf(deps: Deps): Readonly<Record<QueueName, () => Promise<void>>> {
  const { queues } = deps;
  return {
    ingest: () => queues.process({ ingest: ({ batchId }) => ingest(deps, batchId) }, ['ingest']),
    detect: () =>
      queues.process(
        {
          detect: async ({ batchId }, { signal }) => {
            if (await hasUndetected(deps.pool, batchId)) await gather(deps, signal);
            await detect(deps, batchId);
          },
        },
        ['detect'],
      ),
    assess: () => queues.process({ assess: ({ asOf }) => assess(deps, asOf ?? deps.clock.now()) }, ['assess']),
    notify: () => queues.process({ notify: () => notify(deps) }, ['notify']),
  };
}
