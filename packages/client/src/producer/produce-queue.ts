import type { Clock } from "@eos/core";
import { brokerError, isConnectionLoss } from "../errors/errors.ts";
import { kafkaErrorClass } from "../errors/kafka-errors.ts";
import type { Cluster } from "../network/cluster.ts";
import { produce } from "../protocol/produce.ts";
import type { OutputPartition, SealedBatch } from "./output-partition.ts";

/** The broker refuses a request above `socket.request.max.bytes` (100 MiB as shipped); batches of many partitions are split well below. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** CONCURRENT_TRANSACTIONS is the normal answer right after a commit; it passes in a few milliseconds. */
const RETRY_IN_PLACE_MS = 2;
const RETRY_REFRESH_MS = 50;

export interface ProduceQueueOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly transactionalId: string | null;
  readonly produceVersion: 9 | 12;
  /** How long a batch is retried before the queue fails. */
  readonly deliveryTimeoutMs: number;
  /**
   * After a lost connection the outcome of a Produce is unknown. `'resend'` repeats the same bytes (the broker drops
   * the duplicate by its sequence); `'fail'` leaves it to an abort, which is always safe.
   */
  readonly onConnectionLoss: "resend" | "fail";
  /** Runs before partitions are first produced to (AddPartitionsToTxn before transaction version 2). */
  readonly beforeProduce?: (partitions: readonly OutputPartition[]) => Promise<void>;
}

/**
 * Sends sealed batches in order: one request in flight per partition, several partitions in one request, and a retry
 * repeats the same bytes under the same sequence. Java's `Sender`, minus everything that rolls a sequence back: two
 * sends in flight and one lost answer is how stock kafkajs overwrites one record with another (D5).
 */
export class ProduceQueue {
  readonly #options: ProduceQueueOptions;
  #sendable: OutputPartition[] = [];
  /** Partitions that hold ready batches, in flight or not. */
  readonly #busy = new Set<OutputPartition>();
  #requestsInFlight = 0;
  #pendingBatches = 0;
  #acknowledgedBatches = 0;
  #failure: Error | null = null;
  #waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #settledWaiters: (() => void)[] = [];

  constructor(options: ProduceQueueOptions) {
    this.#options = options;
  }

  /** Batches handed over and not yet acknowledged. */
  get pendingBatches(): number {
    return this.#pendingBatches;
  }

  /** Batches acknowledged since the queue was made. */
  get acknowledgedBatches(): number {
    return this.#acknowledgedBatches;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** Queues a batch; nothing leaves before {@link flush}, so that partitions share requests. */
  enqueue(partition: OutputPartition, batch: SealedBatch): void {
    this.#pendingBatches++;
    partition.ready.push(batch);
    if (!this.#busy.has(partition)) {
      this.#busy.add(partition);
      this.#sendable.push(partition);
    }
  }

  /** Sends what may be sent. */
  flush(): void {
    if (this.#failure !== null || this.#sendable.length === 0) return;
    const partitions = this.#sendable;
    this.#sendable = [];
    const byLeader = new Map<number, OutputPartition[]>();
    for (const partition of partitions) {
      partition.inFlight = true;
      const leader = this.#leader(partition);
      const sameLeader = byLeader.get(leader);
      if (sameLeader === undefined) byLeader.set(leader, [partition]);
      else sameLeader.push(partition);
    }
    for (const [leader, ofLeader] of byLeader) {
      for (const request of splitBySize(ofLeader)) {
        this.#requestsInFlight++;
        void this.#send(leader, request);
      }
    }
  }

  /** Resolves when every batch is acknowledged; rejects with the first failure. */
  async drained(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#pendingBatches === 0) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /**
   * Forgets every batch, once no request is in flight any more: a late Produce that overtakes the end of its
   * transaction would land in the next one (KAFKA-17754).
   */
  async reset(): Promise<void> {
    this.#fail(new Error("the produce queue was reset"));
    if (this.#requestsInFlight > 0) await new Promise<void>((resolve) => this.#settledWaiters.push(resolve));
    for (const partition of this.#busy) {
      for (const batch of partition.ready) batch.writer.free();
      partition.ready.length = 0;
      partition.inFlight = false;
    }
    this.#busy.clear();
    this.#sendable = [];
    this.#pendingBatches = 0;
    this.#failure = null;
  }

  #leader(partition: OutputPartition): number {
    return this.#options.cluster.cachedTopic(partition.topic)?.partitions[partition.partition]?.leader ?? -1;
  }

  async #send(leader: number, partitions: OutputPartition[]): Promise<void> {
    try {
      await this.#options.beforeProduce?.(partitions);
      if (this.#failure !== null) return;
      const codes = await this.#request(leader, partitions);
      await this.#settle(partitions, codes);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#requestsInFlight--;
      if (this.#requestsInFlight === 0) {
        const waiters = this.#settledWaiters;
        this.#settledWaiters = [];
        for (const resolve of waiters) resolve();
      }
    }
  }

  /** The broker's error code per partition; `null` where no answer came (lost connection, and resending is allowed). */
  async #request(leader: number, partitions: readonly OutputPartition[]): Promise<Map<OutputPartition, BrokerAnswer>> {
    const answers = new Map<OutputPartition, BrokerAnswer>();
    if (leader < 0) {
      for (const partition of partitions) answers.set(partition, { code: 5, baseOffset: -1, message: null });
      return answers;
    }
    const topics = new Map<string, { topic: string; partitions: { partition: number; batch: Buffer }[] }>();
    for (const partition of partitions) {
      const batch = partition.ready[0] as SealedBatch;
      let topic = topics.get(partition.topic);
      if (topic === undefined) topics.set(partition.topic, (topic = { topic: partition.topic, partitions: [] }));
      topic.partitions.push({ partition: partition.partition, batch: batch.bytes });
    }
    const { cluster, transactionalId, produceVersion, onConnectionLoss } = this.#options;
    try {
      const response = await cluster.send(
        leader,
        produce({
          version: produceVersion,
          transactionalId,
          acks: -1,
          timeoutMs: 30_000,
          topics: [...topics.values()],
        }),
      );
      for (const topic of response.topics) {
        for (const answer of topic.partitions) {
          const partition = partitions.find((p) => p.topic === topic.topic && p.partition === answer.partition);
          if (partition === undefined) continue;
          const { errorCode: code, baseOffset, errorMessage: message } = answer;
          answers.set(partition, { code, baseOffset, message });
        }
      }
    } catch (error) {
      if (onConnectionLoss === "fail" || !isConnectionLoss(error)) throw error;
      for (const partition of partitions) answers.set(partition, { code: 13, baseOffset: -1, message: null });
      return answers;
    }
    // F4: an answer that leaves a partition out is not an acknowledgement of it.
    for (const partition of partitions) {
      if (!answers.has(partition)) {
        throw brokerError({ api: "Produce", kafkaCode: -1, topic: partition.topic, partition: partition.partition });
      }
    }
    return answers;
  }

  async #settle(partitions: readonly OutputPartition[], answers: Map<OutputPartition, BrokerAnswer>): Promise<void> {
    let backoffMs = 0;
    let refresh = false;
    for (const partition of partitions) {
      const { code, baseOffset, message } = answers.get(partition) as BrokerAnswer;
      const batch = partition.ready[0] as SealedBatch;
      if (code === 0) {
        partition.ready.shift();
        partition.endOffset = baseOffset + batch.writer.count;
        batch.writer.free();
        this.#pendingBatches--;
        this.#acknowledgedBatches++;
        continue;
      }
      const expired = this.#options.clock.monotonicMs() - batch.sealedAtMs > this.#options.deliveryTimeoutMs;
      const kind = kafkaErrorClass(code);
      if (!expired && kind === "retry-in-place") {
        backoffMs = Math.max(backoffMs, RETRY_IN_PLACE_MS);
      } else if (!expired && kind === "refresh-metadata") {
        backoffMs = Math.max(backoffMs, RETRY_REFRESH_MS);
        refresh = true;
      } else {
        throw brokerError({
          api: "Produce",
          kafkaCode: code,
          detail: message,
          topic: partition.topic,
          partition: partition.partition,
        });
      }
    }
    if (backoffMs > 0) await this.#options.clock.sleep(backoffMs);
    if (refresh) await this.#refreshMetadata([...new Set(partitions.map((p) => p.topic))]);
    for (const partition of partitions) {
      partition.inFlight = false;
      if (partition.ready.length > 0) this.#sendable.push(partition);
      else this.#busy.delete(partition);
    }
    this.flush();
    if (this.#pendingBatches === 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const waiter of waiters) waiter.resolve();
    }
  }

  async #refreshMetadata(topics: string[]): Promise<void> {
    try {
      await this.#options.cluster.refreshMetadata(topics);
    } catch (error) {
      // No broker to ask: the batch keeps its place and its deadline, and is tried again.
      if (!isConnectionLoss(error)) throw error;
      await this.#options.clock.sleep(RETRY_REFRESH_MS);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(this.#failure);
  }
}

interface BrokerAnswer {
  readonly code: number;
  /** Offset of the batch's first record. */
  readonly baseOffset: number;
  readonly message: string | null;
}

function splitBySize(partitions: readonly OutputPartition[]): OutputPartition[][] {
  const requests: OutputPartition[][] = [];
  let current: OutputPartition[] = [];
  let bytes = 0;
  for (const partition of partitions) {
    const size = (partition.ready[0] as SealedBatch).bytes.length;
    if (current.length > 0 && bytes + size > MAX_REQUEST_BYTES) {
      requests.push(current);
      current = [];
      bytes = 0;
    }
    current.push(partition);
    bytes += size;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}
