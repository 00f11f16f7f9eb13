import { ByteReader } from "../protocol/byte-reader.ts";
import { ByteWriter } from "../protocol/byte-writer.ts";

/** Partitions by topic: what a member is assigned. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/**
 * The subscription that a member sends into JoinGroup (ConsumerProtocolSubscription v0 of Apache Kafka).
 *
 * ```
 * Subscription => version:int16 [topic:string] userData:nullable-bytes
 * ```
 */
export function encodeSubscription(topics: readonly string[]): Buffer {
  const writer = new ByteWriter().int16(0);
  writer.int32(topics.length);
  for (const topic of topics) writer.string(topic);
  return writer.int32(-1).finish();
}

/** Reads the topics of any version of a subscription: later versions only append fields. */
export function decodeSubscription(bytes: Buffer): string[] {
  const reader = new ByteReader(bytes);
  reader.int16();
  return Array.from({ length: reader.int32() }, () => reader.string());
}

/**
 * The assignment that the leader sends into SyncGroup (ConsumerProtocolAssignment v0).
 *
 * ```
 * Assignment => version:int16 [topic:string [partition:int32]] userData:nullable-bytes
 * ```
 */
export function encodeAssignment(assignment: Assignment): Buffer {
  const writer = new ByteWriter().int16(0).int32(assignment.size);
  for (const [topic, partitions] of assignment) {
    writer.string(topic).int32(partitions.length);
    for (const partition of partitions) writer.int32(partition);
  }
  return writer.int32(-1).finish();
}

export function decodeAssignment(bytes: Buffer): Assignment {
  // A member that the leader gave nothing may be sent no bytes at all.
  if (bytes.length === 0) return new Map();
  const reader = new ByteReader(bytes);
  reader.int16();
  const topics = Array.from({ length: reader.int32() }, (): [string, number[]] => [
    reader.string(),
    Array.from({ length: reader.int32() }, () => reader.int32()),
  ]);
  return new Map(topics);
}
