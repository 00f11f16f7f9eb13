import { readInt64, writeInt64 } from "../bytes/arena.ts";

/**
 * `timestamp(8) ∥ value`, big-endian: what Kafka Streams' ValueAndTimestampSerializer writes. Its changelogs hold the
 * value alone, and the timestamp as the record's.
 */
export const TIMESTAMP_BYTES = 8;

/** Writes both, and returns the end. */
export function writeValueAndTimestamp(target: Buffer, at: number, value: Uint8Array, timestamp: number): number {
  writeInt64(target, timestamp, at);
  target.set(value, at + TIMESTAMP_BYTES);
  return at + TIMESTAMP_BYTES + value.length;
}

/** Of a value that begins at `start`; the value itself follows the timestamp. */
export function readTimestamp(source: Buffer, start: number): number {
  return readInt64(source, start);
}
