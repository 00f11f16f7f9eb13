import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "./folders.ts";

/** Beside LevelDB's files, which LevelDB has no interest in: it goes where the store's folder goes. */
const FILE = "last-used";

/**
 * When the store in a folder was known to hold everything that its changelog did, ms since the epoch; `null` when nobody
 * has said so. The time is what the file says, not the file's own: copies of it are as old as what they were copied from.
 */
export async function readLastUsedMs(folder: string): Promise<number | null> {
  try {
    const text = await readFile(join(folder, FILE), "latin1");
    return /^\d{1,16}\n$/.test(text) ? Number(text) : null;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

export async function writeLastUsedMs(folder: string, timestampMs: number): Promise<void> {
  const temporary = join(folder, `${FILE}.tmp`);
  await writeFile(temporary, `${timestampMs}\n`);
  await rename(temporary, join(folder, FILE));
}
