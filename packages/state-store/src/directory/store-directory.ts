import { join } from "node:path";
import type { Clock, Logger } from "@eos/core";
import { directoryError } from "./directory-errors.ts";
import { createOwnFolder, removeFolder } from "./folders.ts";
import { readLastUsedMs, writeLastUsedMs } from "./last-used.ts";
import { checkStoreName, pathUnder } from "./names.ts";

/**
 * The folder of one store of one task, and its age: a store that has not followed its changelog for longer than the
 * topic's `delete.retention.ms` may have missed deletions of which the changelog keeps no trace any more (KIP-1259).
 */
export class StoreDirectory {
  /** `<stateDir>/<applicationId>/<taskId>/<store>`; it exists. */
  readonly path: string;
  readonly #taskPath: string;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What the next mark says; `null` while the store may lack something. */
  #knownMs: number | null = null;
  #writing: Promise<void> = Promise.resolve();
  #isReleased = false;

  private constructor(taskPath: string, name: string, clock: Clock, logger: Logger) {
    this.path = pathUnder(taskPath, name);
    this.#taskPath = taskPath;
    this.#name = name;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws InvalidStateNameError, UnsafeStateDirectoryError, StateDirectoryIoError */
  static async create(taskPath: string, name: string, clock: Clock, logger: Logger): Promise<StoreDirectory> {
    checkStoreName(name);
    const directory = new StoreDirectory(taskPath, name, clock, logger);
    await directory.#attempt("creating", () => directory.#create());
    return directory;
  }

  /**
   * When this store was last known to hold everything that its changelog did, ms since the epoch. Of an empty one, when
   * it was created: from then on the changelog keeps what it needs for `delete.retention.ms`. `null`: nobody knows, so
   * that it counts as too old.
   */
  lastUsedMs(): Promise<number | null> {
    return this.#attempt("reading", () => readLastUsedMs(this.path));
  }

  /**
   * The store holds everything that its changelog does, as after its restore, and will until {@link markBehind}. That is
   * written down now, and then every minute.
   */
  async markCurrent(): Promise<void> {
    this.#assertHeld();
    this.#knownMs = this.#clock.now();
    await this.#write(this.#knownMs);
  }

  /** The store may lack something from now on, as after an abort, until it is restored. What is written down stays. */
  markBehind(): void {
    this.#knownMs = null;
  }

  /** Removes what is in the folder; a crash in the middle leaves nothing of it that opens. The engine must be closed. @throws StateDirectoryIoError */
  async wipe(): Promise<void> {
    this.#assertHeld();
    this.markBehind();
    await this.#writing;
    await this.#attempt("wiping", async () => {
      await removeFolder(this.#taskPath, this.#name);
      await this.#create();
    });
  }

  /**
   * Every minute. It writes the time of the minute before: a process that was frozen for a day, while others went on with
   * its task, comes back to this timer before it hears that the task is not its own any more.
   */
  async refresh(): Promise<void> {
    const knownMs = this.#knownMs;
    if (knownMs === null) return;
    this.#knownMs = this.#clock.now();
    await this.#write(knownMs);
  }

  /** The lock is about to go. No mark of now, for the reason that {@link refresh} gives: what is written is two minutes old at most. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#knownMs = null;
    await this.#writing;
  }

  async #create(): Promise<void> {
    if (await createOwnFolder(this.path)) await writeLastUsedMs(this.path, this.#clock.now());
  }

  /** A mark that cannot be written leaves an older one, so the store counts as older than it is: nothing worse. */
  #write(timestampMs: number): Promise<void> {
    this.#writing = this.#writing
      .then(() => writeLastUsedMs(this.path, timestampMs))
      .catch((error: unknown) => {
        this.#logger.warn({ folder: this.path, err: error }, "when the store was last used could not be written down");
      });
    return this.#writing;
  }

  async #attempt<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw directoryError(this.path, doing, error);
    }
  }

  #assertHeld(): void {
    if (this.#isReleased) throw new TypeError(`${join(this.#taskPath, this.#name)} was released`);
  }
}
