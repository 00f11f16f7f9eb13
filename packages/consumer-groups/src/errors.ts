import { EosError, formatTopicPartition, type TopicPartition } from "@eos/core";

/** Where in the input something went wrong. */
export interface RecordPosition extends TopicPartition {
  readonly offset: number;
}

function at(position: RecordPosition): string {
  return `${formatTopicPartition(position)}@${position.offset}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A handler (or a serde) failed for a record, and the answer to that was to stop. The record was not committed. */
export class HandlerError extends EosError {
  readonly record: RecordPosition;
  constructor({ topic, partition, offset }: RecordPosition, cause: unknown) {
    super(`handling ${at({ topic, partition, offset })} failed: ${messageOf(cause)}`, {
      code: "EOS_HANDLER",
      severity: "fatal",
      hint: "Answer 'retry', 'skip' or 'dead-letter' from onError to go on; the record was not committed and comes again at the next start.",
      cause,
    });
    this.record = { topic, partition, offset };
  }
}

/**
 * Throw it from a batch handler to say which record failed: those before it are completed, `onError` is asked about this
 * one, and those behind it come again (Spring Kafka's `BatchListenerFailedException`).
 */
export class BatchRecordError extends EosError {
  /** Of the failed record, in the batch. */
  readonly index: number;
  constructor(index: number, cause: unknown) {
    super(`record ${index} of the batch failed: ${messageOf(cause)}`, {
      code: "EOS_BATCH_RECORD",
      severity: "abortable",
      cause,
    });
    this.index = index;
  }
}

/** A handler's promise did not settle within `maxPollIntervalMs`: its member leaves the group, which gives the partition to another. */
export class MaxPollIntervalExceededError extends EosError {
  readonly record: RecordPosition;
  constructor({ topic, partition, offset }: RecordPosition, maxPollIntervalMs: number) {
    super(
      `the handler has not settled for ${at({ topic, partition, offset })} within maxPollIntervalMs (${maxPollIntervalMs} ms)`,
      {
        code: "EOS_MAX_POLL_INTERVAL",
        severity: "abortable",
        hint: "Give the calls inside the handler a timeout of their own (context.signal has fired now), or raise maxPollIntervalMs.",
      },
    );
    this.record = { topic, partition, offset };
  }
}

/** Sending a record to the dead letters failed; `cause` is why, `handlerError` what the record failed with before. */
export class DeadLetterError extends EosError {
  readonly handlerError: unknown;
  constructor(position: RecordPosition, handlerError: unknown, cause: unknown) {
    super(
      `${at(position)} could not be dead-lettered: ${messageOf(cause)} (it failed with: ${messageOf(handlerError)})`,
      {
        code: "EOS_DEAD_LETTER",
        severity: "abortable",
        hint: "The record is not completed: onError is asked again.",
        cause,
      },
    );
    this.handlerError = handlerError;
  }
}

/** `onError` answered `'dead-letter'`, and the group was given nowhere to send dead letters. */
export class NoDeadLetterPortError extends EosError {
  constructor(cause: unknown) {
    super("onError answered 'dead-letter', but the group has no deadLetter option", {
      code: "EOS_NO_DEAD_LETTER_PORT",
      severity: "fatal",
      hint: "Give createConsumerGroup the option deadLetter, an object with send(record, error, context).",
      cause,
    });
  }
}

/** The partition is not assigned to a member of this process at present. */
export class NotAssignedError extends EosError {
  constructor(partition: TopicPartition) {
    super(`${formatTopicPartition(partition)} is not assigned to this process`, {
      code: "EOS_NOT_ASSIGNED",
      severity: "retriable",
      hint: "Call it from onAssigned, or after it; another member of the group may have the partition.",
    });
  }
}

/** The group is closed, or closing. */
export class GroupClosedError extends EosError {
  constructor(groupId: string) {
    super(`group '${groupId}' is closed`, {
      code: "EOS_GROUP_CLOSED",
      severity: "fatal",
      hint: "A closed group does not start again: create another.",
    });
  }
}
