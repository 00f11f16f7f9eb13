import { checkOptions, nonEmptyString, required, silentLogger, systemClock } from "@eos/core";
import { replaceFolder } from "./directory/folders.ts";
import { createStateDirectory } from "./directory/state-directory.ts";
import { directoryError } from "./directory/directory-errors.ts";
import { openLevelEngine } from "./engine/level-engine.ts";

/** A snapshot, and the place of the store that it is to be. */
export interface SnapshotPlace {
  /** The folder that `snapshot` of a store made. It stays as it is. */
  readonly snapshot: string;
  readonly stateDir: string;
  readonly applicationId: string;
  /** `<subtopology>_<partition>`: `0_<partition>` for a processor. */
  readonly taskId: string;
  /** The store's name. */
  readonly store: string;
}

/**
 * Puts a snapshot in a store's place, before the task is opened. What was committed since is read from the changelog
 * when it is, if the changelog goes back that far; if not, or if the snapshot is older than the changelog keeps
 * deletions, or is of another partition, store or application, the store is restored from the changelog's beginning; one
 * without a changelog does not open then.
 *
 * @throws TypeError on an unknown, wrong or missing option; CorruptStoreError when the snapshot is not what was written;
 * TaskDirectoryLockedError when the task is open; StateDirectoryIoError. What was there stays then.
 */
export async function installSnapshot(place: SnapshotPlace): Promise<void> {
  const name = required(nonEmptyString);
  checkOptions("installSnapshot", place, {
    snapshot: name,
    stateDir: name,
    applicationId: name,
    taskId: name,
    store: name,
  });
  const { snapshot, stateDir, applicationId, taskId, store } = place;
  const given = { clock: systemClock, logger: silentLogger };
  const directory = createStateDirectory({ stateDir, applicationId, ...given });
  const task = await directory.acquire(taskId, { timeoutMs: 0 });
  try {
    const { path } = await task.store(store);
    try {
      await replaceFolder(task.path, store, snapshot, async (folder) => {
        const engine = await openLevelEngine({ folder, ...given });
        await engine.close();
      });
    } catch (error) {
      throw directoryError(path, "replacing", error);
    }
  } finally {
    await task.release();
  }
}
