import { formatAddress, type BrokerAddress } from "../kafkajs/connections.ts";
import type { MetadataResponse, MetadataTopic } from "../protocol/metadata.ts";

export interface TopicMetadata {
  readonly name: string;
  /** Index = partition. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id; −1: none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** What the last Metadata answers said about brokers and topics. */
export class MetadataCache {
  readonly #brokers = new Map<number, BrokerAddress>();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #topicErrors = new Map<string, number>();
  controllerId = -1;

  get brokerCount(): number {
    return this.#brokers.size;
  }

  /** Names of the topics asked for so far and found. */
  get topicNames(): string[] {
    return [...this.#topics.keys()];
  }

  address(nodeId: number): BrokerAddress | undefined {
    return this.#brokers.get(nodeId);
  }

  addresses(): BrokerAddress[] {
    return [...this.#brokers.values()];
  }

  /** Node ids that have this address. */
  nodesAt(address: string): number[] {
    return [...this.#brokers].filter(([, broker]) => formatAddress(broker) === address).map(([nodeId]) => nodeId);
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** Kafka's code for a topic that was asked for and could not be described; 0 when it could. */
  topicError(name: string): number {
    return this.#topicErrors.get(name) ?? 0;
  }

  /** A coordinator may be a broker that no Metadata answer has named yet. */
  learnBroker(nodeId: number, address: BrokerAddress): void {
    this.#brokers.set(nodeId, address);
  }

  apply(response: MetadataResponse): void {
    // A broker that only just started may answer before it knows of any other; keep what is known then.
    if (response.brokers.length > 0) {
      this.#brokers.clear();
      for (const { nodeId, host, port } of response.brokers) this.#brokers.set(nodeId, { host, port });
    }
    this.controllerId = response.controllerId;
    for (const topic of response.topics) this.#applyTopic(topic);
  }

  #applyTopic({ name, errorCode, partitions }: MetadataTopic): void {
    if (errorCode !== 0) {
      this.#topics.delete(name);
      this.#topicErrors.set(name, errorCode);
      return;
    }
    this.#topicErrors.delete(name);
    this.#topics.set(name, {
      name,
      partitions: partitions
        .map(({ partition, leader, replicas, isr }) => ({ partition, leader, replicas, isr }))
        .sort((a, b) => a.partition - b.partition),
    });
  }
}
