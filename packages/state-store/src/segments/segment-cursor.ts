import { writeInt64 } from "../bytes/arena.ts";
import type { ByteReader } from "../bytes/byte-store.ts";
import { DATA, SEGMENTED_PREFIX_BYTES } from "../bytes/physical-key.ts";
import type { Direction, EngineEntry, KeyRange } from "../engine/store-engine.ts";
import type { EntryCursor } from "../iterators/entry-source.ts";
import type { SegmentedRange } from "../keys/segmented-range.ts";
import { endOfSegment, segmentIdOf } from "../keys/segments.ts";

const NOTHING: KeyRange = { gte: Buffer.of(DATA), lt: Buffer.of(DATA) };

/** First physical key of a segment. */
export function segmentStart(segmentId: number): Buffer {
  const key = Buffer.allocUnsafe(SEGMENTED_PREFIX_BYTES);
  key[0] = DATA;
  writeInt64(key, segmentId, 1);
  return key;
}

/**
 * What lies between a range's bounds, segment by segment; it may be more than the range means. All segments are read as
 * they are now, also those that it comes to later.
 *
 * @param direction - `reverse` begins with the last key of the last segment
 */
export function iterateSegments(
  bytes: ByteReader,
  range: SegmentedRange,
  segmentIntervalMs: number,
  direction: Direction,
): EntryCursor {
  const ranges = segmentRanges(range, segmentIntervalMs, bytes.streamTime);
  if (direction === "reverse") ranges.reverse();
  const cursors = ranges.map((each) => bytes.iterate(each, direction));
  return cursors.length === 1 ? cursors[0]! : new SegmentCursor(cursors);
}

/** At least one, so that a store that is closed says so. */
function segmentRanges(range: SegmentedRange, segmentIntervalMs: number, streamTime: number): KeyRange[] {
  const lastTimestamp = Math.min(range.lastTimestamp, streamTime);
  if (lastTimestamp < range.firstTimestamp) return [NOTHING];
  const first = segmentIdOf(range.firstTimestamp, segmentIntervalMs);
  const last = segmentIdOf(lastTimestamp, segmentIntervalMs);
  const ranges: KeyRange[] = [];
  for (let id = first; id <= last; id++) {
    const prefix = segmentStart(id);
    const gte = bound(prefix, range, (target, at) => range.writeLowerBound(target, at));
    const lte = bound(prefix, range, (target, at) =>
      range.writeUpperBound(target, at, endOfSegment(id, segmentIntervalMs)),
    );
    const isWhole = gte.length === SEGMENTED_PREFIX_BYTES && lte.length === SEGMENTED_PREFIX_BYTES;
    // Segments that are read from end to end follow one another: one range has them all.
    if (isWhole) return [{ gte, lt: segmentStart(last + 1) }];
    ranges.push(lte.length === SEGMENTED_PREFIX_BYTES ? { gte, lt: segmentStart(id + 1) } : { gte, lte });
  }
  return ranges;
}

function bound(prefix: Buffer, range: SegmentedRange, write: (target: Buffer, at: number) => number): Buffer {
  const target = Buffer.allocUnsafe(SEGMENTED_PREFIX_BYTES + range.maxBoundBytes);
  target.set(prefix);
  return target.subarray(0, write(target, SEGMENTED_PREFIX_BYTES));
}

/** One cursor behind the other. */
class SegmentCursor implements EntryCursor {
  readonly #cursors: readonly EntryCursor[];
  #at = 0;

  constructor(cursors: readonly EntryCursor[]) {
    this.#cursors = cursors;
  }

  next(): EngineEntry | undefined | Promise<EngineEntry | undefined> {
    for (; this.#at < this.#cursors.length; this.#at++) {
      const next = this.#cursors[this.#at]!.next();
      if (next instanceof Promise) return this.#later(next);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#cursors.map((cursor) => cursor.close()));
  }

  async #later(pending: Promise<EngineEntry | undefined>): Promise<EngineEntry | undefined> {
    const next = await pending;
    if (next !== undefined) return next;
    this.#at++;
    return this.next();
  }
}
