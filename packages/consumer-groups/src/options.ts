import { type Assignor, type ClientOptions, CLIENT_OPTION_RULES, type FetchedRecord } from "@eos/client";
import {
  type Clock,
  fn,
  type LifecycleState,
  nonEmptyString,
  nonNegativeInteger,
  object,
  type Observer,
  oneOf,
  type OptionRule,
  positiveInteger,
  required,
  type Serde,
  type TopicPartition,
} from "@eos/core";
import type { BatchHandler, DeadLetterPort, ErrorAnswer, RecordHandler, RecordOutcome } from "./handler.ts";

/** How a record ended, for `onResult`. */
export interface RecordResult {
  readonly outcome: RecordOutcome;
  readonly attempts: number;
  /** Of the last attempt. */
  readonly durationMs: number;
}

/** When completed records are committed. */
export type CommitMode = "record" | "batch" | "manual" | { readonly intervalMs: number };

/** The member of a rebalance hook. */
export interface MemberGeneration {
  readonly memberId: string;
  readonly generationId: number;
}

export interface ConsumerGroupOptions<K = Buffer, V = Buffer> extends ClientOptions {
  readonly groupId: string;
  /** A topic, several, or all whose name matches; topics that come to match later are found within `metadataMaxAgeMs`. */
  readonly topics: string | readonly string[] | RegExp;
  /** How records' keys are read. @defaultValue bytes */
  readonly key?: Serde<K>;
  /** How records' values are read. @defaultValue bytes */
  readonly value?: Serde<V>;
  /** Handles one record at a time. Without `handler` and `batchHandler` the group is iterated: `for await (const record of group)`. */
  readonly handler?: RecordHandler<K, V>;
  /** Handles up to `maxBatchRecords` records of one partition at a time. */
  readonly batchHandler?: BatchHandler<K, V>;
  /** @defaultValue 500, Java's `max.poll.records` */
  readonly maxBatchRecords?: number;
  /** Members in this process, each with connections of its own. @defaultValue 1 */
  readonly members?: number;
  /**
   * Which records wait for each other: those of one partition, those of one key (records without a key count as one
   * key), or none. A batch handler's are those of a partition.
   * @defaultValue 'partition'
   */
  readonly ordering?: "partition" | "key" | "unordered";
  /** How many records (or batches) a member handles at the same time, when the handler is asynchronous. @defaultValue 16 */
  readonly concurrency?: number;
  /**
   * When completed records are committed: after each record (with `ordering: 'partition'` the next one waits for it),
   * after each batch, at an interval, or when `group.commit()` is called. Never before they are completed.
   * @defaultValue 'batch'
   */
  readonly commit?: CommitMode;
  /** Where a group without committed offsets begins. @defaultValue 'earliest' */
  readonly autoOffsetReset?: "earliest" | "latest" | "none";
  /** What to do when the committed offset has been deleted from the log: stop with an error, or skip to either end. @defaultValue 'stop' */
  readonly onOffsetOutOfRange?: "stop" | "earliest" | "latest";
  /** In order of preference; all members of the group must have one in common. @defaultValue [rangeAssignor] */
  readonly assignors?: readonly Assignor[];
  /**
   * Static membership (KIP-345): a member that comes back within the session timeout gets its partitions back without a
   * rebalance. With several members, `-1`, `-2`, … are appended.
   */
  readonly groupInstanceId?: string;
  /** A member silent for this long is expelled and its partitions go to others. @defaultValue 10 000 */
  readonly sessionTimeoutMs?: number;
  /** @defaultValue 3 000 */
  readonly heartbeatIntervalMs?: number;
  /** How long the coordinator waits for members to rejoin. @defaultValue 60 000 */
  readonly rebalanceTimeoutMs?: number;
  /** How long handlers get to finish when partitions are revoked; afterwards their results are dropped and the records come again elsewhere. @defaultValue half of rebalanceTimeoutMs */
  readonly revokeTimeoutMs?: number;
  /** How long one promise of a handler may take before its member gives its partitions up. @defaultValue 300 000 */
  readonly maxPollIntervalMs?: number;
  /** How often topics are looked at: new partitions, new topics that match. @defaultValue 300 000 */
  readonly metadataMaxAgeMs?: number;
  /**
   * A partition with more fetched records waiting is not fetched, until half of them are gone; those that the handlers
   * will be done with before an answer can come do not count. Also the most that may be handed out and not completed.
   * @defaultValue 1 000
   */
  readonly maxQueueRecords?: number;
  /** As `maxQueueRecords`, in bytes. @defaultValue 4 MiB */
  readonly maxQueueBytes?: number;
  /** Most bytes of one partition in one answer; a larger batch comes all the same. @defaultValue 1 MiB, Java's `max.partition.fetch.bytes` */
  readonly maxPartitionFetchBytes?: number;
  /** @defaultValue 'read_committed' */
  readonly isolationLevel?: "read_committed" | "read_uncommitted";
  /** Replace a failed member by a new one, after a backoff, or stop the group. Errors that a new member would meet as well always stop it. @defaultValue 'replace' */
  readonly onMemberFailure?: "replace" | "stop";
  /** Where records go when `onError` answers `'dead-letter'`. */
  readonly deadLetter?: DeadLetterPort;
  /** Decides about a record that failed, also by its serde. `attempt` counts from 1. @defaultValue () => 'stop' */
  readonly onError?: (
    error: unknown,
    record: FetchedRecord<K, V>,
    attempt: number,
  ) => ErrorAnswer | PromiseLike<ErrorAnswer>;
  /** Told of every completed record, before it is committed. */
  readonly onResult?: (record: FetchedRecord<K, V>, result: RecordResult) => void;
  /** A member owns these partitions, and begins with them when this has returned. */
  readonly onAssigned?: (partitions: readonly TopicPartition[], member: MemberGeneration) => void | PromiseLike<void>;
  /** A member is about to give these up; what was completed is committed. Bounded by `revokeTimeoutMs`. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | PromiseLike<void>;
  /** A member has lost these: the group has gone on without it, nothing was committed. */
  readonly onLost?: (partitions: readonly TopicPartition[], error: Error) => void | PromiseLike<void>;
  readonly onStateChange?: (next: LifecycleState, previous: LifecycleState) => void;
  readonly observer?: Observer;
  readonly clock?: Clock;
}

const topics: OptionRule = {
  expects: "a topic name, a non-empty array of them, or a RegExp",
  accepts: (value) =>
    value instanceof RegExp ||
    (typeof value === "string" && value !== "") ||
    (Array.isArray(value) && value.length > 0 && value.every((topic) => typeof topic === "string" && topic !== "")),
};

const commitMode: OptionRule = {
  expects: "'record', 'batch', 'manual' or { intervalMs: a positive integer }",
  accepts: (value) =>
    value === "record" ||
    value === "batch" ||
    value === "manual" ||
    (typeof value === "object" &&
      value !== null &&
      Object.keys(value).length === 1 &&
      positiveInteger.accepts((value as { readonly intervalMs?: unknown }).intervalMs)),
};

const assignors: OptionRule = {
  expects: "a non-empty array of assignors ({ name, assign })",
  accepts: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (assignor: Partial<Assignor> | null) =>
        typeof assignor?.name === "string" && typeof assignor.assign === "function",
    ),
};

const deadLetter: OptionRule = {
  expects: "an object with a send function",
  accepts: (value) => typeof (value as Partial<DeadLetterPort> | null)?.send === "function",
};

export const GROUP_OPTION_RULES = {
  ...CLIENT_OPTION_RULES,
  groupId: required(nonEmptyString),
  topics: required(topics),
  key: object,
  value: object,
  handler: fn,
  batchHandler: fn,
  maxBatchRecords: positiveInteger,
  members: nonNegativeInteger,
  ordering: oneOf("partition", "key", "unordered"),
  concurrency: positiveInteger,
  commit: commitMode,
  autoOffsetReset: oneOf("earliest", "latest", "none"),
  onOffsetOutOfRange: oneOf("stop", "earliest", "latest"),
  assignors,
  groupInstanceId: nonEmptyString,
  sessionTimeoutMs: positiveInteger,
  heartbeatIntervalMs: positiveInteger,
  rebalanceTimeoutMs: positiveInteger,
  revokeTimeoutMs: positiveInteger,
  maxPollIntervalMs: positiveInteger,
  metadataMaxAgeMs: positiveInteger,
  maxQueueRecords: positiveInteger,
  maxQueueBytes: positiveInteger,
  maxPartitionFetchBytes: positiveInteger,
  isolationLevel: oneOf("read_committed", "read_uncommitted"),
  onMemberFailure: oneOf("replace", "stop"),
  deadLetter,
  onError: fn,
  onResult: fn,
  onAssigned: fn,
  onRevoked: fn,
  onLost: fn,
  onStateChange: fn,
  observer: object,
  clock: object,
} as const;

export const GROUP_DEFAULTS = {
  maxBatchRecords: 500,
  members: 1,
  ordering: "partition",
  concurrency: 16,
  commit: "batch",
  autoOffsetReset: "earliest",
  onOffsetOutOfRange: "stop",
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 3_000,
  rebalanceTimeoutMs: 60_000,
  maxPollIntervalMs: 300_000,
  metadataMaxAgeMs: 300_000,
  maxQueueRecords: 1_000,
  maxQueueBytes: 4 * 1024 * 1024,
  maxPartitionFetchBytes: 1024 * 1024,
  isolationLevel: "read_committed",
  onMemberFailure: "replace",
} as const satisfies Partial<ConsumerGroupOptions>;
