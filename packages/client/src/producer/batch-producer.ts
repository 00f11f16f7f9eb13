import { type Clock, createStateMachine } from "@eos/core";
import { BrokerError, isConnectionLoss, ProducerFencedError } from "../errors/errors.ts";
import type { Cluster } from "../network/cluster.ts";
import type { BatchBuffers } from "../records/batch-buffers.ts";
import type { Codec } from "../records/codecs.ts";
import type { RecordBatchWriter } from "../records/record-batch-writer.ts";
import { RecordTooLargeError } from "../records/record-errors.ts";
import type { CommitProtocol } from "./commit-protocol.ts";
import type { GroupOffsets } from "./group-offsets.ts";
import { type OutputPartition, OutputTopic } from "./output-partition.ts";
import { TransactionAbortedError } from "./producer-errors.ts";
import { PRODUCER_TRANSITIONS, type ProducerState } from "./producer-state.ts";
import { ProduceQueue } from "./produce-queue.ts";
import { RecordAccumulator } from "./record-accumulator.ts";

export interface BatchProducerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly buffers: BatchBuffers;
  readonly protocol: CommitProtocol;
  readonly maxBatchBytes: number;
  readonly codec: Codec | null;
  /** How long a batch is retried before its transaction fails. */
  readonly deliveryTimeoutMs: number;
}

/** The head of a batch, and a record's lengths, deltas and attributes at their longest. */
const BATCH_AND_RECORD_OVERHEAD_BYTES = 61 + 30;

/** What a commit carried. */
export interface CommitSummary {
  readonly records: number;
  readonly durationMs: number;
  /** How long the transaction was open, its first record to EndTxn's answer. */
  readonly openMs: number;
}

/**
 * Encodes records into batches and commits them with the offsets they came from. It fills the next transaction while
 * the last one commits: {@link commit} swaps the open batches and the offsets in one synchronous step, so a transaction
 * holds exactly the outputs of its offsets, and nothing of the next one leaves before the last one has ended.
 *
 * Any failed send poisons what is open: the owner aborts, which gives a fresh epoch before the next record leaves.
 * Sequences are never rolled back (D5, D6).
 */
export class BatchProducer {
  readonly #options: BatchProducerOptions;
  readonly #protocol: CommitProtocol;
  readonly #machine = createStateMachine<ProducerState>({
    name: "producer",
    initial: "uninitialized",
    transitions: PRODUCER_TRANSITIONS,
  });
  readonly #accumulator: RecordAccumulator;
  readonly #queue: ProduceQueue;
  readonly #topics = new Map<string, OutputTopic>();
  #held: OutputPartition[] = [];
  #heldBatches = 0;
  #draining = false;
  /** Something since the last commit may be known to the broker. */
  #sent = false;
  /** The queue's count of acknowledged batches when the transaction began. */
  #acknowledgedAtStart = 0;
  #filledSinceMs = 0;
  #committingSinceMs = 0;

  constructor(options: BatchProducerOptions) {
    const { cluster, clock, protocol } = options;
    this.#options = options;
    this.#protocol = protocol;
    this.#accumulator = new RecordAccumulator(options.buffers, options.maxBatchBytes, (partition, writer) =>
      this.#full(partition, writer),
    );
    this.#queue = new ProduceQueue({
      cluster,
      clock,
      transactionalId: protocol.transactionalId,
      produceVersion: protocol.produceVersion,
      deliveryTimeoutMs: options.deliveryTimeoutMs,
      onConnectionLoss: protocol.transactionalId === null ? "resend" : "fail",
      beforeProduce: (partitions) => protocol.addPartitions(partitions),
    });
  }

  /** `null` for a producer that is idempotent only. */
  get transactionalId(): string | null {
    return this.#protocol.transactionalId;
  }

  get state(): ProducerState {
    return this.#machine.state;
  }

  /** Whether {@link abort} is legal now. */
  get canAbort(): boolean {
    return this.#machine.can("aborting");
  }

  /** Batches encoded and not yet acknowledged: what back-pressure looks at. */
  get pendingBatches(): number {
    return this.#queue.pendingBatches + this.#heldBatches;
  }

  /**
   * For whoever waits for {@link pendingBatches} to sink.
   * @throws TransactionAbortedError when a send has failed: nothing sinks any more until the abort
   */
  throwIfFailed(): void {
    const { failure } = this.#queue;
    if (failure !== null) throw this.#aborted(failure);
  }

  /** Milliseconds since the first record of the transaction that is committing, or else is being filled; 0 when there is none. */
  openAgeMs(): number {
    const sinceMs = this.#committingSinceMs === 0 ? this.#filledSinceMs : this.#committingSinceMs;
    return sinceMs === 0 ? 0 : this.#options.clock.monotonicMs() - sinceMs;
  }

  /**
   * InitProducerId: fences every other holder of the id and ends its open transaction before it returns.
   * After `fenced`, call it only with proof that the group still counts this member in.
   */
  async init(): Promise<void> {
    const before = this.#machine.state;
    this.#machine.transition("initializing");
    this.#dropFilled();
    await this.#queue.reset();
    try {
      await this.#protocol.initProducerId();
    } catch (error) {
      if (this.#machine.state === "initializing") {
        this.#machine.transition(before === "fenced" ? "fenced" : "uninitialized");
      }
      throw error;
    }
    this.#newEpoch();
    this.#sent = false;
    this.#acknowledgedAtStart = this.#queue.acknowledgedBatches;
    this.#machine.transition("ready");
  }

  /** Resolves an output topic; the handle stays valid as long as the producer. */
  async topic(name: string): Promise<OutputTopic> {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const metadata = await this.#options.cluster.topic(name);
    const topic = this.#topics.get(name) ?? new OutputTopic(name, metadata.partitions.length);
    this.#topics.set(name, topic);
    return topic;
  }

  /**
   * Appends a record to the transaction that is being filled. Legal while `ready`, `in-transaction` and `committing`.
   * @throws RecordTooLargeError when the record alone exceeds the batch limit; TransactionAbortedError when no
   * transaction can be filled. Nothing was written then.
   */
  append(
    partition: OutputPartition,
    timestamp: number,
    keySource: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    headersSource: Buffer | null,
    headersStart: number,
    headersEnd: number,
  ): void {
    if (this.#filledSinceMs === 0) this.#begin();
    this.#accumulator.append(
      partition,
      timestamp,
      keySource,
      keyStart,
      keyEnd,
      value,
      headersSource,
      headersStart,
      headersEnd,
    );
  }

  /**
   * Checks a record that is to be appended together with others, none of which may be left behind alone.
   * @param bytes of key, value and headers
   * @throws RecordTooLargeError when it may not fit into a batch of its own
   */
  checkRecordSize(bytes: number): void {
    const withOverhead = bytes + BATCH_AND_RECORD_OVERHEAD_BYTES;
    if (withOverhead > this.#options.maxBatchBytes) {
      throw new RecordTooLargeError(withOverhead, this.#options.maxBatchBytes);
    }
  }

  /**
   * Commits what was appended, with the offsets, in one transaction. Appending may go on at once: that is the next one.
   * @throws TransactionAbortedError (abortable), ProducerFencedError or BrokerError; then nothing of it is visible,
   * or, after `ProducerFencedError` alone, the committed offsets tell whether it is.
   */
  async commit(groups: readonly GroupOffsets[]): Promise<CommitSummary> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const openedMs = this.#filledSinceMs === 0 ? startedMs : this.#filledSinceMs;
    const records = this.#accumulator.recordCount;
    this.#machine.transition("committing");
    const failure = this.#queue.failure;
    if (failure !== null) throw this.#fail(failure);
    const isAcknowledged = this.#queue.acknowledgedBatches > this.#acknowledgedAtStart;
    // One synchronous step: the batches and the offsets leave together, and what follows goes to the next transaction.
    this.#filledSinceMs = 0;
    this.#draining = true;
    this.#accumulator.drain();
    this.#draining = false;
    this.#queue.flush();
    const sent = isAcknowledged ? "acknowledged" : this.#sent ? "unacknowledged" : "nothing";
    if (groups.length > 0) this.#sent = true;
    this.#committingSinceMs = openedMs;
    try {
      await this.#settle(() => this.#protocol.commit(this.#queue.drained(), groups, sent, this.#gaveUp));
    } finally {
      this.#committingSinceMs = 0;
    }
    const endedMs = clock.monotonicMs();
    this.#sent = false;
    this.#acknowledgedAtStart = this.#queue.acknowledgedBatches;
    this.#machine.transition(this.#filledSinceMs > 0 ? "in-transaction" : "ready");
    this.#releaseHeld();
    return { records, durationMs: endedMs - startedMs, openMs: endedMs - openedMs };
  }

  /**
   * Drops everything that is not committed, at the broker and here, and gives the producer a fresh epoch.
   * Waits until the broker has answered: an abort is not a guess.
   */
  async abort(): Promise<void> {
    this.#machine.transition("aborting");
    this.#dropFilled();
    await this.#queue.reset();
    if (this.#sent) await this.#settle(() => this.#protocol.abort(this.#gaveUp));
    this.#sent = false;
    this.#acknowledgedAtStart = this.#queue.acknowledgedBatches;
    this.#machine.transition("ready");
  }

  /** Releases its buffers. An open transaction is left to {@link abort} before, or to the broker's timeout. */
  close(): void {
    if (this.#machine.is("closed")) return;
    this.#machine.transition("closed");
    this.#dropFilled();
    void this.#queue.reset();
  }

  readonly #gaveUp = (): boolean => this.#machine.is("closed");

  /** Runs an end of transaction; sequences start at 0 again whenever it changed the epoch. */
  async #settle(end: () => Promise<void>): Promise<void> {
    const { producerId, producerEpoch } = this.#protocol;
    try {
      await end();
    } catch (error) {
      throw this.#fail(error);
    } finally {
      if (this.#protocol.producerId !== producerId || this.#protocol.producerEpoch !== producerEpoch) this.#newEpoch();
    }
  }

  /** Before the first record of a transaction is written: one that is refused here must not turn up in a later one. */
  #begin(): void {
    if (this.#machine.state === "ready") this.#machine.transition("in-transaction");
    else if (!this.#machine.is("in-transaction", "committing")) {
      throw new TransactionAbortedError(
        `the producer '${this.transactionalId ?? "idempotent"}' takes no records in state ${this.#machine.state}`,
        { transactionalId: this.transactionalId, cause: this.#queue.failure, connectionLost: false },
      );
    }
    this.#filledSinceMs = this.#options.clock.monotonicMs();
  }

  #full(partition: OutputPartition, writer: RecordBatchWriter): void {
    if (this.#machine.state === "committing" && !this.#draining) {
      if (partition.held.length === 0) this.#held.push(partition);
      partition.held.push(writer);
      this.#heldBatches++;
      return;
    }
    this.#seal(partition, writer);
    if (!this.#draining) this.#queue.flush();
  }

  /** Ids and sequence are written here, not when the batch was begun: EndTxn may have changed the epoch since. */
  #seal(partition: OutputPartition, writer: RecordBatchWriter): void {
    const bytes = writer.seal({
      producerId: this.#protocol.producerId,
      producerEpoch: this.#protocol.producerEpoch,
      baseSequence: partition.nextSequence,
      transactional: this.transactionalId !== null,
      codec: this.#options.codec,
    });
    // Sequences wrap to 0 after 2^31 − 1 (Java's DefaultRecordBatch.incrementSequence).
    partition.nextSequence = (partition.nextSequence + writer.count) % 0x80000000;
    this.#sent = true;
    this.#queue.enqueue(partition, {
      bytes,
      writer,
      sealedAtMs: this.#options.clock.monotonicMs(),
    });
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBatches = 0;
    for (const partition of held) {
      for (const writer of partition.held.splice(0)) this.#seal(partition, writer);
    }
    this.#queue.flush();
  }

  #newEpoch(): void {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) partition.nextSequence = 0;
    }
  }

  #dropFilled(): void {
    this.#accumulator.clear();
    for (const partition of this.#held) {
      for (const writer of partition.held.splice(0)) writer.free();
    }
    this.#held = [];
    this.#heldBatches = 0;
    this.#filledSinceMs = 0;
  }

  /** Moves to the state the error asks for and returns the error to throw. */
  #fail(error: unknown): unknown {
    if (this.#machine.is("closed")) return error;
    if (error instanceof ProducerFencedError) {
      this.#machine.transition("fenced");
      return error;
    }
    if (error instanceof BrokerError && error.kafkaClass === "fatal") {
      this.#machine.transition("fatal-error");
      return error;
    }
    if (this.#machine.can("abortable-error")) this.#machine.transition("abortable-error");
    return isGroupFence(error) ? error : this.#aborted(error);
  }

  #aborted(cause: unknown): TransactionAbortedError {
    return new TransactionAbortedError(
      `a transaction of '${this.transactionalId ?? "an idempotent producer"}' failed and must be aborted: ${messageOf(cause)}`,
      { transactionalId: this.transactionalId, cause, connectionLost: isConnectionLoss(cause) },
    );
  }
}

/** The coordinator refused the generation: the group has gone on without this member. */
export function isGroupFence(error: unknown): boolean {
  return error instanceof BrokerError && error.kafkaClass === "rejoin";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
