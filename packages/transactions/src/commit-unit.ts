import {
  type BatchProducer,
  BrokerError,
  type CommitSummary,
  isConnectionLoss,
  isGroupFence,
  OffsetBatch,
  ProducerFencedError,
  TransactionAbortedError,
} from "@eos/client";
import {
  type Clock,
  createStateMachine,
  EosError,
  encodeOffsetMetadata,
  type Logger,
  notify,
  type Observer,
} from "@eos/core";
import { COMMIT_UNIT_TRANSITIONS, type CommitUnitState } from "./commit-unit-state.ts";
import { NoProgressError } from "./errors.ts";
import type { ProcessorMetrics } from "./processor-metrics.ts";
import type { Task } from "./task.ts";

/** A task of whatever types. */
// oxlint-disable-next-line typescript/no-explicit-any -- a unit commits positions; what the records are is not its concern
export type AnyTask = Task<any, any, any, any>;

export interface CommitUnitOptions {
  readonly producer: BatchProducer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly metrics: ProcessorMetrics;
  readonly commitIntervalMs: number;
  /** Committed offsets, once no transaction holds them any more; where to begin, for a partition without one. Rejects when the signal fires. */
  readonly stableOffsets: (tasks: readonly AnyTask[], signal: AbortSignal) => Promise<readonly number[]>;
  /** Whether the coordinator still counts this member in: what a fenced producer needs before it takes its id back. */
  readonly confirmMembership: () => Promise<boolean>;
  /** The group has gone on without this member: join again. */
  readonly requestRejoin: () => void;
  readonly onFenced: (error: ProducerFencedError) => void;
  /** The processor cannot go on. */
  readonly onFatal: (error: unknown) => void;
  /** The tasks may be run (again). */
  readonly onRunnable: () => void;
}

const RETRY_MS = 100;
/** So many aborts in a row without a commit between them are no passing trouble. */
const MAX_ABORTS_IN_A_ROW = 5;

/**
 * One producer and the tasks that commit through it: a single task under the task scope, all of a process under the
 * process scope. Decides when to commit and what to do when that fails.
 *
 * While a transaction commits, the tasks fill the next one. When a commit fails, both are dropped and the tasks go back
 * to the committed offsets, read anew: data and offsets are atomic, so the offsets tell the truth.
 */
export class CommitUnit {
  readonly producer: BatchProducer;
  readonly tasks = new Set<AnyTask>();
  readonly #options: CommitUnitOptions;
  readonly #machine = createStateMachine<CommitUnitState>({
    name: "commit unit",
    initial: "suspended",
    transitions: COMMIT_UNIT_TRANSITIONS,
  });
  readonly #metadata: string;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #isDue = false;
  #committing: Promise<void> | null = null;
  #recovering: Promise<void> | null = null;
  /** Fires when nobody needs the offsets any more that a recovery reads. */
  #rewinding = new AbortController();
  #abortsInARow = 0;

  constructor(options: CommitUnitOptions) {
    this.#options = options;
    this.producer = options.producer;
    const { transactionalId } = options.producer;
    this.#metadata = encodeOffsetMetadata(transactionalId === null ? {} : { transactionalId });
  }

  get isRunning(): boolean {
    return this.#machine.state === "running";
  }

  /** Runs the tasks from now on. */
  run(): void {
    if (this.#machine.state === "running") return;
    this.#machine.transition("running");
    this.#abortsInARow = 0;
    this.#options.onRunnable();
  }

  /** A position moved: the commit interval begins with the first. */
  touched(): void {
    if (this.#timer !== null || this.#isDue) return;
    const { commitIntervalMs } = this.#options;
    this.#timer =
      commitIntervalMs === 0 ? setImmediate(() => this.#due()) : setTimeout(() => this.#due(), commitIntervalMs);
  }

  /**
   * Stops running the tasks and commits what they have done. Records whose promise is outstanding, and offsets that a
   * transaction holds, are waited for until `signal` fires; after that the records are processed again by whoever has
   * the partition next.
   */
  async suspend(signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#rewinding.abort();
    signal.addEventListener("abort", giveUp);
    try {
      await this.#suspend(signal);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #suspend(signal: AbortSignal): Promise<void> {
    await this.#recovering;
    if (this.#machine.state !== "running") return;
    this.#machine.transition("suspended");
    const settled = Promise.all([...this.tasks].map((task) => task.settled()));
    await Promise.race([settled, aborted(signal)]);
    for (const task of this.tasks) if (task.pending !== null) task.drop();
    this.#cancelTimer();
    await this.#committing;
    if (this.#recovering === null) await this.#commit();
    if (signal.aborted) this.#rewinding.abort();
    await this.#recovering;
  }

  /** Nothing may be committed any more: drops what is open, at the broker as well when that can be done. */
  async abandon(): Promise<void> {
    this.#cancelTimer();
    for (const task of this.tasks) task.drop();
    if (this.#machine.is("running", "recovering")) this.#machine.transition("suspended");
    await this.#committing;
    // The group goes on meanwhile: this member would be missing for as long as a transaction holds the offsets.
    this.#rewinding.abort();
    await this.#recovering;
    try {
      if (this.producer.canAbort) await this.producer.abort();
    } catch (error) {
      // The next assignment initialises the producer again, which ends whatever is left.
      this.#options.logger.debug({ transactionalId: this.producer.transactionalId, err: error }, "the abort failed");
    }
  }

  close(): void {
    this.#cancelTimer();
    this.#rewinding.abort();
    if (this.#machine.state !== "closed") this.#machine.transition("closed");
    for (const task of this.tasks) task.drop();
    this.tasks.clear();
    this.producer.close();
  }

  #cancelTimer(): void {
    this.#isDue = false;
    if (this.#timer === null) return;
    if (this.#options.commitIntervalMs === 0) clearImmediate(this.#timer as NodeJS.Immediate);
    else clearTimeout(this.#timer as NodeJS.Timeout);
    this.#timer = null;
  }

  #due(): void {
    this.#timer = null;
    if (this.#machine.state !== "running") return;
    if (this.#committing !== null) this.#isDue = true;
    else void this.#commit();
  }

  #commit(): Promise<void> {
    this.#committing = this.#commitOnce().finally(() => {
      this.#committing = null;
      if (this.#isDue && this.#machine.state === "running") {
        this.#isDue = false;
        void this.#commit();
      }
    });
    return this.#committing;
  }

  async #commitOnce(): Promise<void> {
    const offsets = new OffsetBatch();
    const moved: { task: AnyTask; position: number }[] = [];
    let generation = null;
    for (const task of this.tasks) {
      if (task.position === task.committedPosition) continue;
      offsets.set(task.queue.topic, task.queue.partition, task.position, this.#metadata);
      moved.push({ task, position: task.position });
      generation = task.queue.generation;
    }
    if (generation === null) return;
    let summary: CommitSummary;
    try {
      summary = await this.producer.commit([{ generation, offsets }]);
    } catch (error) {
      this.#recovering = this.#recover(error).finally(() => {
        this.#recovering = null;
      });
      return;
    }
    for (const { task, position } of moved) task.committedPosition = position;
    this.#abortsInARow = 0;
    const { metrics, observer } = this.#options;
    metrics.committed(summary.records, summary.durationMs);
    notify(observer, "transactionCommitted", { transactionalId: this.producer.transactionalId ?? "", ...summary });
    // Processing may have stopped at the producer's limit, which the acknowledgements have lifted.
    this.#options.onRunnable();
  }

  /** Back to the committed offsets, under an epoch that nobody else has; or out, when the group has gone on. */
  async #recover(error: unknown): Promise<void> {
    const { clock, logger, onFatal } = this.#options;
    const { signal } = (this.#rewinding = new AbortController());
    this.#cancelTimer();
    for (const task of this.tasks) task.drop();
    if (this.#machine.state === "running") this.#machine.transition("recovering");
    const wasRunning = this.#machine.state === "recovering";
    let failure: unknown = error;
    while (this.#machine.state !== "closed") {
      this.#report(failure);
      const verdict = this.#judge(failure);
      if (verdict === "fatal") {
        onFatal(this.#abortsInARow >= MAX_ABORTS_IN_A_ROW ? new NoProgressError(this.#abortsInARow, failure) : failure);
        return;
      }
      try {
        if (!(await this.#freshEpoch(verdict))) return;
        await this.#rewind(signal);
        if (wasRunning && this.#machine.state === "recovering") this.#machine.transition("running");
        this.#options.onRunnable();
        return;
      } catch (again) {
        if (signal.aborted) {
          if (this.#machine.state === "recovering") this.#machine.transition("suspended");
          return;
        }
        failure = again;
        logger.warn({ transactionalId: this.producer.transactionalId, err: again }, "recovering failed, trying again");
        await clock.sleep(RETRY_MS);
      }
    }
  }

  #judge(error: unknown): "abort" | "fenced" | "rejoin" | "fatal" {
    if (isGroupFence(error)) return "rejoin";
    if (error instanceof ProducerFencedError) return "fenced";
    if (isConnectionLoss(error)) return "abort";
    if (error instanceof TransactionAbortedError) {
      if (error.connectionLost) return "abort";
      return ++this.#abortsInARow >= MAX_ABORTS_IN_A_ROW ? "fatal" : "abort";
    }
    return EosError.is(error) && error.severity !== "fatal" ? "abort" : "fatal";
  }

  /** `false`: the unit waits for the next assignment. */
  async #freshEpoch(verdict: "abort" | "fenced" | "rejoin"): Promise<boolean> {
    const { confirmMembership, requestRejoin, metrics, observer } = this.#options;
    const transactionalId = this.producer.transactionalId ?? "";
    if (verdict === "fenced" || this.producer.state === "fenced") {
      // Fenced means closed, unless the group still counts this member in: a successor that waited for this one's
      // transaction has ended it (process scope), or the broker has timed it out.
      if (await confirmMembership()) {
        await this.producer.init();
        notify(observer, "producerReinitialised", { transactionalId, cause: "fenced" });
        return true;
      }
    } else {
      if (this.producer.canAbort) await this.producer.abort();
      else if (this.producer.state === "uninitialized") await this.producer.init();
      if (verdict === "abort") return true;
    }
    metrics.aborted("GROUP_LOST");
    if (this.#machine.state === "recovering") this.#machine.transition("suspended");
    requestRejoin();
    return false;
  }

  async #rewind(signal: AbortSignal): Promise<void> {
    const tasks = [...this.tasks];
    const offsets = await this.#options.stableOffsets(tasks, signal);
    for (const [index, task] of tasks.entries()) {
      if (this.tasks.has(task)) task.rewind(offsets[index] as number);
    }
  }

  #report(error: unknown): void {
    const { logger, metrics, observer, onFenced } = this.#options;
    const transactionalId = this.producer.transactionalId ?? "";
    const cause = causeOf(error);
    metrics.aborted(cause);
    logger.warn({ transactionalId, cause, err: error }, "a transaction was aborted; its records are processed again");
    notify(observer, "transactionAborted", { transactionalId, cause, error });
    if (error instanceof ProducerFencedError) {
      metrics.fenced();
      notify(observer, "producerFenced", { transactionalId, error });
      onFenced(error);
    }
  }
}

/** One word for the metrics: the broker's error name where there is one. */
function causeOf(error: unknown): string {
  if (error instanceof TransactionAbortedError) return error.connectionLost ? "CONNECTION_LOST" : causeOf(error.cause);
  if (error instanceof BrokerError) return error.kafkaName;
  if (isConnectionLoss(error)) return "CONNECTION_LOST";
  return EosError.is(error) ? error.code : "ERROR";
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
