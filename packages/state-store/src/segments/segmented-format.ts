import type { ChangelogFormat } from "../bytes/byte-store.ts";
import { SEGMENTED_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { segmentIdOf } from "../keys/segments.ts";
import { earliestLive, expiredBelow } from "./retention.ts";
import type { SegmentOptions } from "./segment-options.ts";

/**
 * The changelog of a store with retention: its keys tell the time, and so the segment.
 *
 * @param suffixBytes - what follows the user's key
 * @param readTime - reads a key's time, given its end
 */
export function segmentedFormat(
  kind: "window" | "session",
  suffixBytes: number,
  readTime: (source: Buffer, end: number) => number,
  segments: SegmentOptions,
): ChangelogFormat {
  return {
    layout: `${kind} segment=${segments.segmentIntervalMs} ms`,
    prefixBytes: SEGMENTED_PREFIX_BYTES,
    complete(key, streamTime) {
      if (key.length < SEGMENTED_PREFIX_BYTES + suffixBytes) return "skip";
      const time = readTime(key.buffer, key.length);
      // Kafka Streams logs what it drops: what came too late, or lies before the epoch.
      if (!Number.isSafeInteger(time) || time < earliestLive(streamTime, segments.retentionMs)) return "skip";
      key.setSegment(segmentIdOf(time, segments.segmentIntervalMs));
      return time;
    },
    expiredBelow: (before, streamTime) => expiredBelow(before, streamTime, segments),
  };
}
