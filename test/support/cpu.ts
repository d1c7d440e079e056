/** Processor time that work takes, milliseconds: unlike time on the clock it does not grow when the machine is busy with something else. */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before).user / 1000;
}
