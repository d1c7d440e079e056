const FINDINGS_A_BATCH = 100;
/** 6 MB a batch are taken: https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html */
const BYTES_A_BATCH = 5_000_000;
const BYTES_A_FINDING = 240_000;

/** What one request may hold. A finding that is too large by itself is given a request of its own, to be refused alone. */
export function batches<T extends object>(findings: readonly T[]): T[][] {
  const all: T[][] = [];
  let current: T[] = [];
  let bytes = 0;
  for (const finding of findings) {
    const size = Buffer.byteLength(JSON.stringify(finding));
    const isFull = current.length >= FINDINGS_A_BATCH || bytes + size > BYTES_A_BATCH;
    if (current.length > 0 && (isFull || size > BYTES_A_FINDING)) {
      all.push(current);
      [current, bytes] = [[], 0];
    }
    current.push(finding);
    bytes += size > BYTES_A_FINDING ? BYTES_A_BATCH : size;
  }
  return current.length > 0 ? [...all, current] : all;
}
