import type { ByteStore } from "../bytes/byte-store.ts";
import { oldestLiveSegment } from "../keys/segments.ts";
import { segmentStart } from "./segment-cursor.ts";
import type { SegmentOptions } from "./segment-options.ts";

/**
 * The first timestamp that has not expired. What lies before it is gone for reads and writes at once, and from the disk
 * with its segment (Kafka Streams writes to a segment until all of it has expired, but reads no more of it).
 */
export function earliestLive(streamTime: number, retentionMs: number): number {
  return Math.max(0, streamTime - retentionMs + 1);
}

/** Where what is live begins, when stream time has left a segment behind since it was `before`; otherwise `null`. */
export function expiredBelow(
  before: number,
  streamTime: number,
  { retentionMs, segmentIntervalMs }: SegmentOptions,
): Buffer | null {
  const oldest = oldestLiveSegment(streamTime, retentionMs, segmentIntervalMs);
  return oldest > oldestLiveSegment(before, retentionMs, segmentIntervalMs) ? segmentStart(oldest) : null;
}

/**
 * Moves stream time to `time`, unless it is there. Stream time alone says what was expired already: when an abort takes
 * it back, the expiry comes again with it.
 */
export function moveStreamTime(bytes: ByteStore, time: number, segments: SegmentOptions): void {
  const before = bytes.streamTime;
  if (time <= before) return;
  bytes.observe(time);
  const expired = expiredBelow(before, time, segments);
  if (expired !== null) bytes.expireBelow(expired);
}
