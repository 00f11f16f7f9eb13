import type { Clock, Logger, Observer, TopicPartition } from "@eos/core";
import { ClientClosedError } from "../errors/errors.ts";
import { Fetcher } from "../fetch/fetcher.ts";
import { PartitionQueue } from "../fetch/partition-queue.ts";
import type { Cluster } from "../network/cluster.ts";
import type { IsolationLevel } from "../protocol/isolation-level.ts";
import type { Assignor } from "./assignor.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { GroupMember, type RebalanceHooks, type RejoinReason } from "./group-member.ts";
import type { GroupState } from "./group-state.ts";
import { rangeAssignor } from "./range-assignor.ts";

export interface GroupConsumerOptions {
  readonly groupId: string;
  /** A RegExp subscribes to all topics in whose name it finds a match, Kafka's internal ones excepted. */
  readonly topics: readonly string[] | RegExp;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  /** How long `onRevoked` may take. @defaultValue half of `rebalanceTimeoutMs` */
  readonly revokeTimeoutMs?: number | undefined;
  /**
   * Makes the member a static one (KIP-345): one that comes back under the same id within its session timeout gets its
   * partitions back, and nobody else notices.
   * @defaultValue none: the member is dynamic
   */
  readonly groupInstanceId?: string | undefined;
  /** In order of preference; the group uses one that all of its members know. @defaultValue range, as Java's consumer */
  readonly assignors?: readonly Assignor[] | undefined;
  /** How often topics are looked at for new partitions, and for new topics that the RegExp matches. @defaultValue 300 000 */
  readonly metadataMaxAgeMs?: number | undefined;
  /**
   * Told to all members of each generation, so that they know who of those they have heard of still counts. Takes the
   * place of user data, so only with assignors that have none.
   */
  readonly processId?: string | undefined;
  /** @defaultValue 'read_committed' */
  readonly isolation?: IsolationLevel | undefined;
  /** Most bytes of one partition in one answer; a larger batch comes all the same. @defaultValue 524 288 */
  readonly maxPartitionFetchBytes?: number | undefined;
  /**
   * A queue with more records waiting is not fetched, but for those that will be gone before an answer can come.
   * @defaultValue no bound
   */
  readonly maxQueueRecords?: number | undefined;
  /** A queue with more bytes waiting is not fetched. @defaultValue three times `maxPartitionFetchBytes` */
  readonly maxQueueBytes?: number | undefined;
  /** A queue that was too full is fetched again at this fraction of both bounds; above 0, at most 1. @defaultValue 1 */
  readonly resumeAt?: number | undefined;
  readonly hooks: RebalanceHooks;
  readonly onFetched: (queue: PartitionQueue) => void;
  /** The partition cannot be read on; it is not fetched any more. */
  readonly onFetchError: (queue: PartitionQueue, error: Error) => void;
  /** The member cannot go on: FencedInstanceIdError, AuthorizationError, what a hook or an assignor threw. */
  readonly onFatal: (error: Error) => void;
  readonly observer: Observer;
}

/** Java's `metadata.max.age.ms`. */
const METADATA_MAX_AGE_MS = 300_000;
/** How long the broker may hold a fetch that has nothing to answer: a partition that is assigned meanwhile waits behind it. */
const FETCH_MAX_WAIT_MS = 200;
const FETCH_MAX_BYTES = 32 * 1024 * 1024;
const FETCH_PARTITION_BYTES = 512 * 1024;
/** Three answers' worth waiting per partition keep the tasks busy while the next one is on its way. */
const QUEUE_ANSWERS = 3;

/**
 * A member of a consumer group and the fetching of what it is assigned. Has a cluster, and so connections, of its own:
 * JoinGroup and long polls hold theirs, and no transaction may wait behind them.
 */
export class GroupConsumer {
  readonly #cluster: Cluster;
  readonly #topics: readonly string[] | RegExp;
  readonly #isStatic: boolean;
  readonly #member: GroupMember;
  readonly #fetcher: Fetcher;

  constructor(cluster: Cluster, clock: Clock, logger: Logger, options: GroupConsumerOptions) {
    const { topics, groupInstanceId = null, maxPartitionFetchBytes = FETCH_PARTITION_BYTES } = options;
    this.#cluster = cluster;
    this.#topics = topics;
    this.#isStatic = groupInstanceId !== null;
    this.#member = new GroupMember({
      cluster,
      clock,
      logger,
      topics,
      groupInstanceId,
      groupId: options.groupId,
      assignors: options.assignors ?? [rangeAssignor],
      sessionTimeoutMs: options.sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs,
      revokeTimeoutMs: options.revokeTimeoutMs ?? Math.ceil(options.rebalanceTimeoutMs / 2),
      metadataMaxAgeMs: options.metadataMaxAgeMs ?? METADATA_MAX_AGE_MS,
      processId: options.processId,
      hooks: options.hooks,
      onFatal: options.onFatal,
      observer: options.observer,
    });
    this.#fetcher = new Fetcher({
      cluster,
      clock,
      logger,
      isolation: options.isolation ?? "read_committed",
      maxWaitMs: FETCH_MAX_WAIT_MS,
      maxBytes: FETCH_MAX_BYTES,
      maxPartitionBytes: maxPartitionFetchBytes,
      maxQueueRecords: options.maxQueueRecords,
      maxQueueBytes: options.maxQueueBytes ?? QUEUE_ANSWERS * maxPartitionFetchBytes,
      resumeAt: options.resumeAt,
      onFetched: options.onFetched,
      onError: options.onFetchError,
    });
  }

  get state(): GroupState {
    return this.#member.state;
  }

  /** Empty while the coordinator has given none. */
  get memberId(): string {
    return this.#member.memberId;
  }

  /** The generation the member is in; `null` between two. */
  get generation(): GroupGeneration | null {
    return this.#member.generation;
  }

  /** What the member holds in its generation; nothing between two. */
  get partitions(): readonly TopicPartition[] {
    return this.#member.partitions;
  }

  /** Milliseconds since the coordinator last accepted a heartbeat or a join. */
  sinceLastHeartbeatMs(): number {
    return this.#member.sinceLastHeartbeatMs();
  }

  /** Connects, checks that the topics exist if they are named, and begins to join. @throws UnknownTopicError, ConnectionError */
  async start(): Promise<void> {
    await this.#cluster.connect();
    if (!(this.#topics instanceof RegExp)) for (const topic of this.#topics) await this.#cluster.topic(topic);
    this.#member.start();
  }

  /** Fetches a partition from `position` on into the queue that is returned. */
  fetch({ topic, partition }: TopicPartition, position: number, generation: GroupGeneration): PartitionQueue {
    const queue = new PartitionQueue(topic, partition, position, generation);
    this.#fetcher.add(queue);
    return queue;
  }

  /** Goes on from `position` with a queue that was given up; what it holds stays in it. */
  fetchAgain(queue: PartitionQueue, position: number): void {
    queue.closed = false;
    queue.epoch++;
    queue.position = position;
    this.#fetcher.add(queue);
  }

  stopFetching(queue: PartitionQueue): void {
    this.#fetcher.remove(queue);
  }

  /** There is room in a queue again, or its position was moved. */
  wake(): void {
    this.#fetcher.wake();
  }

  /**
   * Joins again: `'lost'` gives the assignment up first (`onLost`), as after a commit that the coordinator refused;
   * `'rebalance'` revokes it (`onRevoked`), so that it is committed. Does nothing between two generations.
   */
  requestRejoin(reason: RejoinReason = "lost"): void {
    this.#member.requestRejoin(reason);
  }

  /** Asks the coordinator whether it still counts this member in, in the current generation. */
  confirmMembership(): Promise<boolean> {
    return this.#member.confirmMembership();
  }

  /**
   * Revokes, leaves the group, and disconnects, within `revokeTimeoutMs` and 2 seconds.
   *
   * @param options.leaveGroup - without it the group keeps the member's partitions for it until its session times out.
   * Default: `false` for a static member, as Java's, else `true`.
   */
  async close({ leaveGroup = !this.#isStatic }: { readonly leaveGroup?: boolean } = {}): Promise<void> {
    await this.#member.close(leaveGroup);
    await this.disconnect();
  }

  /** Drops the connections without leaving the group: the session timeout will. What is assigned is lost. */
  async disconnect(): Promise<void> {
    this.#member.abandon(new ClientClosedError());
    this.#fetcher.close();
    await this.#cluster.close();
  }
}
