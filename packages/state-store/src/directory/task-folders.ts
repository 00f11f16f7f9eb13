import { readdir } from "node:fs/promises";
import type { Clock, Logger } from "@eos/core";
import { StateDirectoryInUseError } from "./directory-errors.ts";
import { codeOf, removeFolder, removeLeftovers } from "./folders.ts";
import { isTaskId, pathUnder } from "./names.ts";
import { taskLastUsedMs } from "./task-directory.ts";
import { type TaskLock, tryLock } from "./task-lock.ts";

const LOCKS = ".locks";

export interface IdleTasks {
  /** `<stateDir>/<applicationId>`. */
  readonly root: string;
  readonly idleMs: number;
  readonly isHeld: (taskId: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function locksFolder(root: string): string {
  return pathUnder(root, LOCKS);
}

export function lockTask(root: string, taskId: string): Promise<TaskLock | null> {
  return tryLock(pathUnder(root, LOCKS, taskId));
}

/** Removes the folders of tasks that nobody holds, and nobody has held for `idleMs`. */
export async function removeIdleTasks({ root, idleMs, isHeld, clock, logger }: IdleTasks): Promise<void> {
  const isIdle = async (taskId: string): Promise<boolean> => {
    try {
      return clock.now() - (await taskLastUsedMs(pathUnder(root, taskId))) >= idleMs;
    } catch (error) {
      // Another process was faster.
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    }
  };
  for (const taskId of await taskFolders(root)) {
    if (isHeld(taskId) || !(await isIdle(taskId))) continue;
    const lock = await lockTask(root, taskId);
    if (lock === null) continue;
    try {
      // It may have been in use between the first look and the lock.
      if (!(await isIdle(taskId))) continue;
      await removeFolder(root, taskId);
      logger.info({ taskId, folder: pathUnder(root, taskId) }, "removed the state of a task that is elsewhere now");
    } finally {
      await lock.release();
    }
  }
  await removeLeftovers(root);
}

/** Removes the folders of all tasks, or none. @throws StateDirectoryInUseError */
export async function removeAllTasks(root: string): Promise<void> {
  const taskIds = await taskFolders(root);
  const locks: TaskLock[] = [];
  try {
    const inUse: string[] = [];
    // A task that is just being taken up has a lock before it has a folder.
    for (const taskId of new Set([...taskIds, ...(await taskFolders(locksFolder(root)))])) {
      const lock = await lockTask(root, taskId);
      if (lock === null) inUse.push(taskId);
      else locks.push(lock);
    }
    if (inUse.length > 0) throw new StateDirectoryInUseError(root, inUse);
    for (const taskId of taskIds) await removeFolder(root, taskId);
    await removeLeftovers(root);
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** What else lies there is not ours. */
async function taskFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && isTaskId(entry.name)).map(({ name }) => name);
}
