import { checkOptions, oneOf, positiveInteger } from "@eos/core";
import { type Client, createClient } from "../client.ts";
import { CLIENT_OPTION_RULES, type ClientOptions } from "../options.ts";
import type { CodecName } from "../records/codecs.ts";
import type { BatchProducer } from "./batch-producer.ts";
import { RecordAppender, type RecordsToSend } from "./record-appender.ts";

export interface RecordProducerOptions extends ClientOptions {
  /** @defaultValue 'none' */
  readonly compression?: CodecName | "none";
  /** Largest record batch, in bytes before compression. @defaultValue 1 048 576 */
  readonly maxBatchBytes?: number;
}

/** An idempotent producer without transactions. */
export interface RecordProducer {
  /** Connects and obtains a producer id. @throws ConnectionError, AuthorizationError */
  start(): Promise<void>;
  /**
   * Sends records and waits until all in-sync replicas have them. Calls at the same time share batches and requests;
   * records of one call stay in order within a partition, and are written once as long as the call succeeds.
   * @throws TransactionAbortedError when the broker did not take them: some of them may be written, repeat all
   * @throws SerdeError, RecordTooLargeError, UnknownPartitionError, UnknownTopicError
   */
  send<K = Buffer, V = Buffer>(batch: RecordsToSend<K, V>): Promise<void>;
  /** Waits for what was sent, and disconnects. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws TypeError on an unknown, wrong or missing option. */
export function createProducer(options: RecordProducerOptions): RecordProducer {
  checkOptions("createProducer", options, {
    ...CLIENT_OPTION_RULES,
    compression: oneOf("none", "gzip", "snappy", "lz4", "zstd"),
    maxBatchBytes: positiveInteger,
  });
  return new KafkaRecordProducer(options);
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class KafkaRecordProducer implements RecordProducer {
  readonly #client: Client;
  readonly #options: RecordProducerOptions;
  #open: { readonly producer: BatchProducer; readonly appender: RecordAppender } | null = null;
  #waiters: Waiter[] = [];
  #flushing: Promise<void> | null = null;

  constructor(options: RecordProducerOptions) {
    const { compression: _codec, maxBatchBytes: _max, ...client } = options;
    this.#options = options;
    this.#client = createClient(client);
  }

  async start(): Promise<void> {
    const { compression, maxBatchBytes } = this.#options;
    await this.#client.connect();
    const producer = await this.#client.producer({ transactionalId: null, compression, maxBatchBytes });
    await producer.init();
    this.#open = { producer, appender: new RecordAppender(producer) };
  }

  async send<K = Buffer, V = Buffer>(batch: RecordsToSend<K, V>): Promise<void> {
    const open = this.#open;
    if (open === null) throw new TypeError("RecordProducer: call start() before send()");
    const acknowledged = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    acknowledged.catch(() => undefined);
    try {
      await open.appender.append(batch, () => undefined);
    } finally {
      // What was appended before an error is sent all the same; the caller is told of the error.
      this.#flushing ??= this.#flush(open.producer);
    }
    await acknowledged;
  }

  async close(): Promise<void> {
    await this.#flushing;
    this.#open?.producer.close();
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One commit after the other: what is sent while one is on its way goes with the next. */
  async #flush(producer: BatchProducer): Promise<void> {
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        await producer.commit([]);
        for (const { resolve } of waiters) resolve();
      } catch (error) {
        // The abort drops what was appended since as well.
        for (const { reject } of [...waiters, ...this.#waiters.splice(0)]) reject(error);
        // With the broker out of reach it stays to be done: nothing is taken before, and the next turn tries again.
        if (producer.canAbort) await producer.abort().catch(() => undefined);
      }
    }
    this.#flushing = null;
  }
}
