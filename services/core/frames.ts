/**
 * Records kept byte for byte: each frame is a little-endian header (u32 length, f64 byte offset within the original input)
 * and the bytes. Used for evidence (then zstd-compressed) and for payloads that cannot be read again.
 */
export interface Frame {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const HEADER = 12;

export function encodeFrames(frames: readonly Frame[]): Buffer {
  let size = 0;
  for (const frame of frames) size += HEADER + frame.bytes.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const frame of frames) {
    out.writeUInt32LE(frame.bytes.length, at);
    out.writeDoubleLE(frame.offset, at + 4);
    out.set(frame.bytes, at + HEADER);
    at += HEADER + frame.bytes.length;
  }
  return out;
}

/** @throws RangeError when the bytes are not a whole number of frames */
export function decodeFrames(buffer: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < buffer.length) {
    const length = buffer.readUInt32LE(at);
    const offset = buffer.readDoubleLE(at + 4);
    const end = at + HEADER + length;
    if (end > buffer.length) throw new RangeError(`frame at ${at} ends beyond its buffer`);
    frames.push({ offset, bytes: buffer.subarray(at + HEADER, end) });
    at = end;
  }
  return frames;
}
