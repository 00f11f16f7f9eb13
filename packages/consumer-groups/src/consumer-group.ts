import type { FetchedRecord } from "@eos/client";
import type { LifecycleState, Observer, TopicPartition } from "@eos/core";
import type { GroupLag } from "./lag/group-lag.ts";
import type { LagListener, LagWatchOptions } from "./lag/lag-monitor.ts";
import type { MemberHealth } from "./member/consumer-member.ts";
import type { GroupMetricsSnapshot } from "./member/group-metrics.ts";
import type { PausedPartition, PauseOptions } from "./pauses.ts";
import type { Envelope } from "./record-stream.ts";

export interface CloseGroupOptions {
  /** How long closing may take altogether. @defaultValue 8 000 */
  readonly timeoutMs?: number;
  /** Let handlers finish what they have in hand. @defaultValue true */
  readonly drain?: boolean;
  /**
   * Tell the coordinator, so that the partitions go to others at once.
   * @defaultValue true, but false for static members, whose restart shall move nothing
   */
  readonly leaveGroup?: boolean;
}

/** Where to go on: an offset, the first record at or after a time (ms since the epoch), or either end. */
export type SeekPosition = { readonly offset: number } | { readonly timestampMs: number } | "beginning" | "end";

/** What a health endpoint shows. */
export interface GroupHealth {
  readonly state: LifecycleState;
  /** The group does its work or is on the way to: restart the process when this is false. */
  readonly isLive: boolean;
  /** Every member holds an assignment, and the coordinator has lately heard of it. */
  readonly isReady: boolean;
  readonly members: readonly MemberHealth[];
  readonly paused: readonly PausedPartition[];
  /** What stopped it. */
  readonly error: Error | null;
}

/** The members of a consumer group that run in this process. */
export interface ConsumerGroup<K, V> extends AsyncIterable<FetchedRecord<K, V>>, AsyncDisposable {
  readonly groupId: string;
  readonly state: LifecycleState;
  /** Settles when the group has stopped: resolves after `close`, rejects with the error that stopped it. */
  readonly finished: Promise<void>;
  /**
   * Connects and joins; handling begins with the first assignment (`RUNNING`).
   * @throws ConnectionError, UnknownTopicError, AuthenticationError, AuthorizationError
   */
  start(): Promise<void>;
  /** Lets handlers finish, commits, leaves the group, disconnects. */
  close(options?: CloseGroupOptions): Promise<void>;
  /** Adds members, or closes some. Resolves when those added have connected and those removed have left. */
  scale(members: number): Promise<void>;
  /**
   * The records of a group without a handler, one at a time; starts the group if it was not. A record is completed when
   * the loop asks for the next one; the one at which the loop is left is not.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<FetchedRecord<K, V>, void, void>;
  /**
   * The same with acknowledgements. At most `maxInFlight` (default: no bound of its own) of them are outstanding, and
   * never more than `ordering` and `concurrency` allow. When the group closes, it ends at once; what is outstanding may
   * be acknowledged for as long as handlers may finish. Whoever leaves it gives back what is outstanding.
   *
   * @throws TypeError when `maxInFlight` is no positive integer
   */
  records(options?: {
    readonly maxInFlight?: number;
  }): AsyncIterableIterator<Envelope<FetchedRecord<K, V>>, void, void>;
  /** Commits what is completed at this moment, of all members. @throws BrokerError when the coordinator refuses it */
  commit(): Promise<void>;
  /** Hands out nothing more of a partition, whichever member here has it. What is in hand goes on, and so do heartbeats. */
  pause(partition: TopicPartition, options?: PauseOptions): void;
  resume(partition: TopicPartition): void;
  /**
   * Goes on elsewhere; what is in hand is ignored, its signal fires. The next commit stores the new position.
   * @throws NotAssignedError
   */
  seek(partition: TopicPartition, position: SeekPosition): Promise<void>;
  /** Partitions assigned to the members here. */
  readonly assigned: readonly TopicPartition[];
  /** The lag of the whole group against the last stable offsets, as of now. */
  lag(): Promise<GroupLag>;
  /** Samples the lag for as long as anybody watches. @returns ends it */
  watchLag(listener: LagListener, options?: LagWatchOptions): () => void;
  /** Tells an observer of everything that happens from now on. @returns ends it */
  observe(observer: Observer): () => void;
  metrics(): GroupMetricsSnapshot;
  health(): GroupHealth;
}
