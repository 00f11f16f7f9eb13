import { type Clock, formatTopicPartition, type TopicPartition } from "@eos/core";
import { brokerError, ConnectionError, isConnectionLoss } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { Patience } from "../network/patience.ts";
import type { IsolationLevel } from "../protocol/isolation-level.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, type ListedOffset, listOffsets } from "../protocol/list-offsets.ts";
import { byTopic } from "./by-topic.ts";

/** Which offset of a partition: its first, the one after its last, or that of the first record at or after a time (ms since the epoch). */
export type OffsetSpec = "earliest" | "latest" | { readonly timestamp: number };

export interface PartitionOffset extends TopicPartition {
  /** −1: no record at or after the timestamp. */
  readonly offset: number;
}

const TIMEOUT_MS = 30_000;

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** Asks the leaders; what moved or went away meanwhile is asked again. In the order of `partitions`. */
export async function listPartitionOffsets(
  cluster: Cluster,
  clock: Clock,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  isolation: IsolationLevel,
): Promise<PartitionOffset[]> {
  const found = new Map<string, number>();
  const patience = new Patience(clock, TIMEOUT_MS);
  let missing = partitions;
  for (;;) {
    const failure = await listFromLeaders(cluster, missing, timestampOf(spec), isolation, found);
    missing = missing.filter((tp) => !found.has(formatTopicPartition(tp)));
    if (missing.length === 0) break;
    await patience.pause(
      failure ?? new ConnectionError(`No leader for ${missing.map(formatTopicPartition).join(", ")}`),
    );
    await cluster.refreshMetadata([...new Set(missing.map(({ topic }) => topic))]);
  }
  return partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    offset: found.get(formatTopicPartition({ topic, partition })) ?? -1,
  }));
}

function timestampOf(spec: OffsetSpec): number {
  if (spec === "earliest") return EARLIEST_TIMESTAMP;
  return spec === "latest" ? LATEST_TIMESTAMP : spec.timestamp;
}

/** One round; fills `found`, and gives back why something may be missing from it. */
async function listFromLeaders(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: number,
  isolation: IsolationLevel,
  found: Map<string, number>,
): Promise<Error | null> {
  const byLeader = new Map<number, TopicPartition[]>();
  for (const tp of partitions) {
    const leader = await leaderOf(cluster, tp);
    const ofLeader = byLeader.get(leader);
    if (ofLeader === undefined) byLeader.set(leader, [tp]);
    else ofLeader.push(tp);
  }
  byLeader.delete(-1);
  const failures = await Promise.all(
    [...byLeader].map(async ([leader, ofLeader]) => {
      const topics = byTopic(ofLeader, ({ partition }) => ({ partition, timestamp }));
      try {
        const response = await cluster.send(leader, listOffsets({ isolation, topics }));
        return take(response.topics, found);
      } catch (error) {
        if (!(error instanceof Error) || !isConnectionLoss(error)) throw error;
        return error;
      }
    }),
  );
  return failures.find((failure) => failure !== null) ?? null;
}

/** Topics grow but never shrink: a partition that is missing from fresh metadata is one too many. */
async function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): Promise<number> {
  const cached = (await cluster.topic(topic)).partitions[partition];
  if (cached !== undefined) return cached.leader;
  await cluster.refreshMetadata([topic]);
  const fresh = (await cluster.topic(topic)).partitions[partition];
  if (fresh === undefined)
    throw brokerError({ api: "ListOffsets", kafkaCode: UNKNOWN_TOPIC_OR_PARTITION, topic, partition });
  return fresh.leader;
}

function take(
  topics: readonly { readonly topic: string; readonly partitions: readonly ListedOffset[] }[],
  found: Map<string, number>,
): Error | null {
  let failure: Error | null = null;
  for (const { topic, partitions } of topics) {
    for (const { partition, errorCode, offset } of partitions) {
      if (errorCode === 0) {
        found.set(formatTopicPartition({ topic, partition }), offset);
        continue;
      }
      const error = brokerError({ api: "ListOffsets", kafkaCode: errorCode, topic, partition });
      if (error.severity !== "retriable") throw error;
      failure = error;
    }
  }
  return failure;
}
