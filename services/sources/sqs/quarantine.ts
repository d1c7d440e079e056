import { encodeFrames } from '../../core/frames.ts';
import type { JsonObject } from '../../core/json.ts';
import type { QuarantineReason } from '../../core/quarantine.ts';
import type { Delivery, SourceName } from '../contract.ts';
import type { Part } from './claim.ts';

export interface ToQuarantine {
  readonly source: SourceName;
  /** Always the same for the same input, so that it is recognized when it comes again. */
  readonly locator: JsonObject;
  readonly reason: QuarantineReason;
  readonly message: string;
  readonly bytes: Uint8Array;
}

/** A delivery without records, that puts aside what could not be turned into any. */
export function quarantineDelivery({ source, locator, reason, message, bytes }: ToQuarantine, part: Part): Delivery {
  return {
    source,
    locator,
    payload: encodeFrames([]),
    quarantined: [{ reason, message, ordinal: null, offset: null, length: bytes.length, bytes }],
    checkpoint: null,
    ack: () => part.ack(),
    nack: (why) => part.nack(why),
  };
}
