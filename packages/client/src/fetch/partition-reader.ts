import type { Clock, Logger } from "@eos/core";
import type { Cluster } from "../network/cluster.ts";
import type { IsolationLevel } from "../protocol/isolation-level.ts";
import type { RecordBatch } from "../records/record-batch-reader.ts";
import { Fetcher } from "./fetcher.ts";
import { PartitionQueue } from "./partition-queue.ts";

export interface PartitionReaderOptions {
  readonly topic: string;
  readonly partition: number;
  /** First offset to read. */
  readonly from: number;
  /**
   * Ends before this offset. A batch may hold later records: look at each record's offset.
   * @defaultValue never: what is written later is read when it comes
   */
  readonly to?: number;
  /** @defaultValue 'read_committed' */
  readonly isolation?: IsolationLevel;
  readonly signal?: AbortSignal;
}

/** Batches of one partition in the order of the log, and the offset behind them. */
export interface BatchChunk {
  /** Also those without a record to deliver: control batches, and those of aborted transactions. */
  readonly batches: readonly RecordBatch[];
  readonly nextOffset: number;
}

/**
 * A Fetch that finds nothing holds up the partitions that are added meanwhile: the broker answers the requests of one
 * connection in turn. Short, since it may wait for the end of somebody's transaction.
 */
const MAX_WAIT_MS = 100;
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const MAX_PARTITION_BYTES = 1024 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
const MAX_QUEUE_BYTES = 4 * 1024 * 1024;
/** Of all partitions together; one that holds nothing is fetched all the same. */
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;

/**
 * Reads partitions without a group: what restores stores from their changelogs and keeps copies of them warm. All that
 * are read at the same time share their requests and one bound on memory. Follows batch headers, so that it never waits
 * for an offset that compaction or a marker has taken away (D2).
 */
export class PartitionReader {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #fetchers = new Map<IsolationLevel, Fetcher>();
  readonly #readings = new Map<PartitionQueue, Reading>();

  constructor(cluster: Cluster, clock: Clock, logger: Logger) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Batch by batch, without those that have no records. */
  async *read(options: PartitionReaderOptions): AsyncGenerator<RecordBatch> {
    for await (const { batches } of this.readChunks(options)) {
      for (const batch of batches) if (batch.count > 0) yield batch;
    }
  }

  /** All that has arrived at a time. The next chunk is fetched while the consumer is busy with this one. */
  async *readChunks(options: PartitionReaderOptions): AsyncGenerator<BatchChunk> {
    const { topic, partition, from, to = Infinity, isolation = "read_committed", signal } = options;
    if (from >= to) return;
    await this.#cluster.topic(topic);
    const reading = new Reading(new PartitionQueue(topic, partition, from, null), to);
    const { queue } = reading;
    const fetcher = this.#fetcher(isolation);
    const onAbort = (): void => reading.wake();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#readings.set(queue, reading);
    fetcher.add(queue);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (queue.isEmpty) {
          if (reading.failure !== null) throw reading.failure;
          await reading.awaitNews();
          continue;
        }
        const chunk = takeChunk(queue);
        yield chunk;
        for (const batch of chunk.batches) queue.release(batch);
        if (chunk.nextOffset >= to) return;
        this.#regulate();
        fetcher.wake();
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#readings.delete(queue);
      fetcher.remove(queue);
      this.#regulate();
      fetcher.wake();
    }
  }

  #fetcher(isolation: IsolationLevel): Fetcher {
    let fetcher = this.#fetchers.get(isolation);
    if (fetcher === undefined) {
      fetcher = new Fetcher({
        cluster: this.#cluster,
        clock: this.#clock,
        logger: this.#logger,
        isolation,
        maxWaitMs: MAX_WAIT_MS,
        maxBytes: MAX_RESPONSE_BYTES,
        maxPartitionBytes: MAX_PARTITION_BYTES,
        maxQueueBytes: MAX_QUEUE_BYTES,
        onFetched: (queue) => {
          this.#regulate();
          this.#readings.get(queue)?.wake();
        },
        onError: (queue, error) => this.#readings.get(queue)?.fail(error),
      });
      this.#fetchers.set(isolation, fetcher);
    }
    return fetcher;
  }

  #regulate(): void {
    let bytes = 0;
    for (const queue of this.#readings.keys()) bytes += queue.bytes;
    const isFull = bytes > MAX_TOTAL_BYTES;
    // A long poll beyond the end would hold up the others.
    for (const [queue, { to }] of this.#readings) queue.paused = queue.position >= to || (isFull && queue.bytes > 0);
  }
}

/** One partition being read. */
class Reading {
  readonly queue: PartitionQueue;
  readonly to: number;
  failure: Error | null = null;
  wake = (): void => {};

  constructor(queue: PartitionQueue, to: number) {
    this.queue = queue;
    this.to = to;
  }

  /** Resolves when something has been fetched, the reading failed, or its signal fired. */
  async awaitNews(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  fail(error: Error): void {
    this.failure = error;
    this.wake();
  }
}

function takeChunk(queue: PartitionQueue): BatchChunk {
  const batches: RecordBatch[] = [];
  let nextOffset = -1;
  for (let bytes = 0; bytes < MAX_CHUNK_BYTES;) {
    const batch = queue.shift();
    if (batch === null) break;
    batches.push(batch);
    bytes += batch.sizeInBytes;
    nextOffset = batch.nextOffset;
  }
  return { batches, nextOffset };
}
