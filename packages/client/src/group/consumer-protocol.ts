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
export function encodeSubscription(topics: readonly string[], userData: Buffer | null = null): Buffer {
  const writer = new ByteWriter().int16(0);
  writer.int32(topics.length);
  for (const topic of topics) writer.string(topic);
  return writer.bytes(userData).finish();
}

/** Reads the topics of any version of a subscription: later versions only append fields. */
export function decodeSubscription(bytes: Buffer): string[] {
  const reader = new ByteReader(bytes);
  reader.int16();
  return Array.from({ length: reader.int32() }, () => reader.string());
}

/** The user data of any version of a subscription. */
export function decodeSubscriptionUserData(bytes: Buffer): Buffer | null {
  const reader = new ByteReader(bytes);
  reader.int16();
  reader.array(() => reader.string());
  return reader.bytes();
}

/**
 * The assignment that the leader sends into SyncGroup (ConsumerProtocolAssignment v0).
 *
 * ```
 * Assignment => version:int16 [topic:string [partition:int32]] userData:nullable-bytes
 * ```
 */
export function encodeAssignment(assignment: Assignment, userData: Buffer | null = null): Buffer {
  const writer = new ByteWriter().int16(0).int32(assignment.size);
  for (const [topic, partitions] of assignment) {
    writer.string(topic).int32(partitions.length);
    for (const partition of partitions) writer.int32(partition);
  }
  return writer.bytes(userData).finish();
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

export function decodeAssignmentUserData(bytes: Buffer): Buffer | null {
  if (bytes.length === 0) return null;
  const reader = new ByteReader(bytes);
  reader.int16();
  reader.array(() => {
    reader.string();
    reader.array(() => reader.int32());
  });
  return reader.bytes();
}
