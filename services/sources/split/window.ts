import { isUtf8 } from 'node:buffer';
import { wholeCharacters } from './bytes.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** The part of the input that is at hand: the bytes pushed last, and how far they have been looked at. */
export class Window {
  chunk = NOTHING;
  /** Offset of the chunk's first byte within the input. */
  base = 0;
  /** Index of the current byte within the chunk. */
  at = 0;
  /** Whatever lies within the chunk from bracket to bracket is valid UTF-8. */
  clean = false;

  get offset(): number {
    return this.base + this.at;
  }

  get end(): number {
    return this.base + this.chunk.length;
  }

  get done(): boolean {
    return this.at >= this.chunk.length;
  }

  open(chunk: Uint8Array): void {
    this.base = this.end;
    this.chunk = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.at = 0;
    this.clean = isUtf8(wholeCharacters(this.chunk));
  }

  close(): void {
    this.base = this.end;
    this.chunk = NOTHING;
    this.at = 0;
  }

  /**
   * Goes back to an offset. What lies before the chunk is read again from a copy, together with the rest of the chunk.
   *
   * @param bytes the input from that offset up to the current byte
   */
  rewind(offset: number, bytes: Buffer): void {
    if (offset < this.base) {
      this.chunk = Buffer.concat([bytes, this.chunk.subarray(this.at)]);
      this.base = offset;
      this.clean = false;
    }
    this.at = offset - this.base;
  }
}
