import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { directoryError } from "./directory-errors.ts";
import { createOwnFolder } from "./folders.ts";

/** Held until it is released, or the process ends, however it ends. */
export interface TaskLock {
  release(): Promise<void>;
}

/** The file that LevelDB locks. */
const LOCK_FILE = "LOCK";

// Registered globally: two copies of this package in one process must see each other's locks.
const HELD = Symbol.for("@eos/state-store/held-locks");
const globals = globalThis as { [HELD]?: Set<string> };
const held = (globals[HELD] ??= new Set());

/**
 * Takes a lock that no two processes on a machine can have at a time; `null` when somebody has it. `folder` belongs to
 * the lock alone, and stays.
 *
 * It is the lock (`fcntl`) of an empty LevelDB, which is the one lock of the operating system that is within reach of
 * Node here. The kernel drops it with the process, so a `kill -9` leaves nothing stale behind; a frozen process keeps it,
 * as it must, since it goes on with its open stores once it is thawed. A lock file whose owner touches it now and then
 * (`proper-lockfile`) would be taken from it meanwhile; a file with the owner's pid is stale after a kill, and the pid
 * may be another's by then.
 *
 * Two hazards:
 *
 * - A process loses such a lock when it closes *any* descriptor of the file, and LevelDB opens and closes it to find out
 *   that this process has it already. So nobody may try who can know that: {@link held}. (Threads do not see each
 *   other's: processors of different threads need a `stateDir` each.)
 * - Who removes the file while another waits for it gives the lock to both: one has the file, the other the next of that
 *   name. So it is never removed, and does not lie in the task's folder, which is.
 *
 * @throws StateDirectoryIoError, UnsafeStateDirectoryError
 */
export async function tryLock(folder: string): Promise<TaskLock | null> {
  if (held.has(folder)) return null;
  held.add(folder);
  try {
    const database = await openLocked(folder);
    if (database === null) {
      held.delete(folder);
      return null;
    }
    return {
      release: async () => {
        try {
          await database.close();
        } finally {
          held.delete(folder);
        }
      },
    };
  } catch (error) {
    held.delete(folder);
    throw directoryError(folder, "locking", error);
  }
}

async function openLocked(folder: string): Promise<Level | null> {
  await createOwnFolder(folder);
  try {
    return await tryOpen(folder);
  } catch {
    // A crash of the machine may have left files that LevelDB does not open. There is nothing in them but the lock, and
    // if another process has that by now, it does not need them either.
    for (const name of await readdir(folder)) {
      if (name !== LOCK_FILE) await rm(join(folder, name), { recursive: true, force: true });
    }
    return tryOpen(folder);
  }
}

async function tryOpen(folder: string): Promise<Level | null> {
  const database = new Level(folder);
  try {
    await database.open();
    return database;
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } };
    if (cause?.code === "LEVEL_LOCKED") return null;
    throw cause ?? error;
  }
}
