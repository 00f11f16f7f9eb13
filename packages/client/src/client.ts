import { type Clock, type Logger, systemClock } from "@eos/core";
import { type Admin, createAdmin } from "./admin/admin.ts";
import { type BatchChunk, PartitionReader, type PartitionReaderOptions } from "./fetch/partition-reader.ts";
import { commitOffsets } from "./group/commit-offsets.ts";
import { GroupConsumer, type GroupConsumerOptions } from "./group/group-consumer.ts";
import { Cluster } from "./network/cluster.ts";
import { type ClientOptions, resolveClientOptions } from "./options.ts";
import { AtLeastOnceProtocol } from "./producer/at-least-once-protocol.ts";
import { BatchProducer } from "./producer/batch-producer.ts";
import type { GroupOffsets } from "./producer/group-offsets.ts";
import { TransactionProtocol } from "./producer/transaction-protocol.ts";
import { BatchBuffers } from "./records/batch-buffers.ts";
import { type CodecName, loadCodec } from "./records/codecs.ts";
import type { RecordBatch } from "./records/record-batch-reader.ts";

export interface ProducerOptions {
  /** `null`: idempotent, without transactions. */
  readonly transactionalId: string | null;
  /** @defaultValue 10 000 */
  readonly transactionTimeoutMs?: number | undefined;
  /** Largest batch before compression. @defaultValue 1 048 576 */
  readonly maxBatchBytes?: number | undefined;
  /** @defaultValue 'none' */
  readonly compression?: CodecName | "none" | undefined;
  /**
   * The transaction protocol: 2 is KIP-890's, with a new epoch for every transaction.
   * @defaultValue what the brokers' `transaction.version` says
   */
  readonly transactionVersion?: 1 | 2 | undefined;
}

/**
 * The engine port: what the packages above need of a Kafka client. kafkajs is behind it, and nothing of kafkajs shows.
 */
export interface Client {
  /** @throws ConnectionError, AuthenticationError, UnsupportedVersionError */
  connect(): Promise<void>;
  readonly admin: Admin;
  /** A producer that still has to be initialised. @throws MissingCodecError */
  producer(options: ProducerOptions): Promise<BatchProducer>;
  /** A member of a consumer group, with connections of its own. */
  groupConsumer(options: GroupConsumerOptions): GroupConsumer;
  /** Reads a range of one partition without a group. @throws OffsetOutOfRangeError, CorruptRecordError */
  readPartition(options: PartitionReaderOptions): AsyncGenerator<RecordBatch>;
  /**
   * As {@link readPartition}, with all that has arrived at a time, up to 4 MiB, and the offset behind it: also behind
   * markers and what was aborted. The next chunk is fetched while the consumer is busy with this one.
   */
  readChunks(options: PartitionReaderOptions): AsyncGenerator<BatchChunk>;
  /**
   * Commits offsets outside a transaction, under the generation's check. The error names the first partition refused.
   * @throws BrokerError, FencedInstanceIdError, AuthorizationError, ConnectionError
   */
  commitOffsets(group: GroupOffsets): Promise<void>;
  /** Level of the brokers' feature `transaction.version`; known once connected. */
  readonly transactionVersion: number;
  /** Rejects what is in flight and closes every connection. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_TRANSACTION_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BATCH_BYTES = 1_048_576;
/** Java's `delivery.timeout.ms`, for a producer whose records no transaction timeout bounds. */
const DELIVERY_TIMEOUT_MS = 120_000;

/** @throws TypeError on an unknown, wrong or missing option; EngineMismatchError when kafkajs is not the version needed. */
export function createClient(options: ClientOptions & { readonly clock?: Clock }): Client {
  const { clock = systemClock, ...given } = options;
  const resolved = resolveClientOptions("createClient", given);
  const logger: Logger = resolved.logger;
  const cluster = new Cluster({ ...resolved, clock });
  const buffers = new BatchBuffers();
  const reader = new PartitionReader(cluster, clock, logger);
  const consumers = new Set<GroupConsumer>();

  return {
    admin: createAdmin(cluster, { logger, clock }),
    get transactionVersion() {
      return cluster.transactionVersion;
    },
    connect: () => cluster.connect(),
    async producer({ transactionalId, transactionTimeoutMs, maxBatchBytes, compression = "none", transactionVersion }) {
      const timeoutMs = transactionTimeoutMs ?? DEFAULT_TRANSACTION_TIMEOUT_MS;
      const protocol =
        transactionalId === null
          ? new AtLeastOnceProtocol(cluster, clock)
          : new TransactionProtocol({
              cluster,
              clock,
              logger,
              transactionalId,
              transactionTimeoutMs: timeoutMs,
              transactionVersion: transactionVersion ?? (cluster.transactionVersion >= 2 ? 2 : 1),
            });
      return new BatchProducer({
        cluster,
        clock,
        buffers,
        protocol,
        maxBatchBytes: maxBatchBytes ?? DEFAULT_MAX_BATCH_BYTES,
        codec: compression === "none" ? null : await loadCodec(compression),
        deliveryTimeoutMs: transactionalId === null ? DELIVERY_TIMEOUT_MS : timeoutMs,
      });
    },
    groupConsumer(consumerOptions) {
      const consumer = new GroupConsumer(new Cluster({ ...resolved, clock }), clock, logger, consumerOptions);
      consumers.add(consumer);
      return consumer;
    },
    readPartition: (readerOptions) => reader.read(readerOptions),
    readChunks: (readerOptions) => reader.readChunks(readerOptions),
    commitOffsets: (group) => commitOffsets(cluster, clock, group),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.disconnect()));
      await cluster.close();
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}
