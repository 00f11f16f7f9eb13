import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import type { Observer } from "./observer.ts";
import type { Headers, TopicPartition } from "./record.ts";

/** An offset of a partition: the next one to process. */
export interface PartitionPosition extends TopicPartition {
  readonly offset: number;
}

/**
 * State that commits and aborts together with the transactions of a processor: a store, a cache, an index. A processor
 * is given participants and knows nothing else of them; a participant knows nothing of the processor but what is below.
 *
 * @typeParam State - what user code works with
 * @typeParam Client - what the participant reaches the cluster with: `Client` of `@eos/client` in its processors
 */
export interface TransactionParticipant<State = unknown, Client = unknown> {
  /** Unique among the participants of a processor. */
  readonly name: string;
  /** Once, before the first task: checks or creates what all tasks share, such as a topic. A rejection stops the processor. */
  prepare(host: ParticipantHost<Client>): Promise<void>;
  /** Takes a task up; {@link TaskParticipant.restore} follows. Rejects when `task.signal` fires. */
  open(task: ParticipantTask): Promise<TaskParticipant<State>>;
}

/** The processor, as its participants see it. */
export interface ParticipantHost<Client> {
  readonly applicationId: string;
  readonly client: Client;
  /** Folder for files; participants keep to `<stateDir>/<applicationId>/<taskId>/<name>`. */
  readonly stateDir: string;
  /** Tasks of the application, in all its processes: one a partition of the input. */
  readonly taskCount: number;
  /** For topics that are created. */
  readonly replicationFactor: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
}

/** One task, as its participants see it: what happens to one partition number of the input. */
export interface ParticipantTask {
  /** `<subtopology>_<partition>`, as in Kafka Streams. */
  readonly taskId: string;
  readonly partition: number;
  /** Timestamp of the record being processed; −1 before the first. */
  readonly timestamp: number;
  /** Fires when the assignment has ended before the task began. */
  readonly signal: AbortSignal;
  /** What this task writes to its partition of a topic, through its transaction. @throws UnknownTopicError */
  sink(topic: string): Promise<RecordSink>;
  /**
   * The state cannot be kept or trusted any more. Nothing of the open transaction is committed: the processor aborts
   * it, has the participants restored, and processes its records again.
   */
  fail(error: Error): void;
}

/** Writes into the open transaction of a task. */
export interface RecordSink {
  /**
   * Appends `key[keyStart, keyEnd)` and `value` (`null`: a tombstone). Synchronous: the record belongs to the
   * transaction of the input records being processed.
   *
   * @throws EosError when the record alone is too large, or no transaction can be filled; nothing was written then
   */
  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    timestamp: number,
    headers?: Headers,
  ): void;
  /** The offset behind the last record that the broker has acknowledged; −1 before the first. */
  readonly endOffset: number;
}

/**
 * A participant in one task. The calls come in this order, never two at a time but for `beginCommit`, which may follow
 * while `committed` of the transaction before is outstanding is over:
 *
 * ```
 * restore ─▶ { beginCommit ─▶ committed | abort ─▶ restore } … ─▶ close
 * ```
 *
 * Writes go on between `beginCommit` and `committed`: they belong to the next transaction, and an abort drops both.
 */
export interface TaskParticipant<State = unknown> {
  /** What user code works with. */
  readonly state: State;
  /**
   * Brings the state to exactly what is committed. Called before the first record, and again after each
   * {@link abort}, when no transaction of this task is open and its outcome is settled at the broker.
   *
   * @param positions - the committed positions of the task's inputs
   */
  restore(positions: readonly PartitionPosition[], signal: AbortSignal): Promise<void>;
  /** Synchronous: what was written so far is about to be committed; what is written from now on is the next transaction's. */
  beginCommit(): void;
  /** The broker has acknowledged the commit. A rejection is a failure as `task.fail` tells of one. */
  committed(positions: readonly PartitionPosition[]): Promise<void>;
  /** Drops everything that is not committed; whether the transaction that was committing is, {@link restore} finds out. */
  abort(): void;
  /** The task leaves this process, or the process ends. What is not committed is dropped. */
  close(): Promise<void>;
}
