import { writeInt64 } from "./arena.ts";

/** First byte of every key that holds data; the engine keeps its own under 0. */
export const DATA = 1;
/** First byte of the keys that list what expires when. */
export const EXPIRY = 2;

/** `0x01 ∥ key` for key-value stores. */
export const PLAIN_PREFIX_BYTES = 1;
/** `0x01 ∥ segment id ∥ key` for stores with retention: what a segment holds lies together, and goes together. */
export const SEGMENTED_PREFIX_BYTES = 9;

/**
 * The key of one operation, written into a buffer that the next operation overwrites: nothing is allocated for a key
 * but the string that the overlay finds it by.
 */
export class PhysicalKey {
  readonly prefixBytes: number;
  buffer = Buffer.allocUnsafeSlow(256);
  length = 0;
  /** The bytes behind the first one, each a character (latin1): sorts as the bytes do. */
  id = "";

  constructor(prefixBytes: typeof PLAIN_PREFIX_BYTES | typeof SEGMENTED_PREFIX_BYTES) {
    this.prefixBytes = prefixBytes;
    this.buffer[0] = DATA;
  }

  /** The changelog's key: what lies behind the prefix. */
  get isPlain(): boolean {
    return this.prefixBytes === PLAIN_PREFIX_BYTES;
  }

  /** A whole key, as serialised. */
  set(key: string | Uint8Array): void {
    this.begin(key);
    // ASCII: the text itself is the latin1 form of its bytes, and its hash is often known already.
    if (this.isPlain && typeof key === "string" && this.length - this.prefixBytes === key.length) this.id = key;
    else this.seal();
  }

  /** A whole key, from the changelog. */
  setRange(source: Buffer, start: number, end: number): void {
    this.length = this.prefixBytes;
    this.reserve(end - start);
    source.copy(this.buffer, this.length, start, end);
    this.length += end - start;
  }

  /** Writes the serialised key behind the prefix; what follows it, and the segment, are written next. {@link seal} ends. */
  begin(key: string | Uint8Array): void {
    this.length = this.prefixBytes;
    if (typeof key === "string") {
      this.reserve(key.length * 3);
      this.length += this.buffer.write(key, this.length);
    } else {
      this.reserve(key.length);
      this.buffer.set(key, this.length);
      this.length += key.length;
    }
  }

  /** Room for `bytes` more behind {@link length}. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  /** @param segmentId not negative */
  setSegment(segmentId: number): void {
    writeInt64(this.buffer, segmentId, 1);
  }

  seal(): void {
    this.id = this.buffer.toString("latin1", 1, this.length);
  }

  /** A view; valid until the next operation. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

/** What the overlay finds a physical key by. */
export function keyId(key: Buffer, start = 0, end = key.length): string {
  return key.toString("latin1", start + 1, end);
}
