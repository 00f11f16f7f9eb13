import { stat, utimes } from "node:fs/promises";
import type { Clock, Logger } from "@eos/core";
import { codeOf, createOwnFolder, removeLeftovers } from "./folders.ts";
import { StoreDirectory } from "./store-directory.ts";
import type { TaskLock } from "./task-lock.ts";

/** A task's folder, held: no other process, and no other processor of this one, has it until it is released. */
export interface TaskDirectory {
  readonly taskId: string;
  /** `<stateDir>/<applicationId>/<taskId>`. */
  readonly path: string;
  /**
   * The folder of a store, created if there is none.
   * @throws InvalidStateNameError, UnsafeStateDirectoryError, StateDirectoryIoError
   */
  store(name: string): Promise<StoreDirectory>;
  /** Lets go of it and of the stores asked for; their engines must be closed. The last holder unlocks it. A second call does nothing. */
  release(): Promise<void>;
}

/** A task's folder that this process has locked; its holders share it. */
export class HeldTask {
  readonly taskId: string;
  readonly path: string;
  readonly #lock: TaskLock;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onReleased: () => void;
  readonly #stores = new Set<StoreDirectory>();
  #holders = 0;
  #isOver = false;

  constructor(taskId: string, path: string, lock: TaskLock, clock: Clock, logger: Logger, onReleased: () => void) {
    this.taskId = taskId;
    this.path = path;
    this.#lock = lock;
    this.#clock = clock;
    this.#logger = logger;
    this.#onReleased = onReleased;
  }

  /** `null` when its last holder has let go. */
  hold(): TaskDirectory | null {
    if (this.#isOver) return null;
    this.#holders++;
    const stores: StoreDirectory[] = [];
    let released: Promise<void> | null = null;
    return {
      taskId: this.taskId,
      path: this.path,
      store: async (name) => {
        const store = await StoreDirectory.create(this.path, name, this.#clock, this.#logger);
        stores.push(store);
        this.#stores.add(store);
        return store;
      },
      release: () => (released ??= this.#release(stores)),
    };
  }

  /** Once, when it is locked: what it was left with is removed. */
  async prepare(): Promise<void> {
    await createOwnFolder(this.path);
    await removeLeftovers(this.path);
    await this.#markUsed();
  }

  /** Every minute. */
  async refresh(): Promise<void> {
    await this.#markUsed();
    for (const store of this.#stores) await store.refresh();
  }

  async #release(stores: readonly StoreDirectory[]): Promise<void> {
    for (const store of stores) {
      this.#stores.delete(store);
      await store.release();
    }
    this.#holders--;
    if (this.#holders > 0) return;
    this.#isOver = true;
    this.#onReleased();
    await this.#lock.release();
  }

  /** Without it the folder seems to be idle for longer than it is, and goes earlier once nobody holds it: nothing worse. */
  async #markUsed(): Promise<void> {
    const now = this.#clock.now() / 1_000;
    try {
      await utimes(this.path, now, now);
    } catch (error) {
      this.#logger.warn({ folder: this.path, err: error }, "when the task was last here could not be written down");
    }
  }
}

/** When a task was last in a folder, ms since the epoch; `null` when there is none. */
export async function taskLastUsedMs(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
