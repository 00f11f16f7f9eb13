/**
 * What is read of a segmented store. Keys have any length, so bytes between two keys can belong to a third one: the
 * bounds of a segment hold all that is meant and may hold more, and {@link matches} decides.
 */
export interface SegmentedRange {
  /** The segments to search are those of `firstTimestamp` up to `lastTimestamp`; none when the first is the later one. */
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
  /** Longest bound. */
  readonly maxBoundBytes: number;
  /** Writes the lower bound, which is inclusive, and returns its end: `at` when the segment is read from its beginning. */
  writeLowerBound(target: Buffer, at: number): number;
  /**
   * Writes the upper bound, which is inclusive, and returns its end: `at` when the segment is read to its end.
   *
   * @param endOfSegment - the last timestamp of the segment
   */
  writeUpperBound(target: Buffer, at: number, endOfSegment: number): number;
  /** Whether a changelog key that lies between the bounds is meant. */
  matches(source: Buffer, start: number, end: number): boolean;
}

/**
 * Turns `target[keyStart, keyEnd)` and the highest suffix behind it into the highest bytes that any key up to this one
 * can have with its own suffix. Returns their end.
 *
 * A key that differs from this one lies below it with any suffix. But one that is its beginning may lie above it, since
 * its suffix is compared with the rest of this one: `00` with the start `0000018b…` follows `00000001` with any start.
 * So the bound is the highest of all beginnings with the suffix. (Kafka Streams' OrderedBytes takes the whole key when
 * a suffix begins with a zero, as timestamps do, and so misses `00`.)
 */
export function writeHighestKey(target: Buffer, keyStart: number, keyEnd: number, suffixBytes: number): number {
  let highest = keyEnd;
  for (let beginning = keyEnd - 1; beginning >= keyStart; beginning--) {
    if (isHigher(target, beginning, highest, keyEnd, suffixBytes)) highest = beginning;
  }
  target.copyWithin(highest, keyEnd, keyEnd + suffixBytes);
  return highest + suffixBytes;
}

/** Whether the suffix follows `target[from, to) ∥ suffix`; it lies behind the whole key. */
function isHigher(target: Buffer, from: number, to: number, suffixStart: number, suffixBytes: number): boolean {
  const rest = to - from;
  for (let index = 0; index < suffixBytes; index++) {
    const ours = target[suffixStart + index]!;
    const theirs = target[index < rest ? from + index : suffixStart + index - rest]!;
    if (ours !== theirs) return ours > theirs;
  }
  return false;
}

/** Whether `source[start, end)` is a key from `keyFrom` to `keyTo`, both inclusive; `null`: open. */
export function isKeyBetween(
  source: Buffer,
  start: number,
  end: number,
  keyFrom: Buffer | null,
  keyTo: Buffer | null,
): boolean {
  if (keyFrom !== null && keyFrom.compare(source, start, end) > 0) return false;
  return keyTo === null || keyTo.compare(source, start, end) >= 0;
}
