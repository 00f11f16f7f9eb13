import { type BatchProducer, HeaderEncoder, type OutputPartition, TransactionAbortedError } from "@eos/client";
import type { Headers, RecordSink } from "@eos/core";

/** What a task writes to its partition of a topic, into the open transaction of its producer. */
export class PartitionSink implements RecordSink {
  readonly #producer: BatchProducer;
  readonly #partition: OutputPartition;
  readonly #isClosed: () => boolean;
  readonly #headers = new HeaderEncoder();

  /** @param isClosed - whether the task has left: whoever holds on to its sink must not write for its successor */
  constructor(producer: BatchProducer, partition: OutputPartition, isClosed: () => boolean) {
    this.#producer = producer;
    this.#partition = partition;
    this.#isClosed = isClosed;
  }

  get endOffset(): number {
    return this.#partition.endOffset;
  }

  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    timestamp: number,
    headers?: Headers,
  ): void {
    if (this.#isClosed()) throw this.#closedError();
    let headersSource: Buffer | null = null;
    let headersEnd = 0;
    if (headers !== undefined) {
      this.#headers.encode(headers);
      headersSource = this.#headers.buffer;
      headersEnd = this.#headers.length;
    }
    this.#producer.append(this.#partition, timestamp, key, keyStart, keyEnd, value, headersSource, 0, headersEnd);
  }

  checkRecordSize(bytes: number): void {
    this.#producer.checkRecordSize(bytes);
  }

  #closedError(): TransactionAbortedError {
    const { topic, partition } = this.#partition;
    const { transactionalId } = this.#producer;
    return new TransactionAbortedError(`nothing more is written to ${topic}-${partition}: its task has left`, {
      transactionalId,
      cause: undefined,
      connectionLost: false,
    });
  }
}
