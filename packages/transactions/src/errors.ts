import { EosError, formatTopicPartition, type TopicPartition } from "@eos/core";

/** Where in the input something went wrong. */
export interface RecordPosition extends TopicPartition {
  readonly offset: number;
}

function at(position: RecordPosition): string {
  return `${formatTopicPartition(position)}@${position.offset}`;
}

/** `transform` (or a serde) failed for a record, and the answer to that was to stop. The record was not committed. */
export class ProcessingError extends EosError {
  readonly record: RecordPosition;
  constructor(record: RecordPosition, cause: unknown) {
    super(`processing ${at(record)} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: "EOS_PROCESSING",
      severity: "fatal",
      hint: "Answer 'skip' or 'retry' from onProcessingError to go on without it or to try again; the record was not committed and comes again at the next start.",
      cause,
    });
    this.record = record;
  }
}

/** `transform` returned something that is neither a record, an array of records, nor nothing. */
export class InvalidTransformResultError extends EosError {
  constructor(got: string) {
    super(`transform returned ${got}`, {
      code: "EOS_INVALID_TRANSFORM_RESULT",
      severity: "abortable",
      hint: "Return { value, key?, headers?, timestamp?, topic?, partition? }, an array of such records, or nothing; a null value is a tombstone.",
    });
  }
}

/** A promise that `transform` returned did not settle within `maxPollIntervalMs`. */
export class ProcessingTimeoutError extends EosError {
  readonly record: RecordPosition;
  constructor(record: RecordPosition, maxPollIntervalMs: number) {
    super(`transform has not settled for ${at(record)} within maxPollIntervalMs (${maxPollIntervalMs} ms)`, {
      code: "EOS_PROCESSING_TIMEOUT",
      severity: "fatal",
      hint: "Give the calls inside transform a timeout of their own, or raise maxPollIntervalMs.",
    });
    this.record = record;
  }
}

/** `transactionTimeoutMs` is longer than the brokers allow. */
export class TransactionTimeoutTooLargeError extends EosError {
  constructor(transactionTimeoutMs: number, maxTimeoutMs: number | null) {
    const allowed =
      maxTimeoutMs === null ? "transaction.max.timeout.ms" : `transaction.max.timeout.ms (${maxTimeoutMs} ms)`;
    super(`transactionTimeoutMs (${transactionTimeoutMs} ms) is more than the broker's ${allowed}`, {
      code: "EOS_TRANSACTION_TIMEOUT_TOO_LARGE",
      severity: "fatal",
      hint: "Lower transactionTimeoutMs, or raise transaction.max.timeout.ms on every broker (15 minutes as shipped).",
    });
  }
}

/** The same transaction was aborted again and again without a commit in between. */
export class NoProgressError extends EosError {
  constructor(attempts: number, cause: unknown) {
    super(`${attempts} transactions in a row were aborted: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: "EOS_NO_PROGRESS",
      severity: "fatal",
      hint: "The cause is not a passing one; nothing of these records was committed.",
      cause,
    });
  }
}

/** A store, or another participant, has failed with an error that is none of `@eos`. Its state is restored. */
export class StateFailedError extends EosError {
  readonly taskId: string;
  constructor(taskId: string, cause: unknown) {
    super(`the state of task ${taskId} has failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: "EOS_STATE_FAILED",
      severity: "abortable",
      hint: "The state goes back to what is committed, and the records since then are processed again; the cause says what went wrong.",
      cause,
    });
    this.taskId = taskId;
  }
}

/** The partitions of the inputs do not correspond, and a processor with stores needs them to. */
export class PartitionCountMismatchError extends EosError {
  readonly partitionCounts: { readonly [topic: string]: number };
  constructor(partitionCounts: { readonly [topic: string]: number }) {
    const counts = Object.entries(partitionCounts).map(([topic, count]) => `${topic} ${count}`);
    super(`the inputs of a processor with stores have different numbers of partitions: ${counts.join(", ")}`, {
      code: "EOS_PARTITION_COUNT_MISMATCH",
      severity: "fatal",
      hint: "Partition n of all inputs is one task with one state: give all input topics the same number of partitions.",
    });
    this.partitionCounts = partitionCounts;
  }
}
