import type { TopicPartition } from "@eos/core";
import { ByteReader } from "../protocol/byte-reader.ts";
import { ByteWriter } from "../protocol/byte-writer.ts";

/** Partitions by topic: what a member is assigned. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/** What a member tells the leader of itself. */
export interface Subscription {
  readonly topics: readonly string[];
  readonly userData: Buffer | null;
  /** What it was assigned last, in `generationId`. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** −1: not said. */
  readonly generationId: number;
}

const SUBSCRIPTION_VERSION = 3;
const NO_GENERATION = -1;

/**
 * The subscription that a member sends into JoinGroup (ConsumerProtocolSubscription v3 of Apache Kafka). Sorted, as
 * Java's: the coordinator compares the bytes, and the same subscription in another order would begin a rebalance.
 *
 * ```
 * Subscription => version:int16 [topic:string] userData:nullable-bytes
 *   [topic:string [partition:int32]] generationId:int32 rackId:nullable-string
 * ```
 */
export function encodeSubscription({ topics, userData, ownedPartitions, generationId }: Subscription): Buffer {
  const writer = new ByteWriter().int16(SUBSCRIPTION_VERSION).int32(topics.length);
  for (const topic of [...topics].sort()) writer.string(topic);
  writer.bytes(userData);
  writePartitions(writer, assignmentOf(ownedPartitions));
  return writer.int32(generationId).nullableString(null).finish();
}

/** Any version of a subscription: later versions only append fields. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  const topics = reader.array(() => reader.string());
  const userData = reader.bytes();
  const nothing = { topics, userData, ownedPartitions: [], generationId: NO_GENERATION };
  try {
    const ownedPartitions = version >= 1 ? partitionsOf(readPartitions(reader)) : [];
    return { topics, userData, ownedPartitions, generationId: version >= 2 ? reader.int32() : NO_GENERATION };
  } catch (error) {
    // Clients that write the number of a later version and not its fields are not to stop everybody's rebalance.
    if (error instanceof RangeError) return nothing;
    throw error;
  }
}

/**
 * The assignment that the leader sends into SyncGroup (ConsumerProtocolAssignment v0).
 *
 * ```
 * Assignment => version:int16 [topic:string [partition:int32]] userData:nullable-bytes
 * ```
 */
export function encodeAssignment(assignment: Assignment, userData: Buffer | null = null): Buffer {
  const writer = new ByteWriter().int16(0);
  writePartitions(writer, assignment);
  return writer.bytes(userData).finish();
}

export function decodeAssignment(bytes: Buffer): Assignment {
  // A member that the leader gave nothing may be sent no bytes at all.
  if (bytes.length === 0) return new Map();
  const reader = new ByteReader(bytes);
  reader.int16();
  return readPartitions(reader);
}

export function decodeAssignmentUserData(bytes: Buffer): Buffer | null {
  if (bytes.length === 0) return null;
  const reader = new ByteReader(bytes);
  reader.int16();
  readPartitions(reader);
  return reader.bytes();
}

/** One by one, in the assignment's order. */
export function partitionsOf(assignment: Assignment): TopicPartition[] {
  return [...assignment].flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })));
}

/** By topic, all in ascending order. */
function assignmentOf(partitions: readonly TopicPartition[]): Assignment {
  const assignment = new Map<string, number[]>();
  for (const topic of new Set(partitions.map((p) => p.topic).sort())) assignment.set(topic, []);
  for (const { topic, partition } of partitions) assignment.get(topic)?.push(partition);
  for (const ids of assignment.values()) ids.sort((a, b) => a - b);
  return assignment;
}

function writePartitions(writer: ByteWriter, assignment: Assignment): void {
  writer.int32(assignment.size);
  for (const [topic, partitions] of assignment) {
    writer.string(topic).int32(partitions.length);
    for (const partition of partitions) writer.int32(partition);
  }
}

function readPartitions(reader: ByteReader): Assignment {
  return new Map(reader.array((r): [string, number[]] => [r.string(), r.array((p) => p.int32())]));
}
