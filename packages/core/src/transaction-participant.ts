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
  /**
   * Takes a task up; {@link TaskParticipant.restore} follows. Rejects when `task.signal` fires. What else it rejects with is
   * tried again after a while (100 ms, doubling up to 10 s) if it is an EosError that is not fatal; anything else stops
   * the processor.
   */
  open(task: ParticipantTask): Promise<TaskParticipant<State>>;
}

/** The processor, as its participants see it. */
export interface ParticipantHost<Client> {
  readonly applicationId: string;
  readonly client: Client;
  /** Folder for files; participants keep to `<stateDir>/<applicationId>/<taskId>/<name>`. */
  readonly stateDir: string;
  /** How long the files of a task stay that has gone elsewhere, ms. */
  readonly stateCleanupDelayMs: number;
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
   * The state cannot be kept or trusted any more. Nothing of the open transaction is committed, whatever `transform`
   * makes of it: the processor aborts, has the participants restored, and processes its records again. A fatal EosError
   * stops the processor instead.
   */
  fail(error: Error): void;
}

/**
 * Writes into the open transaction of a task: while a record is processed, and in `committed`. What `committed` writes
 * goes with the next commit.
 */
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
  /**
   * For a participant that appends later than it is written to: throws what {@link append} of a record with key, value
   * and headers of so many bytes would throw when it is too large. Writes nothing.
   */
  checkRecordSize(bytes: number): void;
  /**
   * The offset behind the last record that the broker has acknowledged; −1 before the first. In `committed`, until the
   * first `await`, that is the last one of the transaction that was committed.
   */
  readonly endOffset: number;
}

/**
 * A participant in one task. The calls come in this order, none before the last has settled:
 *
 * ```
 * restore ─▶ { [beginCommit ─▶ [committed]] ─▶ abort ─▶ restore  |  beginCommit ─▶ committed } … ─▶ close
 * ```
 *
 * `abort` comes whenever something has failed, whether a commit has begun, has been acknowledged, or neither. `close`
 * comes at any point. Writes go on between `beginCommit` and `committed`: they belong to the next transaction, and an
 * abort drops both.
 */
export interface TaskParticipant<State = unknown> {
  /** What user code works with. */
  readonly state: State;
  /**
   * Brings the state to exactly what is committed. Called before the first record, and again after each
   * {@link abort}, when no transaction of this task is open and its outcome is settled at the broker. A rejection is dealt
   * with as one of `open` is: called again after a while, or the end.
   *
   * @param positions - the committed positions of the task's inputs
   */
  restore(positions: readonly PartitionPosition[], signal: AbortSignal): Promise<void>;
  /**
   * What was written so far is about to be committed; what is written from now on is the next transaction's. No record
   * is half processed then, not even one whose `transform` has returned a promise. What it throws is a failure as
   * `task.fail` tells of one.
   */
  beginCommit(): void;
  /**
   * The broker has acknowledged the commit, of `positions` among others. The next one waits for this. A rejection is a
   * failure as `task.fail` tells of one.
   */
  committed(positions: readonly PartitionPosition[]): Promise<void>;
  /** Drops everything that is not committed; whether the transaction that was committing is, {@link restore} finds out. */
  abort(): void;
  /**
   * The task leaves this process, or the process ends. What is not committed is dropped. From now on {@link state} takes
   * nothing more, and throws: a promise of `transform` may outlive its task. Given up after 10 s.
   */
  close(): Promise<void>;
}
