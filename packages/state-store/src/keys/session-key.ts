import { readInt64, writeInt64 } from "../bytes/arena.ts";
import { isKeyBetween, type SegmentedRange, writeHighestKey } from "./segmented-range.ts";

/**
 * A session's key, in the store, its changelog and any other topic: `key ∥ end(8) ∥ start(8)`, big-endian (Kafka
 * Streams' SessionKeySchema and SessionWindowedSerializer). It lies in the segment of its end.
 */
export const SESSION_SUFFIX_BYTES = 16;

/** Completes the key that ends at `keyEnd`, and returns the end. */
export function writeSessionSuffix(target: Buffer, keyEnd: number, sessionStart: number, sessionEnd: number): number {
  writeInt64(target, sessionEnd, keyEnd);
  writeInt64(target, sessionStart, keyEnd + 8);
  return keyEnd + SESSION_SUFFIX_BYTES;
}

/** Of a session's key that ends at `end`. */
export function readSessionStart(source: Buffer, end: number): number {
  return readInt64(source, end - 8);
}

/** Of a session's key that ends at `end`. */
export function readSessionEnd(source: Buffer, end: number): number {
  return readInt64(source, end - SESSION_SUFFIX_BYTES);
}

/** Sessions of keys `keyFrom` to `keyTo` that end at `earliestEnd` or later and start at `latestStart` or earlier. */
export class SessionRange implements SegmentedRange {
  readonly firstTimestamp: number;
  readonly lastTimestamp = Number.MAX_SAFE_INTEGER;
  readonly maxBoundBytes: number;
  readonly #keyFrom: Buffer | null;
  readonly #keyTo: Buffer | null;
  readonly #isOneKey: boolean;
  readonly #latestStart: number;

  /** @param keyFrom, keyTo - `null`: from the first, to the last */
  constructor(keyFrom: Buffer | null, keyTo: Buffer | null, earliestEnd: number, latestStart: number) {
    this.firstTimestamp = Math.max(earliestEnd, 0);
    this.maxBoundBytes = Math.max(keyFrom?.length ?? 0, keyTo?.length ?? 0) + SESSION_SUFFIX_BYTES;
    this.#keyFrom = keyFrom;
    this.#keyTo = keyTo;
    this.#isOneKey = keyFrom !== null && keyTo !== null && keyFrom.equals(keyTo);
    this.#latestStart = Math.min(latestStart, Number.MAX_SAFE_INTEGER);
  }

  writeLowerBound(target: Buffer, at: number): number {
    if (this.#keyFrom === null) return at;
    target.set(this.#keyFrom, at);
    // A longer key from here on has bytes of its own where this one has its end: any, down to zeros.
    const earliestEnd = this.#isOneKey ? this.firstTimestamp : 0;
    return writeSessionSuffix(target, at + this.#keyFrom.length, 0, earliestEnd);
  }

  /** Kafka Streams' bound has the highest end there is, before which it finds nearly any key: a segment's end is nearer. */
  writeUpperBound(target: Buffer, at: number, endOfSegment: number): number {
    if (this.#keyTo === null) return at;
    target.set(this.#keyTo, at);
    const keyEnd = at + this.#keyTo.length;
    const end = writeSessionSuffix(target, keyEnd, Math.min(this.#latestStart, endOfSegment), endOfSegment);
    return this.#isOneKey ? end : writeHighestKey(target, at, keyEnd, SESSION_SUFFIX_BYTES);
  }

  matches(source: Buffer, start: number, end: number): boolean {
    if (readSessionEnd(source, end) < this.firstTimestamp || readSessionStart(source, end) > this.#latestStart) {
      return false;
    }
    const keyEnd = end - SESSION_SUFFIX_BYTES;
    // Both bounds of one key begin with it, so what lies between them does: it is the key when it is as long.
    if (this.#isOneKey) return keyEnd - start === this.#keyFrom!.length;
    return isKeyBetween(source, start, keyEnd, this.#keyFrom, this.#keyTo);
  }
}
