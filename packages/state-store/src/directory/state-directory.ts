import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import {
  checkOptions,
  type Clock,
  type Logger,
  nonEmptyString,
  object,
  type ParticipantHost,
  positiveInteger,
  required,
} from "@eos/core";
import { directoryError, TaskDirectoryLockedError } from "./directory-errors.ts";
import { createFolder, createOwnFolder, isWiderThanNeeded } from "./folders.ts";
import { checkApplicationId, checkTaskId, pathUnder } from "./names.ts";
import { HeldTask, type TaskDirectory } from "./task-directory.ts";
import { locksFolder, lockTask, removeAllTasks, removeIdleTasks } from "./task-folders.ts";

export interface StateDirectoryOptions {
  /** May be a symbolic link; what lies below it may not. Created, as everything below it, with the mode 0750. */
  readonly stateDir: string;
  readonly applicationId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * The folder of a task that has not been in this directory for this long is removed.
   * @defaultValue 600 000 (as in Kafka Streams)
   */
  readonly stateCleanupDelayMs?: number;
}

export interface AcquireOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for whoever has it; 0: not at all. @defaultValue until the signal fires */
  readonly timeoutMs?: number;
}

/**
 * The state of one application on this machine, as one processor sees it: `<stateDir>/<applicationId>/<taskId>/<store>`.
 * Its folder `.locks` stays for ever.
 *
 * While a task is held, tasks' folders that nobody holds any more are removed (see `stateCleanupDelayMs`): first when
 * that delay has passed, so that a restart after a long night finds its state.
 */
export interface StateDirectory {
  /**
   * Waits for a task's folder: after a rebalance, its owner before may be on this machine and still be closing. Holders
   * of the same directory object share it.
   *
   * @throws InvalidStateNameError, UnsafeStateDirectoryError, StateDirectoryIoError, TaskDirectoryLockedError; the
   * signal's reason
   */
  acquire(taskId: string, options?: AcquireOptions): Promise<TaskDirectory>;
  /**
   * Removes the state of all tasks. It comes back from the changelogs.
   * @throws StateDirectoryInUseError when one is held by anybody: nothing was removed; StateDirectoryIoError
   */
  cleanUp(): Promise<void>;
}

const DEFAULT_CLEANUP_DELAY_MS = 600_000;
const REFRESH_MS = 60_000;
const RETRY_MS = 50;
const WARN_AFTER_MS = 5_000;

/**
 * One for each processor: two in a process are strangers to each other, as two processes are.
 *
 * @throws TypeError on an unknown, wrong or missing option; InvalidStateNameError
 */
export function createStateDirectory(options: StateDirectoryOptions): StateDirectory {
  checkOptions("createStateDirectory", options, {
    stateDir: required(nonEmptyString),
    applicationId: required(nonEmptyString),
    clock: required(object),
    logger: required(object),
    stateCleanupDelayMs: positiveInteger,
  });
  checkApplicationId(options.applicationId);
  return new ApplicationDirectory(options);
}

type StateDirectoryHost = Pick<
  ParticipantHost<object>,
  "client" | "stateDir" | "stateCleanupDelayMs" | "applicationId" | "clock" | "logger"
>;

const directories = new WeakMap<object, StateDirectory>();

/** The one that all stores of a processor share: they are given the same client. */
export function stateDirectoryOf(host: StateDirectoryHost): StateDirectory {
  const { client, stateDir, stateCleanupDelayMs, applicationId, clock, logger } = host;
  let directory = directories.get(client);
  if (directory === undefined) {
    directory = createStateDirectory({ stateDir, stateCleanupDelayMs, applicationId, clock, logger });
    directories.set(client, directory);
  }
  return directory;
}

class ApplicationDirectory implements StateDirectory {
  readonly #stateDir: string;
  readonly #applicationId: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #cleanupDelayMs: number;
  readonly #held = new Map<string, HeldTask>();
  /** Of stores that ask for the same task at a time, one tries for all. */
  readonly #attempts = new Map<string, Promise<HeldTask | null>>();
  #path: Promise<string> | null = null;
  #upkeep: AbortController | null = null;
  /** When idle folders were last looked for. */
  #cleanedMs: number;

  constructor({ stateDir, applicationId, clock, logger, stateCleanupDelayMs }: StateDirectoryOptions) {
    this.#stateDir = resolve(stateDir);
    this.#applicationId = applicationId;
    this.#clock = clock;
    this.#logger = logger;
    this.#cleanupDelayMs = stateCleanupDelayMs ?? DEFAULT_CLEANUP_DELAY_MS;
    this.#cleanedMs = clock.monotonicMs();
  }

  async acquire(taskId: string, { signal, timeoutMs = Infinity }: AcquireOptions = {}): Promise<TaskDirectory> {
    checkTaskId(taskId);
    const beganMs = this.#clock.monotonicMs();
    let isWarned = false;
    for (;;) {
      const held = this.#held.get(taskId) ?? (await this.#tryHold(taskId));
      const directory = held?.hold();
      if (directory != null) {
        if (signal?.aborted !== true) return directory;
        await directory.release();
        throw signal.reason;
      }
      const waitedMs = this.#clock.monotonicMs() - beganMs;
      const folder = pathUnder(await this.#root(), taskId);
      if (waitedMs >= timeoutMs) throw new TaskDirectoryLockedError(taskId, folder, waitedMs);
      if (waitedMs >= WARN_AFTER_MS && !isWarned) {
        isWarned = true;
        this.#logger.warn(
          { taskId, folder, waitedMs: Math.round(waitedMs) },
          "the task's directory is held by another process, or another processor of this one; waiting until it lets go",
        );
      }
      await this.#clock.sleep(RETRY_MS, signal);
    }
  }

  async cleanUp(): Promise<void> {
    const root = await this.#root();
    await this.#attempt("cleaning up", () => removeAllTasks(root));
  }

  #tryHold(taskId: string): Promise<HeldTask | null> {
    let attempt = this.#attempts.get(taskId);
    if (attempt === undefined) {
      attempt = this.#lock(taskId).finally(() => this.#attempts.delete(taskId));
      this.#attempts.set(taskId, attempt);
    }
    return attempt;
  }

  async #lock(taskId: string): Promise<HeldTask | null> {
    const root = await this.#root();
    const lock = await lockTask(root, taskId);
    if (lock === null) return null;
    const path = pathUnder(root, taskId);
    const task = new HeldTask(taskId, path, lock, this.#clock, this.#logger, () => this.#released(taskId));
    try {
      await task.prepare();
    } catch (error) {
      await lock.release();
      throw directoryError(path, "preparing", error);
    }
    this.#held.set(taskId, task);
    this.#startUpkeep();
    return task;
  }

  #released(taskId: string): void {
    this.#held.delete(taskId);
    if (this.#held.size > 0) return;
    this.#upkeep?.abort();
    this.#upkeep = null;
  }

  #startUpkeep(): void {
    if (this.#upkeep !== null) return;
    this.#upkeep = new AbortController();
    void this.#keepUp(this.#upkeep.signal);
  }

  /** While a task is held, so that a directory need not be closed. */
  async #keepUp(signal: AbortSignal): Promise<void> {
    const periodMs = Math.min(REFRESH_MS, this.#cleanupDelayMs);
    for (;;) {
      try {
        await this.#clock.sleep(periodMs, signal);
      } catch {
        return;
      }
      try {
        for (const task of this.#held.values()) await task.refresh();
        if (this.#clock.monotonicMs() - this.#cleanedMs < this.#cleanupDelayMs) continue;
        this.#cleanedMs = this.#clock.monotonicMs();
        await removeIdleTasks({
          root: await this.#root(),
          idleMs: this.#cleanupDelayMs,
          clock: this.#clock,
          logger: this.#logger,
        });
      } catch (error) {
        this.#logger.warn(
          { folder: this.#stateDir, err: error },
          "the upkeep of the state directory failed; it goes on",
        );
      }
    }
  }

  /** `<stateDir>/<applicationId>` without links in it: LevelDB takes two names of a file for two files. */
  async #root(): Promise<string> {
    this.#path ??= this.#attempt("creating", () => this.#create());
    try {
      return await this.#path;
    } catch (error) {
      this.#path = null;
      throw error;
    }
  }

  async #create(): Promise<string> {
    await createFolder(this.#stateDir);
    const root = pathUnder(await realpath(this.#stateDir), this.#applicationId);
    if (!(await createOwnFolder(root)) && (await isWiderThanNeeded(root))) {
      this.#logger.warn(
        { folder: root },
        "others than its owner and group can use the state directory: chmod it to 0750",
      );
    }
    await createOwnFolder(locksFolder(root));
    return root;
  }

  async #attempt<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw directoryError(this.#stateDir, doing, error);
    }
  }
}
