import {
  type BatchProducer,
  type Client,
  CLIENT_OPTION_RULES,
  type ClientOptions,
  type CodecName,
  createClient,
  type GroupGeneration,
  OffsetBatch,
  type ProducerState,
  RecordAppender,
  type RecordsToSend,
} from "@eos/client";
import { checkOptions, nonEmptyString, oneOf, positiveInteger, required, type TopicPartition } from "@eos/core";
import { TransactionTimeoutTooLargeError } from "./errors.ts";

export interface TransactionalProducerOptions extends ClientOptions {
  /** Names this producer across restarts: whoever starts with it last fences the others. */
  readonly transactionalId: string;
  /** After this long the broker aborts a transaction whose owner is silent. @defaultValue 10 000 */
  readonly transactionTimeoutMs?: number;
  /** @defaultValue 'none' */
  readonly compression?: CodecName | "none";
  /** Largest record batch, in bytes before compression. @defaultValue 1 048 576 */
  readonly maxBatchBytes?: number;
}

/** The next offset to read of one input partition. */
export interface OffsetToCommit extends TopicPartition {
  readonly offset: number;
  readonly metadata?: string;
}

/** An open transaction. It is over when the function that got it returns. */
export interface Transaction {
  /**
   * Appends records; full batches leave at once, the rest with the commit.
   * @throws SerdeError, RecordTooLargeError, UnknownPartitionError, UnknownTopicError
   */
  send<K = Buffer, V = Buffer>(batch: RecordsToSend<K, V>): Promise<void>;
  /**
   * Commits offsets with the transaction, fenced by the generation the records were fetched in (KIP-447).
   * @param offsets the next offset to read, which is the last processed one plus one
   */
  sendOffsets(generation: GroupGeneration, offsets: readonly OffsetToCommit[]): void;
}

export interface TransactionalProducer {
  readonly state: ProducerState;
  /**
   * Connects and takes the transactional id: fences every other holder and ends its open transaction.
   * @throws ConnectionError, AuthorizationError, TransactionTimeoutTooLargeError
   */
  start(): Promise<void>;
  /**
   * Runs `work` in a transaction: commits when it returns, aborts when it throws. One at a time; calls wait their turn.
   * @returns what `work` returned, once the commit is acknowledged
   * @throws what `work` threw; TransactionAbortedError (nothing is visible, try again); ProducerFencedError (close it)
   */
  transaction<T>(work: (transaction: Transaction) => T | PromiseLike<T>): Promise<T>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const INVALID_TRANSACTION_TIMEOUT = 50;

/** @throws TypeError on an unknown, wrong or missing option. */
export function createTransactionalProducer(options: TransactionalProducerOptions): TransactionalProducer {
  checkOptions("createTransactionalProducer", options, {
    ...CLIENT_OPTION_RULES,
    transactionalId: required(nonEmptyString),
    transactionTimeoutMs: positiveInteger,
    compression: oneOf("none", "gzip", "snappy", "lz4", "zstd"),
    maxBatchBytes: positiveInteger,
  });
  return new KafkaTransactionalProducer(options);
}

class KafkaTransactionalProducer implements TransactionalProducer {
  readonly #options: TransactionalProducerOptions;
  readonly #client: Client;
  #producer: BatchProducer | null = null;
  #appender: RecordAppender | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TransactionalProducerOptions) {
    const {
      transactionalId: _id,
      transactionTimeoutMs: _timeout,
      compression: _codec,
      maxBatchBytes: _max,
      ...client
    } = options;
    this.#options = options;
    this.#client = createClient(client);
  }

  get state(): ProducerState {
    return this.#producer?.state ?? "uninitialized";
  }

  async start(): Promise<void> {
    const { transactionalId, transactionTimeoutMs, compression, maxBatchBytes } = this.#options;
    await this.#client.connect();
    const producer = await this.#client.producer({ transactionalId, transactionTimeoutMs, compression, maxBatchBytes });
    try {
      await producer.init();
    } catch (error) {
      if (kafkaCodeOf(error) !== INVALID_TRANSACTION_TIMEOUT) throw error;
      // Describing brokers needs a permission that producing does not: without it the broker's value stays unsaid.
      const maxTimeoutMs = await this.#client.admin.brokerConfig("transaction.max.timeout.ms").catch(() => null);
      throw new TransactionTimeoutTooLargeError(
        transactionTimeoutMs as number,
        maxTimeoutMs === null || maxTimeoutMs === undefined ? null : Number(maxTimeoutMs),
      );
    }
    this.#producer = producer;
    this.#appender = new RecordAppender(producer);
  }

  transaction<T>(work: (transaction: Transaction) => T | PromiseLike<T>): Promise<T> {
    const turn = this.#last.then(() => this.#run(work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#producer?.close();
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run<T>(work: (transaction: Transaction) => T | PromiseLike<T>): Promise<T> {
    const producer = this.#producer;
    if (producer === null) throw new TypeError("TransactionalProducer: call start() before transaction()");
    if (producer.state === "abortable-error") await producer.abort();
    const transaction = new OpenTransaction(this.#appender as RecordAppender);
    try {
      const result = await work(transaction);
      transaction.end();
      await producer.commit(transaction.groups);
      return result;
    } catch (error) {
      transaction.end();
      if (producer.canAbort) await producer.abort();
      throw error;
    }
  }
}

class OpenTransaction implements Transaction {
  readonly #appender: RecordAppender;
  readonly #groups = new Map<string, { readonly generation: GroupGeneration; readonly offsets: OffsetBatch }>();
  #isOpen = true;

  constructor(appender: RecordAppender) {
    this.#appender = appender;
  }

  get groups(): { readonly generation: GroupGeneration; readonly offsets: OffsetBatch }[] {
    return [...this.#groups.values()];
  }

  end(): void {
    this.#isOpen = false;
  }

  async send<K = Buffer, V = Buffer>(batch: RecordsToSend<K, V>): Promise<void> {
    this.#checkOpen();
    await this.#appender.append(batch, () => this.#checkOpen());
  }

  sendOffsets(generation: GroupGeneration, offsets: readonly OffsetToCommit[]): void {
    this.#checkOpen();
    let group = this.#groups.get(generation.groupId);
    if (group === undefined) this.#groups.set(generation.groupId, (group = { generation, offsets: new OffsetBatch() }));
    for (const { topic, partition, offset, metadata = "" } of offsets)
      group.offsets.set(topic, partition, offset, metadata);
  }

  #checkOpen(): void {
    if (!this.#isOpen)
      throw new TypeError("Transaction: it has ended; send inside the function that was given it, and await it there");
  }
}

function kafkaCodeOf(error: unknown): number | undefined {
  return (error as { readonly kafkaCode?: number } | null)?.kafkaCode;
}
