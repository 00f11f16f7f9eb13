import { crc32 } from "node:zlib";
import { NEVER, StoredValue } from "./stored-value.ts";

/**
 * What lies in an arena, and what the engine stores:
 * ```
 * physical key ∥ │ kind(1) ∥ timestamp(8) ∥ [expires at(8)] ∥ value ∥ crc32(4) of all before │
 *                └── the engine's value ─────────────────────────────────────────────────────┘
 * ```
 * The checksum covers the key, so that a value found under another's key is found out. It is computed by whoever hands
 * the value to the engine: what is overwritten before the commit needs none.
 */
const KIND_PLAIN = 0;
const KIND_EXPIRING = 1;
const PLAIN_HEAD_BYTES = 9;
const EXPIRING_HEAD_BYTES = 17;
const CHECKSUM_BYTES = 4;

const CHUNK_BYTES = 256 * 1024;
const TWO_32 = 2 ** 32;

/** Memory that the values of one overlay layer lie in, behind one another: one object a put for the collector, not four. */
export class Arena {
  #chunk = Buffer.allocUnsafeSlow(0);
  #used = 0;
  #bytes = 0;

  /** Bytes written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Begins at the front again: for whoever has handed on what was written. */
  reset(): void {
    this.#used = 0;
  }

  /** Copies a key and its value. @param expiresAt {@link NEVER}, or the stream time it counts as deleted from */
  write(
    key: Buffer,
    keyLength: number,
    value: string | Uint8Array | null,
    timestamp: number,
    expiresAt: number,
  ): StoredValue {
    const headBytes = expiresAt === NEVER ? PLAIN_HEAD_BYTES : EXPIRING_HEAD_BYTES;
    // A character of UTF-16 is at most three bytes of UTF-8.
    const maxValueBytes = value === null ? 0 : typeof value === "string" ? value.length * 3 : value.length;
    const most = keyLength + headBytes + maxValueBytes + CHECKSUM_BYTES;
    if (this.#used + most > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      this.#used = 0;
    }
    const chunk = this.#chunk;
    const keyStart = this.#used;
    const keyEnd = keyStart + keyLength;
    chunk.set(keyLength === key.length ? key : key.subarray(0, keyLength), keyStart);
    if (value === null) {
      this.#advance(keyEnd);
      return new StoredValue(chunk, keyStart, keyEnd, -1, -1, timestamp, NEVER);
    }
    chunk[keyEnd] = expiresAt === NEVER ? KIND_PLAIN : KIND_EXPIRING;
    writeInt64(chunk, timestamp, keyEnd + 1);
    if (expiresAt !== NEVER) writeInt64(chunk, expiresAt, keyEnd + PLAIN_HEAD_BYTES);
    const valueStart = keyEnd + headBytes;
    let valueEnd: number;
    if (typeof value === "string") {
      valueEnd = valueStart + chunk.write(value, valueStart);
    } else {
      chunk.set(value, valueStart);
      valueEnd = valueStart + value.length;
    }
    this.#advance(valueEnd + CHECKSUM_BYTES);
    return new StoredValue(chunk, keyStart, keyEnd, valueStart, valueEnd, timestamp, expiresAt);
  }

  #advance(to: number): void {
    this.#bytes += to - this.#used;
    this.#used = to;
  }
}

/** The engine's value, checksum written. */
export function sealedValue(value: StoredValue): Buffer {
  const { buffer, keyStart, keyEnd, valueEnd } = value;
  const checksum = crc32(buffer.subarray(keyStart, valueEnd));
  buffer[valueEnd] = checksum >>> 24;
  buffer[valueEnd + 1] = checksum >>> 16;
  buffer[valueEnd + 2] = checksum >>> 8;
  buffer[valueEnd + 3] = checksum;
  return buffer.subarray(keyEnd, valueEnd + CHECKSUM_BYTES);
}

/** Reads what the engine returned; `null` when it is not what was written under this key. */
export function readStoredValue(key: Buffer, stored: Buffer): StoredValue | null {
  const valueEnd = stored.length - CHECKSUM_BYTES;
  if (valueEnd < PLAIN_HEAD_BYTES) return null;
  if (crc32(stored.subarray(0, valueEnd), crc32(key)) !== stored.readUInt32BE(valueEnd)) return null;
  const kind = stored[0];
  if (kind === KIND_PLAIN) {
    return new StoredValue(stored, 0, 0, PLAIN_HEAD_BYTES, valueEnd, readInt64(stored, 1), NEVER);
  }
  if (kind !== KIND_EXPIRING || valueEnd < EXPIRING_HEAD_BYTES) return null;
  const expiresAt = readInt64(stored, PLAIN_HEAD_BYTES);
  return new StoredValue(stored, 0, 0, EXPIRING_HEAD_BYTES, valueEnd, readInt64(stored, 1), expiresAt);
}

/** Timestamps are safe integers, also negative ones. */
export function writeInt64(target: Buffer, value: number, at: number): void {
  const high = Math.floor(value / TWO_32);
  const low = value - high * TWO_32;
  target[at] = high >>> 24;
  target[at + 1] = high >>> 16;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = low >>> 24;
  target[at + 5] = low >>> 16;
  target[at + 6] = low >>> 8;
  target[at + 7] = low;
}

export function readInt64(source: Buffer, at: number): number {
  return source.readInt32BE(at) * TWO_32 + source.readUInt32BE(at + 4);
}
