import { copyFile, link, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DamagedFileError } from "./leveldb/damaged-file-error.ts";
import { CURRENT, type LiveFiles, readLiveFiles, verifyLiveFiles } from "./leveldb/live-files.ts";

/** A compaction ends in between once in a while, not that often. */
const MAX_ATTEMPTS = 20;

/**
 * Has a folder filled under another name and renames it when it is whole and on the disk. What a crash leaves under the
 * other name, the next snapshot to that folder removes.
 */
export async function buildSnapshot(folder: string, fill: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    await fill(partial);
    await syncToDisk(partial);
    // Replaces an empty folder, and refuses a full one.
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  await syncToDisk(dirname(folder));
}

/**
 * Copies the files of an open LevelDB, as of some moment since it was asked for. It goes on meanwhile: what is written to
 * the log has reached the file when a batch is acknowledged, and a log copied while it grows ends as after a crash. What
 * a compaction removed before it was copied makes the copy begin anew. Tables never change, so they are linked where the
 * file system can.
 *
 * @throws DamagedFileError
 */
export async function copyLiveFiles(source: string, target: string): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    await mkdir(target, { recursive: true, mode: 0o750 });
    const files = await tryCopy(source, target);
    if (files !== undefined) return verifyLiveFiles(target, files);
    await rm(target, { recursive: true });
  }
  throw new DamagedFileError(`its files were not whole in any of ${MAX_ATTEMPTS} attempts to copy them`);
}

/** `undefined` when files were missing. */
async function tryCopy(source: string, target: string): Promise<LiveFiles | undefined> {
  try {
    const files = await readLiveFiles(source);
    if (files === undefined) return undefined;
    for (const { name } of files.tables) await linkTable(join(source, name), join(target, name));
    for (const name of files.logs) await copyWhole(join(source, name), join(target, name));
    await writeFile(join(target, files.manifestName), files.manifestBytes, { flush: true });
    await writeFile(join(target, CURRENT), `${files.manifestName}\n`, { flush: true });
    return files;
  } catch (error) {
    if (error instanceof DamagedFileError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function linkTable(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
    // Another file system, or one without links.
    await copyWhole(source, target);
  }
}

async function copyWhole(source: string, target: string): Promise<void> {
  await copyFile(source, target);
  await syncToDisk(target);
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
