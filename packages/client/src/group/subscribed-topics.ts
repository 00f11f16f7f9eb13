import type { Logger } from "@eos/core";
import { isConnectionLoss } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";

export interface SubscribedTopicsOptions {
  readonly cluster: Cluster;
  readonly logger: Logger;
  /** A RegExp subscribes to all topics that it matches, Kafka's internal ones excepted. */
  readonly topics: readonly string[] | RegExp;
}

/** What a member joined with: the assignment stands for as long as this does. */
export interface SubscriptionSnapshot {
  /** Topics in the member's own subscription. */
  readonly topics: readonly string[];
  /** Topics whose partition counts the member watches: the whole group's for the leader, most often none for others. */
  readonly watched: readonly string[];
  /** Partitions of the watched topics; those that did not exist are missing. */
  readonly partitionCounts: ReadonlyMap<string, number>;
}

/** The topics that a member subscribes to, as they are at present. */
export class SubscribedTopics {
  readonly #options: SubscribedTopicsOptions;
  /** Said once per absence. */
  readonly #missing = new Set<string>();

  constructor(options: SubscribedTopicsOptions) {
    this.#options = options;
  }

  /** Names to subscribe to. @throws ConnectionError */
  async names(): Promise<readonly string[]> {
    const { cluster, topics } = this.#options;
    if (!(topics instanceof RegExp)) return topics;
    // search() knows no lastIndex: with the flag g or y, test() would go on where it ended for the name before.
    return (await cluster.topicNames()).filter((name) => name.search(topics) >= 0).sort();
  }

  /**
   * Partitions by topic, asked for anew. Topics without metadata (deleted, not authorised) are left out with a warning.
   * @throws ConnectionError
   */
  async partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (topics.length > 0) await this.#options.cluster.refreshMetadata(topics);
    const counts = await Promise.all(topics.map(async (topic) => [topic, await this.#partitionCount(topic)] as const));
    return new Map(counts.filter((entry): entry is [string, number] => entry[1] !== null));
  }

  /** Whether the group has to be assigned anew. @throws ConnectionError */
  async haveChanged({ topics, watched, partitionCounts }: SubscriptionSnapshot): Promise<boolean> {
    const { cluster, logger } = this.#options;
    const now = await this.names();
    const gone = topics.filter((topic) => !now.includes(topic));
    if (gone.length > 0) logger.warn({ topics: gone }, "subscribed topics are gone");
    if (gone.length > 0 || now.length > topics.length) return true;
    if (watched.length === 0) {
      await cluster.refreshMetadata(topics);
      return false;
    }
    const counts = await this.partitionCounts(watched);
    return watched.some((topic) => counts.get(topic) !== partitionCounts.get(topic));
  }

  async #partitionCount(topic: string): Promise<number | null> {
    const { cluster, logger } = this.#options;
    try {
      const { partitions } = await cluster.topic(topic);
      this.#missing.delete(topic);
      return partitions.length;
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      if (!this.#missing.has(topic)) {
        logger.warn({ topic, err: error }, "a subscribed topic has no metadata and is left out of the assignment");
      }
      this.#missing.add(topic);
      return null;
    }
  }
}
