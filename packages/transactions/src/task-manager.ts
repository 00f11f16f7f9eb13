import { setMaxListeners } from "node:events";
import {
  type GroupGeneration,
  isConsecutive,
  type PartitionQueue,
  RecordSource,
  type RunnableTask,
  Scheduler,
} from "@eos/client";
import { type PartitionPosition, samePartition, type TopicPartition } from "@eos/core";
import type { CommitUnit } from "./commit-unit.ts";
import { InputOffsets } from "./input-offsets.ts";
import type { ResolvedInput, Transform } from "./options.ts";
import type { ParticipantGroup } from "./participant-group.ts";
import { settleAll } from "./settle-all.ts";
import { type AnyTask, type OutstandingRecord, Task, type TaskOwner } from "./task.ts";
import { type Unit, UnitFactory, type UnitFactoryOptions } from "./unit-factory.ts";

export interface TaskManagerOptions<KI, VI, KO, VO> extends UnitFactoryOptions<KO, VO> {
  readonly inputs: readonly ResolvedInput<KI, VI>[];
  readonly transform: Transform<KI, VI, KO, VO>;
  readonly autoOffsetReset: "earliest" | "latest" | "none";
  readonly onProcessingError: TaskOwner<KO, VO>["onProcessingError"];
  readonly onSkipped: TaskOwner<KO, VO>["onSkipped"];
  readonly onTaskFailure: TaskOwner<KO, VO>["fail"];
}

/** The producer may hold so many unacknowledged batches before its tasks wait. */
const MAX_PENDING_BATCHES = 48;

/** Owns the tasks and their commit units across rebalances: what is kept, what is closed, what is begun, and in which order. */
export class TaskManager<KI, VI, KO, VO> {
  readonly #options: TaskManagerOptions<KI, VI, KO, VO>;
  readonly #scheduler: Scheduler;
  readonly #offsets: InputOffsets;
  readonly #factory: UnitFactory<KO, VO>;
  readonly #units = new Set<CommitUnit>();
  readonly #placeOf = new Map<AnyTask, Place>();
  #generation: GroupGeneration | null = null;
  /** The one unit of the process scope, and of at-least-once. */
  #processUnit: Promise<Unit<KO, VO>> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: TaskManagerOptions<KI, VI, KO, VO>) {
    this.#options = options;
    this.#offsets = new InputOffsets(options);
    this.#factory = new UnitFactory(options, this.#offsets);
    this.#scheduler = new Scheduler((task) => {
      const place = this.#placeOf.get(task as AnyTask);
      return place !== undefined && place.unit.mayProcess && place.group.mayRun(task as AnyTask);
    });
  }

  get taskCount(): number {
    return this.#placeOf.size;
  }

  /** No unit is recovering, or waits for its state to come back. */
  get isRunning(): boolean {
    for (const unit of this.#units) if (!unit.isRunning) return false;
    return true;
  }

  openTransactionAgeMs(): number {
    return Math.max(0, ...[...this.#units].map((unit) => unit.producer.openAgeMs()));
  }

  /** A record that has been outstanding for longer than `limitMs`; with state, also one that a recovery waits for. */
  stuckRecord(limitMs: number): OutstandingRecord["record"] | null {
    for (const [task, { group }] of this.#placeOf) {
      const outstanding = task.pending ?? (group.hasState ? task.outstanding : null);
      if (outstanding !== null && performance.now() - outstanding.sinceMs > limitMs) return outstanding.record;
    }
    return null;
  }

  fetched(queue: PartitionQueue): void {
    if (!queue.closed) this.#scheduler.kick();
  }

  /**
   * Begins the assigned partitions. In this order, which is what makes a takeover safe: InitProducerId (ends the
   * predecessor's transaction) → stable offsets → claim → restore state → fetch and run. Heartbeats go on meanwhile.
   *
   * @param processIds - the processes in this generation; `null` when they are not known
   */
  async assigned(
    partitions: readonly TopicPartition[],
    generation: GroupGeneration,
    signal: AbortSignal,
    processIds: ReadonlySet<string> | null,
  ): Promise<void> {
    // Every partition's restore listens to it.
    setMaxListeners(0, signal);
    await this.#keep(partitions, generation);
    const held = [...this.#placeOf.keys()];
    const fresh = partitions.filter((partition) => !held.some((task) => samePartition(task.queue, partition)));
    const units = await Promise.all(fresh.map((partition) => this.#unitFor(partition)));
    await Promise.all([...this.#units].map((unit) => this.#initialise(unit)));
    signal.throwIfAborted();
    const offsets = await this.#offsets.takeUp(fresh, generation, signal, processIds);
    signal.throwIfAborted();
    if (this.#closing !== null) return;
    const positions = fresh.map((partition, index) => ({ ...partition, offset: offsets[index] as number }));
    const groups = await this.#openGroups(positions, units, signal);
    for (const [index, position] of positions.entries()) {
      this.#begin(position, generation, units[index] as Unit<KO, VO>, groups[index] as ParticipantGroup);
    }
    for (const unit of this.#units) unit.run();
    this.#scheduler.kick();
  }

  /** Commits what was done. The tasks stay, stopped: the next generation may give them back. */
  async revoked(signal: AbortSignal): Promise<void> {
    setMaxListeners(0, signal);
    await Promise.all([...this.#units].map((unit) => unit.suspend(signal)));
  }

  /** Nothing may be committed: drops what is open, and the tasks with it. */
  async lost(): Promise<void> {
    this.#generation = null;
    await Promise.all([...this.#units].map((unit) => unit.abandon()));
    for (const task of this.#placeOf.keys()) this.#closeTask(task);
    await this.#closeIdle();
  }

  /** Returns when all state is closed; all else is done at once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#scheduler.close();
    const closed = [...this.#units].map((unit) => unit.close());
    this.#units.clear();
    this.#placeOf.clear();
    await Promise.all(closed);
  }

  /** Closes the tasks that cannot be kept, and returns when their state is closed: it may be opened again. */
  async #keep(partitions: readonly TopicPartition[], generation: GroupGeneration): Promise<void> {
    const mayKeep = isConsecutive(this.#generation, generation);
    this.#generation = generation;
    const isKept = (task: AnyTask): boolean =>
      mayKeep &&
      !task.isDropped &&
      !task.queue.closed &&
      partitions.some((partition) => samePartition(partition, task.queue));
    // Tasks that share state are kept together or not at all.
    const kept = [...this.#placeOf].filter(([task, { group }]) =>
      group.hasState ? [...group.tasks].every(isKept) : isKept(task),
    );
    const keptTasks = new Set(kept.map(([task]) => task));
    for (const task of this.#placeOf.keys()) {
      if (keptTasks.has(task)) task.queue.generation = generation;
      else this.#closeTask(task);
    }
    await this.#closeIdle();
  }

  /** Closes what has no tasks: their last one has just gone, or an assignment ended while it was being taken up. */
  async #closeIdle(): Promise<void> {
    const closed: Promise<void>[] = [];
    for (const unit of this.#units) {
      for (const [partition, group] of unit.groups) {
        if (group.tasks.size > 0) continue;
        unit.groups.delete(partition);
        closed.push(group.close());
      }
      // The process' unit lives on for what is assigned next; a task's own ends with it.
      if (!this.#isSpent(unit)) continue;
      this.#units.delete(unit);
      closed.push(unit.close());
    }
    await Promise.all(closed);
  }

  /** The groups of partitions that are begun, with their state restored. */
  async #openGroups(
    positions: readonly PartitionPosition[],
    units: readonly Unit<KO, VO>[],
    signal: AbortSignal,
  ): Promise<ParticipantGroup[]> {
    const groups = positions.map(({ partition }, index) =>
      this.#factory.groupOf((units[index] as Unit<KO, VO>).unit, partition),
    );
    try {
      const fresh = [...new Set(groups)].filter(({ tasks }) => tasks.size === 0);
      await settleAll(
        fresh.map((group) =>
          group.open(
            positions.filter((_, index) => groups[index] === group),
            signal,
          ),
        ),
      );
      signal.throwIfAborted();
      return groups;
    } catch (error) {
      await this.#closeIdle();
      throw error;
    }
  }

  async #unitFor(partition: TopicPartition): Promise<Unit<KO, VO>> {
    if (this.#factory.isPerTask) return this.#createUnit(partition);
    this.#processUnit ??= this.#createUnit(partition).catch((error: unknown) => {
      this.#processUnit = null;
      throw error;
    });
    return this.#processUnit;
  }

  #createUnit(partition: TopicPartition): Promise<Unit<KO, VO>> {
    return this.#factory.create(
      partition,
      (unit) => this.#units.add(unit),
      () => {
        this.#options.consumer().wake();
        this.#scheduler.kick();
      },
    );
  }

  /** A unit that came through the revocation in good order keeps its producer; any other takes a fresh epoch, which the assignment entitles it to. */
  async #initialise(unit: CommitUnit): Promise<void> {
    if (unit.producer.state !== "ready") await unit.producer.init();
  }

  #begin(
    position: PartitionPosition,
    generation: GroupGeneration,
    { unit, outputs }: Unit<KO, VO>,
    group: ParticipantGroup,
  ): void {
    if (this.#closing !== null) return;
    const input = this.#options.inputs.find(({ topic }) => topic === position.topic) as ResolvedInput<KI, VI>;
    const consumer = this.#options.consumer();
    const queue = consumer.fetch(position, position.offset, generation);
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
      resume: (task) => {
        if (group.hasState && group.tasks.size > 1) this.#passTurn(task);
        else this.#scheduler.resume(task);
      },
      onProcessingError: this.#options.onProcessingError,
      onSkipped: this.#options.onSkipped,
      onUnreadable: this.#options.onFatal,
      fail: this.#options.onTaskFailure,
    };
    const source = new RecordSource(position.topic, position.partition, input.key, input.value);
    const task = new Task<KI, VI, KO, VO>(queue, source, group.context, this.#options.transform, owner);
    unit.tasks.add(task);
    group.tasks.add(task);
    this.#placeOf.set(task, { unit, group });
    this.#scheduler.add(task);
  }

  /** To the end of the line, so that the tasks with the same state get their turn. */
  #passTurn(task: RunnableTask): void {
    this.#scheduler.delete(task);
    this.#scheduler.add(task);
  }

  #closeTask(task: AnyTask): void {
    const { unit, group } = this.#placeOf.get(task) as Place;
    task.drop();
    this.#options.consumer().stopFetching(task.queue);
    this.#scheduler.delete(task);
    this.#placeOf.delete(task);
    unit.tasks.delete(task);
    group.tasks.delete(task);
  }

  #isSpent(unit: CommitUnit): boolean {
    return this.#factory.isPerTask && unit.tasks.size === 0;
  }
}

/** Where a task belongs. */
interface Place {
  readonly unit: CommitUnit;
  readonly group: ParticipantGroup;
}
