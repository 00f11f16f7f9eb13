import { type BatchProducer, type Client, isConnectionLoss, UnknownPartitionError } from "@eos/client";
import {
  type Clock,
  EosError,
  type Logger,
  type ParticipantTask,
  type PartitionPosition,
  type TaskParticipant,
  type TransactionParticipant,
} from "@eos/core";
import { StateFailedError } from "./errors.ts";
import { PartitionSink } from "./partition-sink.ts";
import { settleAll } from "./settle-all.ts";
import type { AnyTask } from "./task.ts";
import { TaskContext } from "./transform-context.ts";

export interface ParticipantGroupOptions {
  readonly participants: readonly TransactionParticipant<unknown, Client>[];
  /** The partition number, which all inputs of the task share. */
  readonly partition: number;
  readonly producer: BatchProducer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A participant has failed: {@link ParticipantGroup.failure} says why. */
  readonly onFailure: (failure: Error) => void;
}

const BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
const CLOSE_TIMEOUT_MS = 10_000;

/** How long to wait before what has failed `failures` times is tried again. */
export function backoffMs(failures: number): number {
  return Math.min(BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);
}

/**
 * The participants of one partition number, and the tasks that share them: one an input topic. Keeps the order of calls
 * that {@link TaskParticipant} promises, whatever goes wrong in between.
 */
export class ParticipantGroup {
  readonly context: TaskContext;
  readonly tasks = new Set<AnyTask>();
  readonly #options: ParticipantGroupOptions;
  readonly #opened: { readonly name: string; readonly participant: TaskParticipant }[] = [];
  #committingPositions: readonly PartitionPosition[] = [];
  #failure: Error | null = null;
  /** A commit was begun, and has not been taken by all. */
  #isCommitting = false;
  /** Nothing was written since the last abort. */
  #isAborted = false;
  /** The call that is outstanding; never rejects. */
  #outstanding: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(options: ParticipantGroupOptions) {
    this.#options = options;
    this.context = new TaskContext(options.partition);
  }

  get hasState(): boolean {
    return this.#options.participants.length > 0;
  }

  /** Why nothing of what is open may be committed; `null` when it may. */
  get failure(): Error | null {
    return this.#failure;
  }

  /**
   * Whether `task` may be run. Tasks that share state take turns, record by record: with a record of each outstanding,
   * one would read what the other is about to overwrite.
   */
  mayRun(task: AnyTask): boolean {
    if (!this.hasState || this.tasks.size < 2) return true;
    for (const other of this.tasks) if (other !== task && other.pending !== null) return false;
    return true;
  }

  /** Opens and restores all participants. What passes is waited for: a rejection is final, or the signal's. */
  open(positions: readonly PartitionPosition[], signal: AbortSignal): Promise<void> {
    const { participants } = this.#options;
    const task = this.#participantTask(signal);
    return this.#call(participants, async (participant) => {
      const opened = await this.#patiently("opening", participant.name, signal, () => participant.open(task));
      this.#opened.push({ name: participant.name, participant: opened });
      this.context.provide(participant, opened.state);
      await this.#restore(opened, participant.name, positions, signal);
    });
  }

  /** Back to what is committed. As {@link open} in what it waits for. */
  async restore(committed: ReadonlyMap<AnyTask, number>, signal: AbortSignal): Promise<void> {
    const positions: PartitionPosition[] = [];
    for (const task of this.tasks) {
      const { topic, partition } = task.queue;
      positions.push({ topic, partition, offset: committed.get(task) ?? task.committedPosition });
    }
    await this.#call(this.#opened, ({ name, participant }) => this.#restore(participant, name, positions, signal));
    this.#isAborted = false;
  }

  /** In the synchronous step in which the producer's commit begins. Throws {@link failure}. */
  beginCommit(): void {
    const positions: PartitionPosition[] = [];
    for (const { queue, position } of this.tasks) {
      positions.push({ topic: queue.topic, partition: queue.partition, offset: position });
    }
    this.#committingPositions = positions;
    this.#isCommitting = true;
    try {
      for (const { participant } of this.#opened) participant.beginCommit();
    } catch (error) {
      this.#failure ??= this.#failed(error);
      throw this.#failure;
    }
  }

  /** In the synchronous step in which the commit was acknowledged, before more can be. */
  async committed(): Promise<void> {
    if (this.#closing !== null) return;
    try {
      await this.#call(this.#opened, ({ participant }) => participant.committed(this.#committingPositions));
      this.#isCommitting = false;
    } catch (error) {
      // It may have said so itself already, by `fail`.
      this.#failure ??= this.#failed(error);
      throw this.#failure;
    }
  }

  abort(): void {
    this.#failure = null;
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#isCommitting = false;
    for (const { participant } of this.#opened) participant.abort();
  }

  /** Waits for the call that is outstanding, and for the participants, but for no longer than they may take. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { logger } = this.#options;
    const { taskId } = this.context;
    const closed = this.#outstanding
      .then(() => {
        // Whether it was committed is not known here, so it must not be taken for state that lacks nothing.
        if (this.#isCommitting) this.abort();
      })
      .then(() => settleAll(this.#opened.map(async ({ participant }) => participant.close())))
      .catch((error: unknown) => logger.error({ taskId, err: error }, "closing a store failed"));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        logger.error({ taskId, closeTimeoutMs: CLOSE_TIMEOUT_MS }, "a store did not close in time; it is left behind");
        resolve();
      }, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([closed, late]);
    clearTimeout(timer);
  }

  #restore(
    participant: TaskParticipant,
    name: string,
    positions: readonly PartitionPosition[],
    signal: AbortSignal,
  ): Promise<void> {
    return this.#patiently("restoring", name, signal, () => participant.restore(positions, signal));
  }

  /** A disk that is full, a store that is locked, a broker out of reach: that passes, and until then nothing is processed. */
  async #patiently<T>(what: string, store: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const { clock, logger } = this.#options;
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        if (signal.aborted || !isPassing(error)) throw error;
        const { taskId } = this.context;
        logger.error({ taskId, store, failures, err: error }, `${what} a store failed, trying again`);
        await clock.sleep(backoffMs(failures), signal);
      }
    }
  }

  /** Calls all of them in this very step, and returns once none is outstanding any more. */
  #call<T>(targets: readonly T[], call: (target: T, index: number) => Promise<void>): Promise<void> {
    const calls = settleAll(targets.map(async (target, index) => call(target, index)));
    this.#outstanding = calls.catch(() => undefined);
    return calls;
  }

  #participantTask(signal: AbortSignal): ParticipantTask {
    const { producer, partition } = this.#options;
    const { context } = this;
    return {
      taskId: context.taskId,
      partition,
      get timestamp() {
        return context.timestamp;
      },
      signal,
      sink: async (name) => {
        const topic = await producer.topic(name);
        const output = topic.partitions[partition];
        if (output === undefined) {
          throw new UnknownPartitionError({ topic: name, partition, partitionCount: topic.partitions.length });
        }
        return new PartitionSink(producer, output, () => this.#closing !== null);
      },
      fail: (error) => {
        if (this.#closing !== null || this.#failure !== null) return;
        this.#failure = this.#failed(error);
        this.#options.onFailure(this.#failure);
      },
    };
  }

  /** What the runtime acts on: severity. An error without one is taken for one that a restored state does not have. */
  #failed(error: unknown): Error {
    const { taskId } = this.context;
    this.#options.logger.error({ taskId, err: error }, "the state of a task has failed");
    return EosError.is(error) ? error : new StateFailedError(taskId, error);
  }
}

function isPassing(error: unknown): boolean {
  return isConnectionLoss(error) || (EosError.is(error) && error.severity !== "fatal");
}
