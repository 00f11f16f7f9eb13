import { readdir } from "node:fs/promises";
import type { Clock, Logger } from "@eos/core";
import { StateDirectoryInUseError } from "./directory-errors.ts";
import { removeFolder, removeLeftovers } from "./folders.ts";
import { isTaskId, pathUnder } from "./names.ts";
import { taskLastUsedMs } from "./task-directory.ts";
import { type TaskLock, tryLock } from "./task-lock.ts";

const LOCKS = ".locks";

export interface IdleTasks {
  /** `<stateDir>/<applicationId>`. */
  readonly root: string;
  readonly idleMs: number;
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
export async function removeIdleTasks({ root, idleMs, clock, logger }: IdleTasks): Promise<void> {
  for (const taskId of await taskFolders(root)) {
    const lock = await lockTask(root, taskId);
    if (lock === null) continue;
    try {
      const folder = pathUnder(root, taskId);
      // Gone: another process was faster.
      const lastUsedMs = await taskLastUsedMs(folder);
      if (lastUsedMs === null || clock.now() - lastUsedMs < idleMs) continue;
      await removeFolder(root, taskId);
      logger.info({ taskId, folder }, "removed the state of a task that is elsewhere now");
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
