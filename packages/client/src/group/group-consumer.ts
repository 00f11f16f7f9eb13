import type { Clock, Logger, Observer, TopicPartition } from "@eos/core";
import { Fetcher } from "../fetch/fetcher.ts";
import { PartitionQueue } from "../fetch/partition-queue.ts";
import type { Cluster } from "../network/cluster.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { GroupMember, type RebalanceHooks } from "./group-member.ts";
import { type Assignor, rangeAssignor } from "./range-assignor.ts";

export interface GroupConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  /** @defaultValue range, as Java's consumer */
  readonly assignor?: Assignor;
  /** Told to all members of each generation, so that they know who of those they have heard of still counts. */
  readonly processId?: string;
  readonly hooks: RebalanceHooks;
  readonly onFetched: (queue: PartitionQueue) => void;
  /** The partition cannot be read on; it is not fetched any more. */
  readonly onFetchError: (queue: PartitionQueue, error: Error) => void;
  readonly onFatal: (error: Error) => void;
  readonly observer: Observer;
}

/** How long the broker may hold a fetch that has nothing to answer: a partition that is assigned meanwhile waits behind it. */
const FETCH_MAX_WAIT_MS = 200;
const FETCH_MAX_BYTES = 32 * 1024 * 1024;
const FETCH_PARTITION_BYTES = 512 * 1024;
/** Three answers' worth waiting per partition keep the tasks busy while the next one is on its way. */
const QUEUE_BYTES = 3 * FETCH_PARTITION_BYTES;

/**
 * A member of a consumer group and the fetching of what it is assigned. Has a cluster, and so connections, of its own:
 * JoinGroup and long polls hold theirs, and no transaction may wait behind them.
 */
export class GroupConsumer {
  readonly #cluster: Cluster;
  readonly #member: GroupMember;
  readonly #fetcher: Fetcher;

  constructor(cluster: Cluster, clock: Clock, logger: Logger, options: GroupConsumerOptions) {
    const { assignor = rangeAssignor, onFetched, onFetchError, ...rest } = options;
    this.#cluster = cluster;
    this.#member = new GroupMember({ cluster, clock, logger, assignor, ...rest });
    this.#fetcher = new Fetcher({
      cluster,
      clock,
      logger,
      isolation: "read_committed",
      maxWaitMs: FETCH_MAX_WAIT_MS,
      maxBytes: FETCH_MAX_BYTES,
      maxPartitionBytes: FETCH_PARTITION_BYTES,
      maxQueueBytes: QUEUE_BYTES,
      onFetched,
      onError: onFetchError,
    });
  }

  get generation(): GroupGeneration | null {
    return this.#member.generation;
  }

  /** Milliseconds since the coordinator last accepted a heartbeat or a join. */
  sinceLastHeartbeatMs(): number {
    return this.#member.sinceLastHeartbeatMs();
  }

  /** Connects, checks that the topics exist, and begins to join. */
  async start(topics: readonly string[]): Promise<void> {
    await this.#cluster.connect();
    for (const topic of topics) await this.#cluster.topic(topic);
    this.#member.start();
  }

  /** Fetches a partition from `position` on into the queue that is returned. */
  fetch({ topic, partition }: TopicPartition, position: number, generation: GroupGeneration): PartitionQueue {
    const queue = new PartitionQueue(topic, partition, position, generation);
    this.#fetcher.add(queue);
    return queue;
  }

  stopFetching(queue: PartitionQueue): void {
    this.#fetcher.remove(queue);
  }

  /** There is room in a queue again, or its position was moved. */
  wake(): void {
    this.#fetcher.wake();
  }

  requestRejoin(): void {
    this.#member.requestRejoin();
  }

  confirmMembership(): Promise<boolean> {
    return this.#member.confirmMembership();
  }

  /** Revokes, leaves the group, and disconnects. */
  async close(): Promise<void> {
    await this.#member.close();
    await this.disconnect();
  }

  /** Drops the connections without leaving the group: the session timeout will. */
  async disconnect(): Promise<void> {
    this.#fetcher.close();
    await this.#cluster.close();
  }
}
