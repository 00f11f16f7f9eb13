import type { Client } from "@eos/client";
import type { TransactionParticipant } from "@eos/core";

/** What `transform` is told of the task that its record belongs to: one object for all records of a task. */
export interface TransformContext {
  /** `<subtopology>_<partition>`, as in Kafka Streams. */
  readonly taskId: string;
  /** Partition number of the record, in whichever input topic. */
  readonly partition: number;
  /**
   * This task's part of a store, by what is in the option `stores` or by its name. The same object for as long as the
   * task is in this process; after that its methods throw.
   *
   * @throws TypeError when the processor has no such store
   */
  getStateStore<S>(store: TransactionParticipant<S, Client>): S;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Kafka Streams' way: the caller knows the type behind the name
  getStateStore<S>(name: string): S;
}

/** The context of one task, and the clock of its records. */
export class TaskContext implements TransformContext {
  readonly taskId: string;
  readonly partition: number;
  /** Timestamp of the record being processed; −1 before the first. */
  timestamp = -1;
  /** By the store itself and by its name. */
  readonly #states = new Map<unknown, unknown>();

  constructor(partition: number) {
    this.taskId = `0_${partition}`;
    this.partition = partition;
  }

  provide(store: TransactionParticipant<unknown, Client>, state: unknown): void {
    this.#states.set(store, state);
    this.#states.set(store.name, state);
  }

  getStateStore<S>(store: TransactionParticipant<S, Client> | string): S {
    const state = this.#states.get(store);
    if (state === undefined) {
      const asked = typeof store === "string" ? store : (store as { readonly name?: unknown } | null)?.name;
      const names = [...this.#states.keys()].filter((key) => typeof key === "string");
      throw new TypeError(
        `getStateStore: ${JSON.stringify(asked)} is not among the processor's stores (${names.join(", ") || "there are none"})`,
      );
    }
    return state as S;
  }
}
