import type { Client } from "@eos/client";
import type { ParticipantHost, ParticipantTask } from "@eos/core";
import { checkStoreName } from "../directory/names.ts";
import { type AcquireOptions, type StateDirectory, stateDirectoryOf } from "../directory/state-directory.ts";
import type { StoreDirectory } from "../directory/store-directory.ts";
import type { TaskDirectory } from "../directory/task-directory.ts";
import { openLevelEngine } from "../engine/level-engine.ts";
import { openMemoryEngine } from "../engine/memory-engine.ts";
import type { StoreEngine } from "../engine/store-engine.ts";
import { CorruptStoreError } from "../errors.ts";
import type { StoreHome } from "./store-home.ts";

export interface StoreHomesOptions {
  readonly name: string;
  readonly storage: "persistent" | "inMemory";
  /** The changelog topic; the store's name without one. */
  readonly origin: string;
  /** The format's. */
  readonly layout: string;
  /** How long the changelog keeps tombstones; `null` without a changelog. */
  readonly deleteRetentionMs: number | null;
}

/** Gives one store's places, in all tasks. */
export class StoreHomes {
  readonly #host: ParticipantHost<Client>;
  readonly #options: StoreHomesOptions;
  readonly #directory: StateDirectory;

  /** @throws InvalidStateNameError */
  constructor(host: ParticipantHost<Client>, options: StoreHomesOptions) {
    checkStoreName(options.name);
    this.#host = host;
    this.#options = options;
    this.#directory = stateDirectoryOf(host);
  }

  /** Waits for whoever has the task's folder. @throws TaskDirectoryLockedError, the signal's reason; UnsafeStateDirectoryError, StateDirectoryIoError */
  async acquire(
    { taskId, partition }: Pick<ParticipantTask, "taskId" | "partition">,
    options: AcquireOptions,
  ): Promise<StoreHome> {
    const { name, storage, origin, layout, deleteRetentionMs } = this.#options;
    const identity = `${origin}-${partition} ${layout}`;
    if (storage === "inMemory") return new MemoryHome(name, identity, this.#host);
    const task = await this.#directory.acquire(taskId, options);
    try {
      return new LevelHome(task, await task.store(name), identity, this.#host, deleteRetentionMs);
    } catch (error) {
      await task.release();
      throw error;
    }
  }
}

class LevelHome implements StoreHome {
  readonly #task: TaskDirectory;
  readonly #store: StoreDirectory;
  readonly #identity: string;
  readonly #host: ParticipantHost<Client>;
  readonly #deleteRetentionMs: number | null;

  constructor(
    task: TaskDirectory,
    store: StoreDirectory,
    identity: string,
    host: ParticipantHost<Client>,
    deleteRetentionMs: number | null,
  ) {
    this.#task = task;
    this.#store = store;
    this.#identity = identity;
    this.#host = host;
    this.#deleteRetentionMs = deleteRetentionMs;
  }

  async open(): Promise<StoreEngine> {
    const { clock, logger } = this.#host;
    await this.#throwIfTooOld();
    return openLevelEngine({ folder: this.#store.path, identity: this.#identity, clock, logger });
  }

  async wipe(): Promise<void> {
    await this.#store.wipe();
  }

  async markCurrent(): Promise<void> {
    await this.#store.markCurrent();
  }

  markBehind(): void {
    this.#store.markBehind();
  }

  async release(): Promise<void> {
    await this.#task.release();
  }

  /** KIP-1259: a copy that was away for longer than tombstones last would bring deleted keys back. */
  async #throwIfTooOld(): Promise<void> {
    if (this.#deleteRetentionMs === null) return;
    const lastUsedMs = await this.#store.lastUsedMs();
    const ageMs = lastUsedMs === null ? Infinity : this.#host.clock.now() - lastUsedMs;
    if (ageMs <= this.#deleteRetentionMs) return;
    throw new CorruptStoreError(
      this.#store.path,
      lastUsedMs === null
        ? "nobody knows when it was last used"
        : `it was last used ${Math.round(ageMs)} ms ago, but its changelog keeps deletions for ${this.#deleteRetentionMs} ms only`,
    );
  }
}

class MemoryHome implements StoreHome {
  readonly #name: string;
  readonly #identity: string;
  readonly #host: ParticipantHost<Client>;

  constructor(name: string, identity: string, host: ParticipantHost<Client>) {
    this.#name = name;
    this.#identity = identity;
    this.#host = host;
  }

  open(): Promise<StoreEngine> {
    const { clock, logger } = this.#host;
    return openMemoryEngine({ name: this.#name, identity: this.#identity, clock, logger });
  }

  /** What was in memory went with the engine. */
  wipe(): Promise<void> {
    return Promise.resolve();
  }

  markCurrent(): Promise<void> {
    return Promise.resolve();
  }

  markBehind(): void {
    // Nothing is written down.
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}
