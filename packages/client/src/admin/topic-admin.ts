import type { Clock, Logger } from "@eos/core";
import { BrokerError, brokerError, isConnectionLoss, UnknownTopicError } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { Patience } from "../network/patience.ts";
import { createPartitions } from "../protocol/create-partitions.ts";
import { createTopics } from "../protocol/create-topics.ts";
import { deleteTopics } from "../protocol/delete-topics.ts";
import type { KafkaRequest, KafkaResponse } from "../protocol/request.ts";
import { listPartitionOffsets } from "./partition-offsets.ts";

/** A topic to create. */
export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /**
   * Lowered, with a warning, to the number of brokers there are.
   * @defaultValue the brokers' `default.replication.factor`
   */
  readonly replicationFactor?: number;
  /** Topic configuration, as `cleanup.policy: 'compact'`. */
  readonly config?: { readonly [name: string]: string };
}

interface TopicResult {
  readonly topic: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** How long the broker may take over a change, and how long its effect is waited for. */
const TIMEOUT_MS = 30_000;

const UNKNOWN_TOPIC_OR_PARTITION = 3;
const REQUEST_TIMED_OUT = 7;
const TOPIC_ALREADY_EXISTS = 36;
const NOT_CONTROLLER = 41;
const BROKER_DEFAULT = -1;

/** Creates, grows and deletes topics, and waits until the change has arrived. */
export class TopicAdmin {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(cluster: Cluster, clock: Clock, logger: Logger) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#logger = logger;
  }

  async create(given: readonly NewTopic[], onExisting: "fail" | "keep"): Promise<void> {
    await this.#cluster.refreshMetadata(given.map(({ topic }) => topic));
    const topics =
      onExisting === "keep" ? given.filter(({ topic }) => this.#cluster.cachedTopic(topic) === undefined) : given;
    if (topics.length === 0) return;
    const wanted = topics.map((topic) => ({
      topic: topic.topic,
      partitions: topic.partitions,
      replicationFactor: this.#replicationFactor(topic),
      config: topic.config ?? {},
    }));
    const results = await this.#change("CreateTopics", createTopics({ timeoutMs: TIMEOUT_MS, topics: wanted }), {
      // With 'keep' a repetition does no harm; without, it would find the topic that the lost request made.
      onConnectionLoss: onExisting === "keep" ? "repeat" : "fail",
    });
    for (const { topic, errorCode, errorMessage } of results) {
      if (errorCode === 0 || (errorCode === TOPIC_ALREADY_EXISTS && onExisting === "keep")) continue;
      throw brokerError({ api: "CreateTopics", kafkaCode: errorCode, detail: errorMessage, topic });
    }
    for (const { topic } of topics) await this.#whenUsable(topic, 1);
  }

  async grow(topic: string, partitions: number): Promise<void> {
    const request = createPartitions([{ topic, count: partitions }], TIMEOUT_MS);
    const results = await this.#change("CreatePartitions", request, { onConnectionLoss: "fail" });
    for (const { errorCode, errorMessage } of results) {
      if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) throw new UnknownTopicError(topic);
      if (errorCode === 0) continue;
      throw brokerError({ api: "CreatePartitions", kafkaCode: errorCode, detail: errorMessage, topic });
    }
    await this.#whenUsable(topic, partitions);
  }

  async delete(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    const request = deleteTopics(topics, TIMEOUT_MS);
    const results = await this.#change("DeleteTopics", request, { onConnectionLoss: "fail" });
    for (const { topic, errorCode, errorMessage } of results) {
      if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) throw new UnknownTopicError(topic);
      if (errorCode !== 0)
        throw brokerError({ api: "DeleteTopics", kafkaCode: errorCode, detail: errorMessage, topic });
    }
    await this.#whenGone(topics);
  }

  /** With KRaft any broker passes the request on; an older controller has to be found. */
  async #change(
    api: string,
    request: KafkaRequest<KafkaResponse & { readonly topics: readonly TopicResult[] }>,
    { onConnectionLoss }: { readonly onConnectionLoss: "repeat" | "fail" },
  ): Promise<readonly TopicResult[]> {
    const patience = new Patience(this.#clock, TIMEOUT_MS);
    for (;;) {
      const { controllerId } = this.#cluster;
      try {
        const { topics } = await (controllerId < 0
          ? this.#cluster.sendToAny(request)
          : this.#cluster.send(controllerId, request));
        if (!topics.some(({ errorCode }) => errorCode === NOT_CONTROLLER)) return topics;
        await patience.pause(new BrokerError({ api, kafkaCode: NOT_CONTROLLER }));
      } catch (error) {
        if (!(error instanceof Error) || !isConnectionLoss(error) || onConnectionLoss === "fail") throw error;
        await patience.pause(error);
      }
      await this.#cluster.refreshMetadata();
    }
  }

  /** In the metadata first; a moment later the leaders have made its partitions, and answer for them. */
  async #whenUsable(topic: string, partitionCount: number): Promise<void> {
    const patience = new Patience(this.#clock, TIMEOUT_MS);
    for (;;) {
      try {
        await this.#cluster.refreshMetadata([topic]);
        const { partitions } = await this.#cluster.topic(topic);
        if (partitions.length >= partitionCount) {
          const all = partitions.map(({ partition }) => ({ topic, partition }));
          await listPartitionOffsets(this.#cluster, this.#clock, all, "earliest", "read_uncommitted");
          return;
        }
        await patience.pause(new BrokerError({ api: "Metadata", kafkaCode: REQUEST_TIMED_OUT, topic }));
      } catch (error) {
        if (!(error instanceof UnknownTopicError)) throw error;
        await patience.pause(error);
      }
    }
  }

  async #whenGone(topics: readonly string[]): Promise<void> {
    const patience = new Patience(this.#clock, TIMEOUT_MS);
    for (;;) {
      await this.#cluster.refreshMetadata(topics);
      const still = topics.find((topic) => this.#cluster.cachedTopic(topic) !== undefined);
      if (still === undefined) return;
      await patience.pause(new BrokerError({ api: "DeleteTopics", kafkaCode: REQUEST_TIMED_OUT, topic: still }));
    }
  }

  #replicationFactor({ topic, replicationFactor = BROKER_DEFAULT }: NewTopic): number {
    const { brokerCount } = this.#cluster;
    if (replicationFactor <= brokerCount) return replicationFactor;
    this.#logger.warn({ topic, replicationFactor, brokerCount }, "Replication factor lowered to the number of brokers");
    return brokerCount;
  }
}
