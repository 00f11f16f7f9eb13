import { bytesSerde, type Headers, type Serde, systemClock } from "@eos/core";
import { HeaderEncoder } from "../records/header-bytes.ts";
import { partitionForKey } from "../records/partitioner.ts";
import type { BatchProducer } from "./batch-producer.ts";
import { UnknownPartitionError } from "./producer-errors.ts";

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

/** Records for one topic. */
export interface RecordsToSend<K, V> {
  readonly topic: string;
  readonly records: readonly ProducedRecord<K, V>[];
  /** @defaultValue bytes */
  readonly key?: Serde<K>;
  /** @defaultValue bytes */
  readonly value?: Serde<V>;
}

const MAX_PENDING_BATCHES = 48;
const FULL_MS = 2;
const EMPTY = Buffer.alloc(0);

/** Serialises, partitions and appends a user's records. */
export class RecordAppender {
  readonly #producer: BatchProducer;
  readonly #headers = new HeaderEncoder();
  #keyless = 0;

  constructor(producer: BatchProducer) {
    this.#producer = producer;
  }

  /**
   * Appends the records in order; waits while the producer holds as many unacknowledged batches as it may.
   * @param mayGoOn looked at before each record: throws when they must not be appended any more
   * @throws SerdeError, RecordTooLargeError, UnknownPartitionError, UnknownTopicError: those before it are appended;
   * TransactionAbortedError when the broker has refused what was sent
   */
  async append<K = Buffer, V = Buffer>(
    {
      topic: name,
      records,
      key: keySerde = bytesSerde as unknown as Serde<K>,
      value: valueSerde = bytesSerde as unknown as Serde<V>,
    }: RecordsToSend<K, V>,
    mayGoOn: () => void,
  ): Promise<void> {
    const topic = await this.#producer.topic(name);
    const count = topic.partitions.length;
    for (const record of records) {
      mayGoOn();
      const { headers } = record;
      const key =
        record.key === undefined || record.key === null
          ? null
          : toBuffer(keySerde.serialize(name, record.key, headers));
      const value = record.value === null ? null : valueSerde.serialize(name, record.value, headers);
      let partition = record.partition;
      if (partition === undefined) {
        partition = key === null ? this.#keyless++ % count : partitionForKey(key, 0, key.length, count);
      } else if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
        throw new UnknownPartitionError({ topic: name, partition, partitionCount: count });
      }
      if (headers !== undefined) this.#headers.encode(headers);
      this.#producer.append(
        topic.partitions[partition]!,
        record.timestamp ?? Date.now(),
        key ?? EMPTY,
        key === null ? -1 : 0,
        key === null ? -1 : key.length,
        value,
        headers === undefined ? null : this.#headers.buffer,
        0,
        this.#headers.length,
      );
      while (this.#producer.pendingBatches > MAX_PENDING_BATCHES) {
        this.#producer.throwIfFailed();
        await systemClock.sleep(FULL_MS);
      }
    }
  }
}

function toBuffer(bytes: string | Uint8Array): Buffer {
  return typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
