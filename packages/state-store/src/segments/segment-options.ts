import { type OptionTable, positiveInteger } from "@eos/core";

/** How long a store keeps what it holds, and in which pieces it lets go of it. */
export interface SegmentOptions {
  readonly retentionMs: number;
  readonly segmentIntervalMs: number;
}

export const SEGMENT_OPTION_RULES = {
  retentionMs: positiveInteger,
  segmentIntervalMs: positiveInteger,
} as const satisfies OptionTable;

/** As in Kafka Streams: two segments for the retention, but none shorter than a minute. */
const SEGMENTS_A_RETENTION = 2;
const MIN_DEFAULT_INTERVAL_MS = 60_000;
/** A read looks into each live segment. */
const MAX_SEGMENTS = 1_000;

/**
 * Fills in the default.
 *
 * @param owner - the function whose options they are, for the message
 * @throws TypeError when there would be too many segments
 */
export function segmentOptions(
  owner: string,
  retentionMs: number,
  segmentIntervalMs = Math.max(Math.floor(retentionMs / SEGMENTS_A_RETENTION), MIN_DEFAULT_INTERVAL_MS),
): SegmentOptions {
  const least = Math.ceil(retentionMs / MAX_SEGMENTS);
  if (segmentIntervalMs < least) {
    throw new TypeError(
      `${owner}: option "segmentIntervalMs" must be at least a thousandth of retentionMs (${least}), got ${segmentIntervalMs}`,
    );
  }
  return { retentionMs, segmentIntervalMs };
}
