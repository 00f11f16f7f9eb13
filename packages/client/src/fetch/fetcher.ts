import type { Clock, Logger } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import { kafkaErrorClass, kafkaErrorName } from "../errors/kafka-errors.ts";
import { backoffMs } from "../network/backoff.ts";
import type { Cluster } from "../network/cluster.ts";
import { fetch } from "../protocol/fetch.ts";
import { codecName, isCodecReady, loadCodec } from "../records/codecs.ts";
import { type RecordBatch, readRecordBatches } from "../records/record-batch-reader.ts";
import { CorruptRecordError } from "../records/record-errors.ts";
import { OffsetOutOfRangeError } from "./fetch-errors.ts";
import type { PartitionQueue } from "./partition-queue.ts";
import { QueueBounds } from "./queue-bounds.ts";

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isolation: "read_committed" | "read_uncommitted";
  /** How long the broker may hold a request for which it has nothing. */
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  /** A queue with more bytes waiting is not fetched. */
  readonly maxQueueBytes: number;
  /** A queue with more records waiting is not fetched, but for those gone before an answer can come. @defaultValue no bound */
  readonly maxQueueRecords?: number | undefined;
  /** A queue that was too full is fetched again at this fraction of both bounds, 0 < f ≤ 1. @defaultValue 1 */
  readonly resumeAt?: number | undefined;
  readonly onFetched: (queue: PartitionQueue) => void;
  /** The partition cannot be read on (offset out of range, not authorised, corrupt): it is not fetched any more. */
  readonly onError: (queue: PartitionQueue, error: Error) => void;
}

const RETRY_MS = 50;
const RECONNECT_MS = 100;
/** A partition may have no leader for long: its topic may be deleted. */
const MAX_LEADER_WAIT_MS = 500;
/** Damage on the way is gone when the records are fetched again; damage of the log is not. */
const CORRUPT_RETRIES = 3;
const CORRUPT_RETRY_MS = 100;

/**
 * Keeps one Fetch in flight per leader while there is room in the queues: never fetch → wait for the handlers → fetch.
 * An answer is walked by batch headers only; records are decoded where they are processed.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #queues = new Set<PartitionQueue>();
  readonly #loops = new Set<number>();
  readonly #bounds: QueueBounds;
  /** Where a queue came upon damaged records, and how often. */
  readonly #corrupt = new WeakMap<PartitionQueue, { readonly offset: number; readonly times: number }>();
  #closed = false;
  #wakers: (() => void)[] = [];
  #stopWaiting = new AbortController();
  #turn = 0;

  constructor(options: FetcherOptions) {
    const { clock, maxQueueBytes, maxQueueRecords = Infinity, resumeAt = 1 } = options;
    this.#options = options;
    this.#bounds = new QueueBounds({ clock, maxBytes: maxQueueBytes, maxRecords: maxQueueRecords, resumeAt });
  }

  /** Fetches the partition from its position on. */
  add(queue: PartitionQueue): void {
    this.#queues.add(queue);
    this.#startLoops();
    this.wake();
  }

  remove(queue: PartitionQueue): void {
    queue.closed = true;
    this.#queues.delete(queue);
  }

  /** There is room again, a partition was resumed, or its position was moved. */
  wake(): void {
    if (this.#wakers.length === 0) return;
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }

  close(): void {
    this.#closed = true;
    this.#stopWaiting.abort();
    for (const queue of this.#queues) queue.closed = true;
    this.#queues.clear();
    this.wake();
  }

  #leader(queue: PartitionQueue): number {
    return this.#options.cluster.cachedTopic(queue.topic)?.partitions[queue.partition]?.leader ?? -1;
  }

  #startLoops(): void {
    for (const queue of this.#queues) {
      const leader = this.#leader(queue);
      if (this.#loops.has(leader)) continue;
      this.#loops.add(leader);
      void (leader < 0 ? this.#awaitLeader() : this.#loop(leader));
    }
  }

  /** Partitions without a known leader: ask until there is one. */
  async #awaitLeader(): Promise<void> {
    for (let attempt = 0; !this.#closed; attempt++) {
      const leaderless = [...this.#queues].filter((queue) => this.#leader(queue) < 0);
      if (leaderless.length === 0) break;
      await this.#refresh(leaderless);
      await this.#sleep(backoffMs(attempt, RETRY_MS, MAX_LEADER_WAIT_MS));
    }
    this.#loops.delete(-1);
    this.#startLoops();
  }

  async #loop(node: number): Promise<void> {
    while (!this.#closed) {
      // A partition may have moved to a node that led none so far: this loop leaves it, and nobody else would begin.
      this.#startLoops();
      const mine = [...this.#queues].filter((queue) => this.#leader(queue) === node);
      if (mine.length === 0) break;
      const wanted: PartitionQueue[] = [];
      const full: PartitionQueue[] = [];
      for (const queue of mine) if (!queue.paused) (this.#bounds.hasRoom(queue) ? wanted : full).push(queue);
      if (wanted.length === 0) {
        await new Promise<void>((resolve) => this.#wakers.push(resolve));
        continue;
      }
      try {
        await this.#fetchOnce(node, wanted, this.#waitMs(full));
      } catch (error) {
        if (this.#closed) break;
        if (!isConnectionLoss(error)) {
          for (const queue of wanted) this.#giveUp(queue, error);
          continue;
        }
        this.#options.logger.debug({ node, err: error }, "fetching failed, trying again");
        await this.#sleep(RECONNECT_MS);
        await this.#refresh(wanted);
      }
    }
    this.#loops.delete(node);
    if (!this.#closed) this.#startLoops();
  }

  /**
   * How long the broker may hold the request. A queue that is left out gets no request of its own before this one is
   * answered: while others have nothing to give, that must not be long after it has room again.
   */
  #waitMs(full: readonly PartitionQueue[]): number {
    const roomInMs = full.map((queue) => this.#bounds.roomInMs(queue));
    return Math.max(1, Math.round(Math.min(this.#options.maxWaitMs, ...roomInMs)));
  }

  async #fetchOnce(node: number, wanted: readonly PartitionQueue[], maxWaitMs: number): Promise<void> {
    const { cluster, clock, isolation, maxBytes, maxPartitionBytes } = this.#options;
    const askedMs = clock.monotonicMs();
    // A response that hits maxBytes is filled from its first partitions on: they take turns at being first.
    const turn = this.#turn++ % wanted.length;
    const ordered = turn === 0 ? wanted : [...wanted.slice(turn), ...wanted.slice(0, turn)];
    const asked = new Map<string, Map<number, { queue: PartitionQueue; epoch: number; offset: number }>>();
    for (const queue of ordered) {
      let partitions = asked.get(queue.topic);
      if (partitions === undefined) asked.set(queue.topic, (partitions = new Map()));
      partitions.set(queue.partition, { queue, epoch: queue.epoch, offset: queue.position });
    }
    const response = await cluster.send(
      node,
      fetch({
        isolation,
        maxWaitMs,
        minBytes: 1,
        maxBytes,
        topics: [...asked].map(([topic, partitions]) => ({
          topic,
          partitions: [...partitions].map(([partition, { offset }]) => ({
            partition,
            fetchOffset: offset,
            maxBytes: maxPartitionBytes,
          })),
        })),
      }),
      "fetch",
    );
    if (response.errorCode !== 0) throw brokerError({ api: "Fetch", kafkaCode: response.errorCode });
    if (response.topics.some(({ partitions }) => partitions.some((part) => part.recordsEnd > part.recordsStart))) {
      this.#bounds.answered(clock.monotonicMs() - askedMs);
    }
    const stale: PartitionQueue[] = [];
    let isDamaged = false;
    for (const topic of response.topics) {
      for (const part of topic.partitions) {
        const question = asked.get(topic.topic)?.get(part.partition);
        if (question === undefined) continue;
        const { queue, epoch, offset } = question;
        // Revoked or sought elsewhere while the answer was on its way.
        if (queue.closed || queue.epoch !== epoch) continue;
        if (part.errorCode !== 0) {
          if (this.#isPassing(part.errorCode)) stale.push(queue);
          else this.#giveUp(queue, this.#partitionError(part.errorCode, queue, offset));
          continue;
        }
        queue.lastStableOffset = part.lastStableOffset;
        if (part.recordsEnd === part.recordsStart) continue;
        try {
          const batches = readRecordBatches(response.payload, part.recordsStart, part.recordsEnd, {
            isolation,
            aborted: part.aborted,
            fetchOffset: offset,
            verifyCrc: true,
            topic: queue.topic,
            partition: queue.partition,
          });
          await loadCodecs(batches);
          if (queue.closed || queue.epoch !== epoch) continue;
          if (batches.length === 0) continue;
          for (const batch of batches) queue.push(batch);
          this.#bounds.filled(queue);
          this.#options.onFetched(queue);
        } catch (error) {
          if (this.#isWorthAnother(error, queue)) isDamaged = true;
          else this.#giveUp(queue, error);
        }
      }
    }
    if (isDamaged) await this.#sleep(CORRUPT_RETRY_MS);
    if (stale.length > 0) {
      await this.#sleep(RETRY_MS);
      await this.#refresh(stale);
    }
  }

  #isWorthAnother(error: unknown, queue: PartitionQueue): boolean {
    if (!(error instanceof CorruptRecordError)) return false;
    const seen = this.#corrupt.get(queue);
    const times = seen?.offset === queue.position ? seen.times + 1 : 1;
    this.#corrupt.set(queue, { offset: queue.position, times });
    this.#options.logger.warn({ err: error, times }, "fetched records are corrupt");
    return times <= CORRUPT_RETRIES;
  }

  #isPassing(code: number): boolean {
    const kind = kafkaErrorClass(code);
    return kind === "refresh-metadata" || kind === "retry-in-place" || kind === "wait";
  }

  #partitionError(code: number, queue: PartitionQueue, offset: number): Error {
    const { topic, partition } = queue;
    if (kafkaErrorName(code) === "OFFSET_OUT_OF_RANGE") return new OffsetOutOfRangeError({ topic, partition, offset });
    return brokerError({ api: "Fetch", kafkaCode: code, topic, partition });
  }

  #giveUp(queue: PartitionQueue, error: unknown): void {
    this.remove(queue);
    this.#options.onError(queue, error instanceof Error ? error : new Error(String(error)));
  }

  async #refresh(queues: readonly PartitionQueue[]): Promise<void> {
    try {
      await this.#options.cluster.refreshMetadata([...new Set(queues.map((queue) => queue.topic))]);
    } catch (error) {
      if (!isConnectionLoss(error)) for (const queue of queues) this.#giveUp(queue, error);
    }
  }

  async #sleep(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms, this.#stopWaiting.signal).catch(() => undefined);
  }
}

/** Some decompressors load asynchronously; the tasks that open the batches do not wait. */
async function loadCodecs(batches: readonly RecordBatch[]): Promise<void> {
  for (const { codecId } of batches) {
    if (codecId === 0 || isCodecReady(codecId)) continue;
    const name = codecName(codecId);
    if (name !== undefined) await loadCodec(name);
  }
}
