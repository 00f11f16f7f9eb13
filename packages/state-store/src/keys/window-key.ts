import { readInt64, writeInt64 } from "../bytes/arena.ts";
import { isKeyBetween, type SegmentedRange, writeHighestKey } from "./segmented-range.ts";

/**
 * A window's key, in the store as in its changelog: `key ∥ window start(8) ∥ sequence number(4)`, big-endian (Kafka
 * Streams' WindowKeySchema). The sequence number tells values of one window apart when a store retains duplicates, and
 * is 0 otherwise. Without it, it is the key of a windowed record in any other topic (TimeWindowedSerializer).
 */
export const WINDOW_SUFFIX_BYTES = 12;
export const MAX_SEQNUM = 0x7fffffff;

/** Completes the key that ends at `keyEnd`, and returns the end. */
export function writeWindowSuffix(target: Buffer, keyEnd: number, windowStart: number, seqnum: number): number {
  writeInt64(target, windowStart, keyEnd);
  target[keyEnd + 8] = seqnum >>> 24;
  target[keyEnd + 9] = seqnum >>> 16;
  target[keyEnd + 10] = seqnum >>> 8;
  target[keyEnd + 11] = seqnum;
  return keyEnd + WINDOW_SUFFIX_BYTES;
}

/** Of a window's key that ends at `end`. */
export function readWindowStart(source: Buffer, end: number): number {
  return readInt64(source, end - WINDOW_SUFFIX_BYTES);
}

/** Of a window's key that ends at `end`. */
export function readSeqnum(source: Buffer, end: number): number {
  return source.readInt32BE(end - 4);
}

/** Windows of keys `keyFrom` to `keyTo` that start from `from` to `to`, all inclusive. */
export class WindowRange implements SegmentedRange {
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
  readonly maxBoundBytes: number;
  readonly #keyFrom: Buffer | null;
  readonly #keyTo: Buffer | null;
  readonly #isOneKey: boolean;

  /** @param keyFrom, keyTo - `null`: from the first, to the last */
  constructor(keyFrom: Buffer | null, keyTo: Buffer | null, from: number, to: number) {
    this.firstTimestamp = Math.max(from, 0);
    this.lastTimestamp = Math.min(to, Number.MAX_SAFE_INTEGER);
    this.maxBoundBytes = Math.max(keyFrom?.length ?? 0, keyTo?.length ?? 0) + WINDOW_SUFFIX_BYTES;
    this.#keyFrom = keyFrom;
    this.#keyTo = keyTo;
    this.#isOneKey = keyFrom !== null && keyTo !== null && keyFrom.equals(keyTo);
  }

  writeLowerBound(target: Buffer, at: number): number {
    if (this.#keyFrom === null) return at;
    target.set(this.#keyFrom, at);
    // A longer key from here on has bytes of its own where this one has its window start: any, down to zeros.
    const from = this.#isOneKey ? this.firstTimestamp : 0;
    return writeWindowSuffix(target, at + this.#keyFrom.length, from, 0);
  }

  writeUpperBound(target: Buffer, at: number): number {
    if (this.#keyTo === null) return at;
    target.set(this.#keyTo, at);
    const keyEnd = at + this.#keyTo.length;
    const end = writeWindowSuffix(target, keyEnd, this.lastTimestamp, MAX_SEQNUM);
    return this.#isOneKey ? end : writeHighestKey(target, at, keyEnd, WINDOW_SUFFIX_BYTES);
  }

  matches(source: Buffer, start: number, end: number): boolean {
    const windowStart = readWindowStart(source, end);
    if (windowStart < this.firstTimestamp || windowStart > this.lastTimestamp) return false;
    const keyEnd = end - WINDOW_SUFFIX_BYTES;
    // Both bounds of one key begin with it, so what lies between them does: it is the key when it is as long.
    if (this.#isOneKey) return keyEnd - start === this.#keyFrom!.length;
    return isKeyBetween(source, start, keyEnd, this.#keyFrom, this.#keyTo);
  }
}
