import { systemClock, type Clock, type Logger, type TopicPartition } from "@eos/core";
import type { Cluster } from "../network/cluster.ts";
import type { IsolationLevel } from "../protocol/isolation-level.ts";
import { fetchCommittedOffsets, type CommittedOffset, type CommittedOffsetsOptions } from "./committed-offsets.ts";
import { brokerConfig, describeTopicConfig } from "./configs.ts";
import { fenceProducer } from "./fence-producer.ts";
import { listPartitionOffsets, type OffsetSpec, type PartitionOffset } from "./partition-offsets.ts";
import { TopicAdmin, type NewTopic } from "./topic-admin.ts";

/** What the cluster is asked for besides records. Everything throws `ConnectionError` when no broker answers, `AuthorizationError` when it may not. */
export interface Admin {
  /** Creates topics and waits until they can be used. @throws BrokerError when one exists already, or its configuration is refused */
  createTopics(topics: readonly NewTopic[]): Promise<void>;
  /** As {@link createTopics}, but leaves a topic that exists as it is. */
  ensureTopics(topics: readonly NewTopic[]): Promise<void>;
  /**
   * Adds partitions to a topic until it has `partitions`, and waits until they can be used. Keys that hashed to one
   * partition hash to another from then on.
   *
   * @throws UnknownTopicError; BrokerError when the topic has as many already
   */
  createPartitions(topic: string, partitions: number): Promise<void>;
  /** @throws UnknownTopicError */
  deleteTopics(topics: readonly string[]): Promise<void>;
  /** Names of the topics that may be described, without Kafka's internal ones. */
  listTopics(): Promise<string[]>;
  /** As of now, asked of a broker. @throws UnknownTopicError */
  partitionCount(topic: string): Promise<number>;
  /**
   * One offset per partition, in the order given. The latest one is, for `read_committed`, the last stable offset: where
   * the first open transaction begins.
   *
   * @param isolation - default `read_committed`
   * @throws UnknownTopicError
   */
  listOffsets(
    partitions: readonly TopicPartition[],
    spec: OffsetSpec,
    isolation?: IsolationLevel,
  ): Promise<PartitionOffset[]>;
  /** What a group has committed, in no particular order. */
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options?: CommittedOffsetsOptions,
  ): Promise<CommittedOffset[]>;
  /** Every setting of a topic, the brokers' defaults included; `null` for secrets. @throws UnknownTopicError */
  describeTopicConfig(topic: string): Promise<ReadonlyMap<string, string | null>>;
  /** A setting of one of the brokers, as `transaction.max.timeout.ms`; `undefined` when there is no such setting. */
  brokerConfig(name: string): Promise<string | null | undefined>;
  /** Aborts the open transaction of a transactional id and fences its holder (Java's `fenceProducers`, KIP-588). */
  fenceProducer(transactionalId: string): Promise<void>;
}

export interface AdminOptions {
  readonly logger: Logger;
  readonly clock?: Clock;
}

export function createAdmin(cluster: Cluster, { logger, clock = systemClock }: AdminOptions): Admin {
  const topics = new TopicAdmin(cluster, clock, logger);
  return {
    createTopics: (newTopics) => topics.create(newTopics, "fail"),
    ensureTopics: (newTopics) => topics.create(newTopics, "keep"),
    createPartitions: (topic, partitions) => topics.grow(topic, partitions),
    deleteTopics: (names) => topics.delete(names),
    listTopics: () => cluster.topicNames(),
    async partitionCount(topic) {
      await cluster.refreshMetadata([topic]);
      return (await cluster.topic(topic)).partitions.length;
    },
    listOffsets: (partitions, spec, isolation = "read_committed") =>
      listPartitionOffsets(cluster, clock, partitions, spec, isolation),
    committedOffsets: (groupId, partitions, options = {}) =>
      fetchCommittedOffsets(cluster, clock, groupId, partitions, options),
    describeTopicConfig: (topic) => describeTopicConfig(cluster, topic),
    brokerConfig: (name) => brokerConfig(cluster, name),
    fenceProducer: (transactionalId) => fenceProducer(cluster, clock, transactionalId),
  };
}
