import { KmswatchError } from '../../core/errors.ts';

/** BullMQ uses `:` in its own keys and takes whole numbers for ids that it has given itself. */
export function checkJobId(jobId: string): void {
  if (jobId === '' || jobId.includes(':') || /^\d+$/.test(jobId))
    throw new TypeError(`job id ${JSON.stringify(jobId)}: must not be empty, hold a colon or be a number`);
}

export function checkHandled(wanted: readonly string[], handled: readonly string[], known: readonly string[]): void {
  const problems = [
    ...wanted.filter((name) => !known.includes(name)).map((name) => `there is no queue ${name}`),
    ...wanted.filter((name) => !handled.includes(name)).map((name) => `the queue ${name} has no handler`),
    ...handled.filter((name) => !wanted.includes(name)).map((name) => `the handler ${name} has no queue`),
  ];
  if (problems.length > 0) throw new KmswatchError('QUEUE_UNHANDLED', `Queues and handlers do not match: ${problems.join('; ')}.`);
}
