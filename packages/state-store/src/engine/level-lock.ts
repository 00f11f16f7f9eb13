import { Level } from "level";

/**
 * Opens the folder in a way that LevelDB refuses right after it has the lock, before it touches anything else.
 *
 * @throws what LevelDB throws when another process has the lock
 */
export async function assertNotLocked(folder: string): Promise<void> {
  const probe = new Level(folder, { createIfMissing: false, errorIfExists: true });
  try {
    await probe.open();
  } catch (error) {
    if ((error as { cause?: { code?: unknown } }).cause?.code === "LEVEL_LOCKED") throw error;
  }
}
