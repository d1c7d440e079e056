import type { QuarantinedInput } from '../../../services/core/quarantine.ts';
import type { RawRecord } from '../../../services/sources/contract.ts';
import { DEFAULT_LIMITS } from '../../../services/sources/limits.ts';
import { type InputProblem, Splitter } from '../../../services/sources/split.ts';

export type SplitLimits = Pick<typeof DEFAULT_LIMITS, 'maxRecordBytes' | 'maxDepth'>;

export interface Everything {
  records: RawRecord[];
  quarantined: QuarantinedInput[];
}

/** Splits text that arrives in the given pieces. */
export function splitPieces(
  pieces: readonly Uint8Array[],
  limits: SplitLimits = DEFAULT_LIMITS,
  problem: InputProblem | null = null,
): Everything {
  const splitter = new Splitter(limits);
  const all: Everything = { records: [], quarantined: [] };
  for (const { records, quarantined } of [...pieces.map((piece) => splitter.push(piece)), splitter.end(problem)]) {
    for (const one of records) all.records.push(one);
    for (const one of quarantined) all.quarantined.push(one);
  }
  return all;
}

export function split(input: string | Uint8Array, limits: SplitLimits = DEFAULT_LIMITS): Everything {
  return splitPieces([typeof input === 'string' ? Buffer.from(input) : input], limits);
}

export function texts(all: Pick<Everything, 'records'>): string[] {
  return all.records.map((record) => Buffer.from(record.bytes).toString());
}

export function reasons(all: Pick<Everything, 'quarantined'>): string[] {
  return all.quarantined.map((input) => input.reason);
}

/** A record like CloudTrail's, with the number in its event id. */
export function record(number: number): Record<string, unknown> {
  return {
    eventVersion: '1.08',
    userIdentity: { type: 'IAMUser', principalId: 'AIDAEXAMPLE', accountId: '111122223333', userName: 'alice' },
    eventTime: '2024-03-01T12:00:00Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    awsRegion: 'eu-central-1',
    requestParameters: { encryptionContext: { 'a"b': 'c\\d\n{[' }, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    responseElements: null,
    eventID: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    readOnly: true,
    resources: [
      { accountId: '111122223333', type: 'AWS::KMS::Key', ARN: 'arn:aws:kms:eu-central-1:111122223333:key/1' },
      { accountId: '111122223333', type: 'AWS::KMS::Key', ARN: 'arn:aws:kms:eu-central-1:111122223333:key/2' },
    ],
    recipientAccountId: '111122223333',
  };
}
