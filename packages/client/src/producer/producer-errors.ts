import { EosError } from "@eos/core";

/** What was sent since the last commit failed and must be aborted; nothing of it is visible. */
export class TransactionAbortedError extends EosError {
  /** `null` for a producer that is idempotent only. */
  readonly transactionalId: string | null;
  /** The broker was out of reach, as opposed to refusing. */
  readonly connectionLost: boolean;

  constructor(
    message: string,
    options: { readonly transactionalId: string | null; readonly cause: unknown; readonly connectionLost: boolean },
  ) {
    super(message, {
      code: "EOS_TRANSACTION_ABORTED",
      severity: "abortable",
      hint: "Abort, go back to the committed offsets and process the records again.",
      cause: options.cause,
    });
    this.transactionalId = options.transactionalId;
    this.connectionLost = options.connectionLost;
  }
}

/** A record names a partition that its topic does not have. Stock kafkajs drops such a record and reports success. */
export class UnknownPartitionError extends EosError {
  readonly topic: string;
  readonly partition: number;

  constructor(options: { readonly topic: string; readonly partition: number; readonly partitionCount: number }) {
    const { topic, partition, partitionCount } = options;
    super(`topic ${topic} has no partition ${partition}: it has ${partitionCount}, numbered from 0`, {
      code: "EOS_UNKNOWN_PARTITION",
      severity: "abortable",
      hint: "Leave the partition out to have it chosen by the key, or choose one that exists.",
    });
    this.topic = topic;
    this.partition = partition;
  }
}
