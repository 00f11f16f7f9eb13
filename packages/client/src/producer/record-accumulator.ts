import type { BatchBuffers } from "../records/batch-buffers.ts";
import { RecordBatchWriter } from "../records/record-batch-writer.ts";
import type { OutputPartition } from "./output-partition.ts";

/**
 * Encodes records at emit, into the open batch of their partition (Java's `RecordAccumulator`, with the batch as the
 * only copy). Knows nothing of transactions: it hands full batches to `onFull` and the rest to {@link drain}.
 */
export class RecordAccumulator {
  readonly #buffers: BatchBuffers;
  readonly #maxBatchBytes: number;
  readonly #onFull: (partition: OutputPartition, writer: RecordBatchWriter) => void;
  /** Partitions with an open batch. */
  #open: OutputPartition[] = [];
  #recordCount = 0;

  constructor(
    buffers: BatchBuffers,
    maxBatchBytes: number,
    onFull: (partition: OutputPartition, writer: RecordBatchWriter) => void,
  ) {
    this.#buffers = buffers;
    this.#maxBatchBytes = maxBatchBytes;
    this.#onFull = onFull;
  }

  /** Records appended since the last {@link drain} or {@link clear}. */
  get recordCount(): number {
    return this.#recordCount;
  }

  /**
   * Appends one record.
   * @throws RecordTooLargeError when the record alone exceeds the batch limit; nothing was written then.
   */
  append(
    partition: OutputPartition,
    timestamp: number,
    keySource: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    headersSource: Buffer | null,
    headersStart: number,
    headersEnd: number,
  ): void {
    let writer = partition.open ?? this.#openBatch(partition);
    if (!writer.append(timestamp, keySource, keyStart, keyEnd, value, headersSource, headersStart, headersEnd)) {
      this.#full(partition, writer);
      writer = this.#openBatch(partition);
      writer.append(timestamp, keySource, keyStart, keyEnd, value, headersSource, headersStart, headersEnd);
    }
    this.#recordCount++;
  }

  /** Hands every open batch over, in one synchronous step: what is appended afterwards belongs to the next transaction. */
  drain(): void {
    const open = this.#open;
    this.#open = [];
    this.#recordCount = 0;
    for (const partition of open) {
      const writer = partition.open;
      if (writer === null) continue;
      partition.open = null;
      if (writer.count === 0) {
        writer.free();
        continue;
      }
      partition.expectedBytes = writer.sizeInBytes;
      this.#onFull(partition, writer);
    }
  }

  /** Drops every open batch. */
  clear(): void {
    for (const partition of this.#open) {
      partition.open?.free();
      partition.open = null;
    }
    this.#open = [];
    this.#recordCount = 0;
  }

  #openBatch(partition: OutputPartition): RecordBatchWriter {
    const writer = new RecordBatchWriter(this.#buffers, partition.expectedBytes, this.#maxBatchBytes);
    partition.open = writer;
    this.#open.push(partition);
    return writer;
  }

  #full(partition: OutputPartition, writer: RecordBatchWriter): void {
    partition.open = null;
    const at = this.#open.lastIndexOf(partition);
    this.#open.splice(at, 1);
    partition.expectedBytes = writer.sizeInBytes;
    this.#onFull(partition, writer);
  }
}
