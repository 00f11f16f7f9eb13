import {
  type BatchProducer,
  type Client,
  type GroupConsumer,
  type GroupGeneration,
  isConsecutive,
  type PartitionQueue,
  type ProducerFencedError,
  RecordSource,
  Scheduler,
  startPositions,
} from "@eos/client";
import { type Clock, type Logger, type Observer, samePartition, type TopicPartition } from "@eos/core";
import { type AnyTask, CommitUnit } from "./commit-unit.ts";
import type { ResolvedInput, ResolvedOutput, Transform } from "./options.ts";
import { OutputWriter } from "./output-writer.ts";
import type { ProcessorMetrics } from "./processor-metrics.ts";
import { claimPartitions, fenceTheDead, type StableOffset, stableOffsets } from "./stable-offsets.ts";
import { Task, type TaskOwner } from "./task.ts";
import { processTransactionalId, taskTransactionalId } from "./transactional-id.ts";

export interface TaskManagerOptions<KI, VI, KO, VO> {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly metrics: ProcessorMetrics;
  readonly applicationId: string;
  readonly processId: string;
  readonly inputs: readonly ResolvedInput<KI, VI>[];
  readonly outputs: readonly ResolvedOutput<KO, VO>[];
  readonly transform: Transform<KI, VI, KO, VO>;
  readonly guarantee: "exactly_once_v2" | "at_least_once";
  readonly producerScope: "process" | "task";
  readonly commitIntervalMs: number;
  readonly transactionTimeoutMs: number;
  readonly maxBatchBytes: number | undefined;
  readonly compression: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly autoOffsetReset: "earliest" | "latest" | "none";
  readonly consumer: () => GroupConsumer;
  readonly onProcessingError: TaskOwner<KO, VO>["onProcessingError"];
  readonly onSkipped: TaskOwner<KO, VO>["onSkipped"];
  readonly onTaskFailure: TaskOwner<KO, VO>["fail"];
  readonly onFenced: (error: ProducerFencedError) => void;
  readonly onFatal: (error: unknown) => void;
}

/** The producer may hold so many unacknowledged batches before its tasks wait. */
const MAX_PENDING_BATCHES = 48;

/** Owns the tasks and their commit units across rebalances: what is kept, what is closed, what is begun, and in which order. */
export class TaskManager<KI, VI, KO, VO> {
  readonly #options: TaskManagerOptions<KI, VI, KO, VO>;
  readonly #scheduler: Scheduler;
  readonly #units = new Set<CommitUnit>();
  readonly #unitOf = new Map<AnyTask, CommitUnit>();
  #generation: GroupGeneration | null = null;
  /** The one unit of the process scope, and of at-least-once. */
  #processUnit: Promise<Unit<KO, VO>> | null = null;
  #closed = false;

  constructor(options: TaskManagerOptions<KI, VI, KO, VO>) {
    this.#options = options;
    this.#scheduler = new Scheduler((task) => this.#unitOf.get(task as AnyTask)?.isRunning === true);
  }

  get taskCount(): number {
    return this.#unitOf.size;
  }

  openTransactionAgeMs(): number {
    return Math.max(0, ...[...this.#units].map((unit) => unit.producer.openAgeMs()));
  }

  /** The tasks whose record has been outstanding for longer than `limitMs`. */
  stuckTasks(limitMs: number): AnyTask[] {
    return [...this.#unitOf.keys()].filter(
      ({ pending }) => pending !== null && performance.now() - pending.sinceMs > limitMs,
    );
  }

  fetched(queue: PartitionQueue): void {
    if (!queue.closed) this.#scheduler.kick();
  }

  /**
   * Begins the assigned partitions. In this order, which is what makes a takeover safe: InitProducerId (ends the
   * predecessor's transaction) → stable offsets → claim → fetch and run. Heartbeats go on meanwhile.
   *
   * @param processIds - the processes in this generation; `null` when they are not known
   */
  async assigned(
    partitions: readonly TopicPartition[],
    generation: GroupGeneration,
    signal: AbortSignal,
    processIds: ReadonlySet<string> | null,
  ): Promise<void> {
    const mayKeep = isConsecutive(this.#generation, generation);
    this.#generation = generation;
    for (const task of this.#unitOf.keys()) {
      const kept =
        mayKeep &&
        !task.isDropped &&
        !task.queue.closed &&
        partitions.some((partition) => samePartition(partition, task.queue));
      if (kept) task.queue.generation = generation;
      else this.#closeTask(task);
    }
    // Left by an assignment that ended while it was being taken up.
    for (const unit of this.#units) if (this.#isSpent(unit)) this.#closeUnit(unit);
    const held = [...this.#unitOf.keys()];
    const fresh = partitions.filter((partition) => !held.some((task) => samePartition(task.queue, partition)));
    const units = await Promise.all(fresh.map((partition) => this.#unitFor(partition)));
    await Promise.all([...this.#units].map((unit) => this.#initialise(unit)));
    signal.throwIfAborted();
    const positions = await this.#startPositions(fresh, generation, signal, processIds);
    signal.throwIfAborted();
    for (const [index, partition] of fresh.entries()) {
      this.#begin(partition, positions[index] as number, generation, units[index] as Unit<KO, VO>);
    }
    for (const unit of this.#units) unit.run();
    this.#scheduler.kick();
  }

  /** Commits what was done. The tasks stay, stopped: the next generation may give them back. */
  async revoked(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#units].map((unit) => unit.suspend(signal)));
  }

  /** Nothing may be committed: drops what is open, and the tasks with it. */
  async lost(): Promise<void> {
    this.#generation = null;
    await Promise.all([...this.#units].map((unit) => unit.abandon()));
    for (const task of this.#unitOf.keys()) this.#closeTask(task);
  }

  close(): void {
    this.#closed = true;
    this.#scheduler.close();
    for (const unit of this.#units) unit.close();
    this.#units.clear();
    this.#unitOf.clear();
  }

  async #unitFor(partition: TopicPartition): Promise<Unit<KO, VO>> {
    const { producerScope, guarantee } = this.#options;
    if (producerScope === "process" || guarantee === "at_least_once") {
      this.#processUnit ??= this.#createUnit(partition).catch((error: unknown) => {
        this.#processUnit = null;
        throw error;
      });
      return this.#processUnit;
    }
    return this.#createUnit(partition);
  }

  async #createUnit(partition: TopicPartition): Promise<Unit<KO, VO>> {
    const { client, clock, logger, observer, metrics, applicationId, processId } = this.#options;
    const transactionalId =
      this.#options.producerScope === "process"
        ? processTransactionalId(applicationId, processId)
        : taskTransactionalId(applicationId, partition);
    const producer: BatchProducer = await client.producer({
      transactionalId: this.#options.guarantee === "at_least_once" ? null : transactionalId,
      transactionTimeoutMs: this.#options.transactionTimeoutMs,
      maxBatchBytes: this.#options.maxBatchBytes,
      compression: this.#options.compression,
    });
    const unit: CommitUnit = new CommitUnit({
      producer,
      clock,
      logger,
      observer,
      metrics,
      commitIntervalMs: this.#options.commitIntervalMs,
      stableOffsets: (tasks, signal) =>
        this.#committedPositions(
          tasks.map((task) => task.queue),
          signal,
        ),
      confirmMembership: () => this.#options.consumer().confirmMembership(),
      requestRejoin: () => this.#options.consumer().requestRejoin(),
      onFenced: this.#options.onFenced,
      onFatal: this.#options.onFatal,
      onRunnable: () => {
        this.#options.consumer().wake();
        this.#scheduler.kick();
      },
    });
    this.#units.add(unit);
    return { unit, outputs: await OutputWriter.create(producer, this.#options.outputs) };
  }

  /** A unit that came through the revocation in good order keeps its producer; any other takes a fresh epoch, which the assignment entitles it to. */
  async #initialise(unit: CommitUnit): Promise<void> {
    if (unit.producer.state !== "ready") await unit.producer.init();
  }

  async #startPositions(
    partitions: readonly TopicPartition[],
    generation: GroupGeneration,
    signal: AbortSignal,
    processIds: ReadonlySet<string> | null,
  ): Promise<number[]> {
    if (partitions.length === 0) return [];
    const own = this.#ownTransactionalId();
    const options = { ...this.#options, ...this.#admin(), ownTransactionalId: own, signal };
    if (own !== null && processIds !== null) {
      const { applicationId } = this.#options;
      const living = new Set([...processIds].map((processId) => processTransactionalId(applicationId, processId)));
      await fenceTheDead(partitions, living, options);
    }
    const committed = await stableOffsets(partitions, options);
    const offsets = await this.#startOffsets(committed);
    if (own !== null) {
      const unclaimed = offsets.filter((_, index) => committed[index]?.transactionalId !== own);
      await claimPartitions(unclaimed, generation, own, this.#options.client);
    }
    return offsets.map(({ offset }) => offset);
  }

  async #committedPositions(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<number[]> {
    const committed = await stableOffsets(partitions, {
      ...this.#options,
      ...this.#admin(),
      ownTransactionalId: this.#ownTransactionalId(),
      signal,
    });
    return (await this.#startOffsets(committed)).map(({ offset }) => offset);
  }

  #startOffsets(committed: readonly StableOffset[]): Promise<(TopicPartition & { readonly offset: number })[]> {
    const { client, applicationId, autoOffsetReset } = this.#options;
    return startPositions(client.admin, applicationId, committed, autoOffsetReset);
  }

  #admin(): { readonly admin: Client["admin"] } {
    return { admin: this.#options.client.admin };
  }

  /** `null` where nobody needs to find this process by its id. */
  #ownTransactionalId(): string | null {
    const { guarantee, producerScope, applicationId, processId } = this.#options;
    if (guarantee === "at_least_once" || producerScope === "task") return null;
    return processTransactionalId(applicationId, processId);
  }

  #begin(
    partition: TopicPartition,
    position: number,
    generation: GroupGeneration,
    { unit, outputs }: Unit<KO, VO>,
  ): void {
    if (this.#closed) return;
    const input = this.#options.inputs.find(({ topic }) => topic === partition.topic) as ResolvedInput<KI, VI>;
    const consumer = this.#options.consumer();
    const queue = consumer.fetch(partition, position, generation);
    const owner: TaskOwner<KO, VO> = {
      outputs,
      get isFull() {
        return unit.producer.pendingBatches > MAX_PENDING_BATCHES;
      },
      touched: () => {
        unit.touched();
        // The queue has room again.
        consumer.wake();
      },
      resume: (task) => this.#scheduler.resume(task),
      onProcessingError: this.#options.onProcessingError,
      onSkipped: this.#options.onSkipped,
      onUnreadable: this.#options.onFatal,
      fail: this.#options.onTaskFailure,
    };
    const source = new RecordSource(partition.topic, partition.partition, input.key, input.value);
    const task = new Task<KI, VI, KO, VO>(queue, source, this.#options.transform, owner);
    unit.tasks.add(task);
    this.#unitOf.set(task, unit);
    this.#scheduler.add(task);
  }

  #closeTask(task: AnyTask): void {
    const unit = this.#unitOf.get(task) as CommitUnit;
    task.drop();
    this.#options.consumer().stopFetching(task.queue);
    this.#scheduler.delete(task);
    this.#unitOf.delete(task);
    unit.tasks.delete(task);
    // The process' unit lives on for what is assigned next; a task's own ends with it.
    if (this.#isSpent(unit)) this.#closeUnit(unit);
  }

  #closeUnit(unit: CommitUnit): void {
    unit.close();
    this.#units.delete(unit);
  }

  #isSpent(unit: CommitUnit): boolean {
    const { producerScope, guarantee } = this.#options;
    return producerScope === "task" && guarantee === "exactly_once_v2" && unit.tasks.size === 0;
  }
}

interface Unit<KO, VO> {
  readonly unit: CommitUnit;
  readonly outputs: OutputWriter<KO, VO>;
}
