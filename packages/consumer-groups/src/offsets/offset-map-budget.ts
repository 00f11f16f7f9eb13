import { encodeOffsetMetadata, type OffsetMetadata, tryEncodeOffsetMetadata } from "@eos/core";
import type { CompletionTracker } from "./completion-tracker.ts";

/** Three quarters of what fits beside an offset: room for what is in flight to be completed out of order. */
const NEARLY_FULL_BYTES = 3_072;

/** A map of so many bytes is shorter than that as base64 in its JSON. */
const HARMLESS_BYTES = 2_250;

/**
 * The text to commit beside the tracker's position. A map that does not fit is cut to its lowest ranges: what is
 * completed behind them is handed out again after a restart, as it would be without a map.
 *
 * @param fields - what else the metadata says
 * @throws RangeError when these alone take more than 4,096 bytes.
 */
export function commitMetadata(tracker: CompletionTracker, fields: Omit<OffsetMetadata, "completed">): string {
  if (tracker.rangeCount === 0) return encodeOffsetMetadata(fields);
  const { position } = tracker;
  const completed = tracker.ranges();
  const whole = tryEncodeOffsetMetadata({ ...fields, completed }, position);
  if (whole !== null) return whole;
  let text = encodeOffsetMetadata(fields);
  let fitting = 0;
  let tooMany = completed.length;
  while (tooMany - fitting > 1) {
    const count = (fitting + tooMany) >>> 1;
    const shorter = tryEncodeOffsetMetadata({ ...fields, completed: completed.slice(0, count) }, position);
    if (shorter === null) {
      tooMany = count;
    } else {
      fitting = count;
      text = shorter;
    }
  }
  return text;
}

/**
 * Whether the map takes more than 3,072 bytes: then nothing more of the partition should be handed out until older
 * records are completed, or completed ones will be left out of the map. Cheap but for maps of hundreds of ranges, which
 * are encoded to see: to be asked once a batch, not once a record.
 */
export function isNearlyFull(tracker: CompletionTracker): boolean {
  const { position, rangeCount } = tracker;
  const span = tracker.rangesEnd - position;
  // A bit per offset; a range's two lengths of at most eight bytes; a byte per length, and one more for every 127
  // offsets at the utmost, since a longer varint stands for that many more. The map is the shortest of them.
  const atMost = Math.min(span / 8, rangeCount * 16, rangeCount * 2 + span / 127);
  if (atMost <= HARMLESS_BYTES) return false;
  return tryEncodeOffsetMetadata({ completed: tracker.ranges() }, position, NEARLY_FULL_BYTES) === null;
}
