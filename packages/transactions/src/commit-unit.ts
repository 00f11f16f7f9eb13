import { setMaxListeners } from "node:events";
import { type BatchProducer, type CommitSummary, OffsetBatch, type ProducerFencedError } from "@eos/client";
import { type Clock, createStateMachine, encodeOffsetMetadata, type Logger, notify, type Observer } from "@eos/core";
import { AbortJudge, type AbortVerdict } from "./abort-judge.ts";
import { COMMIT_UNIT_TRANSITIONS, type CommitUnitState } from "./commit-unit-state.ts";
import { backoffMs, type ParticipantGroup } from "./participant-group.ts";
import type { ProcessorMetrics } from "./processor-metrics.ts";
import { settleAll } from "./settle-all.ts";
import type { AnyTask } from "./task.ts";

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
/** A participant that takes a commit may write something for the next one, as a store that sweeps what has expired. */
const MAX_LAST_COMMITS = 3;

/**
 * One producer and the tasks that commit through it: a single task under the task scope, all of a process under the
 * process scope. Decides when to commit and what to do when that fails.
 *
 * While a transaction commits, the tasks fill the next one. When a commit fails, both are dropped and the tasks go back
 * to the committed offsets, read anew: data and offsets are atomic, so the offsets tell the truth. So does the state of
 * their participants, which goes back with them.
 */
export class CommitUnit {
  readonly producer: BatchProducer;
  readonly tasks = new Set<AnyTask>();
  /** Of all tasks, by partition number. */
  readonly groups = new Map<number, ParticipantGroup>();
  readonly #options: CommitUnitOptions;
  readonly #machine = createStateMachine<CommitUnitState>({
    name: "commit unit",
    initial: "suspended",
    transitions: COMMIT_UNIT_TRANSITIONS,
  });
  readonly #metadata: string;
  readonly #judge: AbortJudge;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #isDue = false;
  #committing: Promise<void> | null = null;
  /** A commit waits for promises of `transform`, and no record is begun meanwhile. */
  #isHeld = false;
  #recovering: Promise<void> | null = null;
  /** What the recovery is from, until it begins. */
  #cause: unknown = null;
  /** Fires when nobody needs the offsets any more that a recovery reads. */
  #rewinding = new AbortController();
  /** Failures of participants since the last commit that all of them have taken. */
  #stateFailuresInARow = 0;

  constructor(options: CommitUnitOptions) {
    this.#options = options;
    this.producer = options.producer;
    const { transactionalId } = options.producer;
    this.#judge = new AbortJudge({ ...options, transactionalId });
    this.#metadata = encodeOffsetMetadata(transactionalId === null ? {} : { transactionalId });
  }

  get isRunning(): boolean {
    return this.#machine.state === "running";
  }

  /** Whether records of its tasks may be begun now. */
  get mayProcess(): boolean {
    return this.#machine.state === "running" && !this.#isHeld;
  }

  /** Runs the tasks from now on. */
  run(): void {
    if (this.#machine.state === "running") return;
    this.#machine.transition("running");
    this.#judge.committed();
    const failure = this.#stateFailure();
    if (failure === null) this.#options.onRunnable();
    else this.#startRecovery(failure);
  }

  /**
   * A participant has failed, perhaps inside `transform`: nothing of what is open is committed, and nothing more is begun.
   * Between two assignments the tasks are only dropped, and taken up anew with the next one.
   */
  stateFailed(failure: Error): void {
    for (const task of this.tasks) task.drop();
    if (this.#machine.state === "running") this.#startRecovery(failure);
  }

  /** A position moved, or a participant has written without one: the commit interval begins with the first. */
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
    // No gap between the look and the transition: a participant that fails in it would begin a recovery unseen.
    for (let recovering = this.#recovering; recovering !== null; recovering = this.#recovering) await recovering;
    if (this.#machine.state !== "running") return;
    this.#machine.transition("suspended");
    const settled = Promise.all([...this.tasks].map((task) => task.settled()));
    await Promise.race([settled, aborted(signal)]);
    let isTorn = false;
    for (const task of this.tasks) {
      if (task.pending === null) continue;
      isTorn = this.#hasState;
      task.drop();
    }
    this.#cancelTimer();
    await this.#committing;
    if (this.#recovering === null) {
      // Half a record may be in the stores: its successor processes it as a whole.
      if (isTorn || this.#stateFailure() !== null) {
        await this.abandon();
        return;
      }
      for (let commits = 0; commits < MAX_LAST_COMMITS && this.#recovering === null; commits++) {
        await this.#commit();
        if (!this.#hasRest) break;
      }
      if (this.#recovering === null && this.#hasRest) {
        await this.abandon();
        return;
      }
    }
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

  /** Returns when the participants are closed; all else is done at once. */
  async close(): Promise<void> {
    this.#cancelTimer();
    this.#rewinding.abort();
    if (this.#machine.state !== "closed") this.#machine.transition("closed");
    for (const task of this.tasks) task.drop();
    this.tasks.clear();
    this.producer.close();
    await Promise.all([...this.groups.values()].map((group) => group.close()));
  }

  get #hasState(): boolean {
    for (const group of this.groups.values()) if (group.hasState) return true;
    return false;
  }

  /** Participants have written what belongs to no record. A partition's next owner must not find it behind its own writes. */
  get #hasRest(): boolean {
    return this.#hasState && this.producer.state === "in-transaction";
  }

  #stateFailure(): Error | null {
    for (const { failure } of this.groups.values()) if (failure !== null) return failure;
    return null;
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
    this.#committing = this.#commitWhenWhole().finally(() => {
      this.#committing = null;
      if (this.#isDue && this.#machine.state === "running") {
        this.#isDue = false;
        void this.#commit();
      }
    });
    return this.#committing;
  }

  /**
   * With state, no commit in the middle of a record:
   *
   * 1. `transform` writes to a store and returns a promise.
   * 2. The commit takes what was written; the position has not moved.
   * 3. The process dies. Its successor processes the record again, on top of what it has written already.
   */
  async #commitWhenWhole(): Promise<void> {
    const halves = this.#hasState ? [...this.tasks].filter(({ pending }) => pending !== null) : [];
    if (halves.length > 0) {
      this.#isHeld = true;
      await Promise.all(halves.map((task) => task.settled()));
      this.#isHeld = false;
      if (this.#machine.state !== "running") return;
      this.#options.onRunnable();
    }
    await this.#commitOnce();
  }

  /** What participants have written without a record goes with the positions that moved, or else with all as they are. */
  async #commitOnce(): Promise<void> {
    const offsets = new OffsetBatch();
    let tasks = [...this.tasks].filter(({ position, committedPosition }) => position !== committedPosition);
    if (tasks.length === 0 && this.#hasRest) tasks = [...this.tasks];
    const generation = tasks.at(-1)?.queue.generation ?? null;
    if (generation === null) return;
    const moved = tasks.map((task) => ({ task, position: task.position }));
    for (const { task, position } of moved) {
      offsets.set(task.queue.topic, task.queue.partition, position, this.#metadata);
    }
    let summary: CommitSummary;
    try {
      for (const group of this.groups.values()) group.beginCommit();
      summary = await this.producer.commit([{ generation, offsets }]);
    } catch (error) {
      this.#startRecovery(error);
      return;
    }
    for (const { task, position } of moved) task.committedPosition = position;
    this.#judge.committed();
    const stored = settleAll([...this.groups.values()].map((group) => group.committed()));
    const { metrics, observer } = this.#options;
    metrics.committed(summary.records, summary.durationMs);
    notify(observer, "transactionCommitted", { transactionalId: this.producer.transactionalId ?? "", ...summary });
    // Processing may have stopped at the producer's limit, which the acknowledgements have lifted.
    this.#options.onRunnable();
    try {
      await stored;
      this.#stateFailuresInARow = 0;
    } catch (failure) {
      this.#startRecovery(failure);
      return;
    }
    // While the input idles nothing else would commit it, and the broker would time the transaction out.
    if (this.isRunning && this.#hasRest) this.touched();
  }

  /** What the broker says of the commit in flight outweighs what a participant has said before. */
  #startRecovery(cause: unknown): void {
    this.#cause = cause;
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = null;
    });
  }

  /** Back to the committed offsets, under an epoch that nobody else has; or out, when the group has gone on. */
  async #recover(): Promise<void> {
    const { clock, logger, onFatal } = this.#options;
    const { signal } = (this.#rewinding = new AbortController());
    setMaxListeners(0, signal);
    this.#cancelTimer();
    for (const task of this.tasks) task.drop();
    if (this.#machine.state === "running") this.#machine.transition("recovering");
    const wasRunning = this.#machine.state === "recovering";
    // Nothing is wrong with it when a participant has failed since it began.
    await this.#committing;
    let failure = this.#cause;
    while (this.#machine.state !== "closed") {
      this.#judge.report(failure);
      const verdict = this.#judge.judge(failure);
      if (verdict === "fatal") {
        onFatal(this.#judge.fatalError(failure));
        return;
      }
      try {
        await this.#quiet(signal);
        if (this.#stateFailure() !== null) this.#stateFailuresInARow++;
        for (const group of this.groups.values()) group.abort();
        if (!(await this.#freshEpoch(verdict))) return;
        if (this.#stateFailuresInARow > 1) await clock.sleep(backoffMs(this.#stateFailuresInARow - 1), signal);
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

  /** `false`: the unit waits for the next assignment. */
  async #freshEpoch(verdict: Exclude<AbortVerdict, "fatal">): Promise<boolean> {
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

  /**
   * With state, nothing is rewound while a promise of `transform` is outstanding: what it has yet to write, it would
   * write beside the record's second run.
   */
  async #quiet(signal: AbortSignal): Promise<void> {
    if (!this.#hasState) return;
    await Promise.race([Promise.all([...this.tasks].map((task) => task.quiet())), aborted(signal)]);
    signal.throwIfAborted();
  }

  async #rewind(signal: AbortSignal): Promise<void> {
    const tasks = [...this.tasks];
    const offsets = await this.#options.stableOffsets(tasks, signal);
    const committed = new Map(tasks.map((task, index) => [task, offsets[index] as number]));
    await settleAll([...this.groups.values()].map((group) => group.restore(committed, signal)));
    const failure = this.#stateFailure();
    if (failure !== null) throw failure;
    for (const [task, offset] of committed) if (this.tasks.has(task)) task.rewind(offset);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
