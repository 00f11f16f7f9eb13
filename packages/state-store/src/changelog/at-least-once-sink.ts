import {
  type BatchProducer,
  type Client,
  HeaderEncoder,
  type OutputPartition,
  UnknownPartitionError,
} from "@eos/client";
import type { Headers, RecordSink, TopicPartition } from "@eos/core";

/** Writes to a changelog outside a transaction. */
export interface AtLeastOnceSink extends RecordSink, AsyncDisposable {
  /**
   * Resolves when all in-sync replicas have what was appended before; {@link RecordSink.endOffset} is behind it then.
   *
   * When it rejects, everything that was appended until then and not flushed is dropped, though some of it may be in the
   * topic: roll the store forward from there, and write the rest again.
   *
   * @throws TransactionAbortedError; AuthorizationError and other fatal errors, after which nothing is taken any more
   */
  flush(): Promise<void>;
  /** Drops what is not flushed. */
  close(): Promise<void>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An idempotent producer for one partition of a changelog: for stores that are used outside a processor. A crash leaves
 * in the topic what was not flushed; the store takes it over when it rolls forward.
 *
 * @throws UnknownTopicError, UnknownPartitionError, AuthorizationError, ConnectionError
 */
export async function createAtLeastOnceSink(
  client: Pick<Client, "producer">,
  { topic, partition }: TopicPartition,
): Promise<AtLeastOnceSink> {
  const producer = await client.producer({ transactionalId: null });
  try {
    await producer.init();
    const { partitions } = await producer.topic(topic);
    const output = partitions[partition];
    if (output === undefined) throw new UnknownPartitionError({ topic, partition, partitionCount: partitions.length });
    return new IdempotentSink(producer, output);
  } catch (error) {
    producer.close();
    throw error;
  }
}

class IdempotentSink implements AtLeastOnceSink {
  readonly #producer: BatchProducer;
  readonly #output: OutputPartition;
  readonly #headers = new HeaderEncoder();
  #waiters: Waiter[] = [];
  #committing: Promise<void> | null = null;

  constructor(producer: BatchProducer, output: OutputPartition) {
    this.#producer = producer;
    this.#output = output;
  }

  get endOffset(): number {
    return this.#output.endOffset;
  }

  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    timestamp: number,
    headers?: Headers,
  ): void {
    if (headers !== undefined) this.#headers.encode(headers);
    this.#producer.append(
      this.#output,
      timestamp,
      key,
      keyStart,
      keyEnd,
      value,
      headers === undefined ? null : this.#headers.buffer,
      0,
      this.#headers.length,
    );
  }

  checkRecordSize(bytes: number): void {
    this.#producer.checkRecordSize(bytes);
  }

  async flush(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  async close(): Promise<void> {
    await this.#committing;
    this.#producer.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One commit after the other: what is appended while one is on its way goes with the next. */
  async #commitAll(): Promise<void> {
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters.splice(0);
      try {
        await this.#commit();
        for (const { resolve } of waiters) resolve();
      } catch (error) {
        // What was appended since is dropped as well.
        for (const { reject } of [...waiters, ...this.#waiters.splice(0)]) reject(error);
      }
    }
    this.#committing = null;
  }

  async #commit(): Promise<void> {
    const producer = this.#producer;
    // The broker was out of reach when this was due: nothing has been taken since.
    if (producer.state === "abortable-error") await producer.abort();
    try {
      await producer.commit([]);
    } catch (error) {
      // Before anybody is told, so that what is appended after that is not dropped.
      if (producer.canAbort) await producer.abort().catch(() => undefined);
      throw error;
    }
  }
}
