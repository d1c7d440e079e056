/**
 * Records kept byte for byte: each frame is a little-endian header (u32 length, f64 distance of its offset in the original input
 * from the end of the frame before) and the bytes. Distances repeat, so they cost nothing once compressed. Used for evidence and
 * for payloads that cannot be read again.
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
  let before = 0;
  for (const { offset, bytes } of frames) {
    out.writeUInt32LE(bytes.length, at);
    out.writeDoubleLE(offset - before, at + 4);
    out.set(bytes, at + HEADER);
    at += HEADER + bytes.length;
    before = offset + bytes.length;
  }
  return out;
}

/** @throws RangeError when the bytes are not a whole number of frames */
export function decodeFrames(buffer: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  let before = 0;
  while (at < buffer.length) {
    const length = buffer.readUInt32LE(at);
    const offset = before + buffer.readDoubleLE(at + 4);
    const end = at + HEADER + length;
    if (end > buffer.length) throw new RangeError(`frame at ${at} ends beyond its buffer`);
    frames.push({ offset, bytes: buffer.subarray(at + HEADER, end) });
    at = end;
    before = offset + length;
  }
  return frames;
}
