import type { RecordBatchWriter } from "../records/record-batch-writer.ts";

/** A finished batch on its way: its bytes are final, so that a repeated request repeats the same bytes. */
export interface SealedBatch {
  readonly bytes: Buffer;
  readonly writer: RecordBatchWriter;
  /** When the batch was handed over, on the monotonic clock: bounds how long it is retried. */
  readonly sealedAtMs: number;
}

/**
 * One partition of one output topic, as one producer sees it: the batch being filled, the batches that wait for the
 * previous transaction to end, and the batches that may be sent. Resolved once; the hot path holds the object.
 */
export class OutputPartition {
  readonly topic: string;
  readonly partition: number;
  /** The batch that records are appended to. */
  open: RecordBatchWriter | null = null;
  /** Full batches that must not leave yet: the transaction before theirs has not ended. */
  readonly held: RecordBatchWriter[] = [];
  /** Batches that may be sent, in order; the first one is in flight while {@link inFlight}. */
  readonly ready: SealedBatch[] = [];
  inFlight = false;
  /** Sequence number of the next batch within the current producer epoch. */
  nextSequence = 0;
  /** The offset behind the last record that the broker has acknowledged, aborted or not; −1 before the first. */
  endOffset = -1;
  /** Size of the last batch: the next one starts in a buffer of that size. */
  expectedBytes = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
}

/** The partitions of one output topic. */
export class OutputTopic {
  readonly name: string;
  readonly partitions: readonly OutputPartition[];

  constructor(name: string, partitionCount: number) {
    this.name = name;
    this.partitions = Array.from({ length: partitionCount }, (_, partition) => new OutputPartition(name, partition));
  }
}
