import {
  type BatchProducer,
  type Client,
  CLIENT_OPTION_RULES,
  type ClientOptions,
  type CodecName,
  createClient,
  type GroupGeneration,
  HeaderEncoder,
  OffsetBatch,
  partitionForKey,
  type ProducerState,
  UnknownPartitionError,
} from "@eos/client";
import {
  bytesSerde,
  checkOptions,
  type Headers,
  nonEmptyString,
  oneOf,
  positiveInteger,
  required,
  type Serde,
  systemClock,
  type TopicPartition,
} from "@eos/core";
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

/** A record to produce. */
export interface ProducedRecord<K, V> {
  /** Absent or `null`: no key; such records take turns over the partitions. */
  readonly key?: K | null;
  /** `null` is a tombstone. */
  readonly value: V | null;
  readonly headers?: Headers;
  /** Milliseconds since the epoch. @defaultValue now */
  readonly timestamp?: number;
  /** @defaultValue murmur2 of the key, as Java's producer */
  readonly partition?: number;
}

/** The next offset to read of one input partition. */
export interface OffsetToCommit extends TopicPartition {
  readonly offset: number;
  readonly metadata?: string;
}

/** Records for one topic. */
export interface RecordsToSend<K, V> {
  readonly topic: string;
  readonly records: readonly ProducedRecord<K, V>[];
  /** @defaultValue bytes */
  readonly key?: Serde<K>;
  /** @defaultValue bytes */
  readonly value?: Serde<V>;
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

const MAX_PENDING_BATCHES = 48;
const FULL_MS = 2;
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
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TransactionalProducerOptions) {
    const { transactionalId: _id, transactionTimeoutMs: _timeout, compression: _codec, maxBatchBytes: _max, ...client } = options;
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
      throw new TransactionTimeoutTooLargeError(transactionTimeoutMs as number, null);
    }
    this.#producer = producer;
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
    const transaction = new OpenTransaction(producer);
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
  readonly #producer: BatchProducer;
  readonly #groups = new Map<string, { readonly generation: GroupGeneration; readonly offsets: OffsetBatch }>();
  readonly #headers = new HeaderEncoder();
  #isOpen = true;
  #keyless = 0;

  constructor(producer: BatchProducer) {
    this.#producer = producer;
  }

  get groups(): { readonly generation: GroupGeneration; readonly offsets: OffsetBatch }[] {
    return [...this.#groups.values()];
  }

  end(): void {
    this.#isOpen = false;
  }

  async send<K = Buffer, V = Buffer>({
    topic: name,
    records,
    key: keySerde = bytesSerde as unknown as Serde<K>,
    value: valueSerde = bytesSerde as unknown as Serde<V>,
  }: RecordsToSend<K, V>): Promise<void> {
    const topic = await this.#producer.topic(name);
    const count = topic.partitions.length;
    for (const record of records) {
      this.#checkOpen();
      const key =
        record.key === undefined || record.key === null
          ? null
          : toBuffer(keySerde.serialize(name, record.key, record.headers));
      const value = record.value === null ? null : valueSerde.serialize(name, record.value, record.headers);
      let partition = record.partition;
      if (partition === undefined) {
        partition = key === null ? this.#keyless++ % count : partitionForKey(key, 0, key.length, count);
      } else if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
        throw new UnknownPartitionError({ topic: name, partition, partitionCount: count });
      }
      if (record.headers !== undefined) this.#headers.encode(record.headers);
      this.#producer.append(
        topic.partitions[partition]!,
        record.timestamp ?? Date.now(),
        key ?? EMPTY,
        key === null ? -1 : 0,
        key === null ? -1 : key.length,
        value,
        record.headers === undefined ? null : this.#headers.buffer,
        0,
        this.#headers.length,
      );
      while (this.#producer.pendingBatches > MAX_PENDING_BATCHES) await systemClock.sleep(FULL_MS);
    }
  }

  sendOffsets(generation: GroupGeneration, offsets: readonly OffsetToCommit[]): void {
    this.#checkOpen();
    let group = this.#groups.get(generation.groupId);
    if (group === undefined) this.#groups.set(generation.groupId, (group = { generation, offsets: new OffsetBatch() }));
    for (const { topic, partition, offset, metadata = "" } of offsets) group.offsets.set(topic, partition, offset, metadata);
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new TypeError("Transaction: it has ended; send inside the function that was given it, and await it there");
  }
}

const EMPTY = Buffer.alloc(0);

function toBuffer(bytes: string | Uint8Array): Buffer {
  return typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function kafkaCodeOf(error: unknown): number | undefined {
  return (error as { readonly kafkaCode?: number } | null)?.kafkaCode;
}
