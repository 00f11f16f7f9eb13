import { copyFile, link, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DamagedFileError } from "./leveldb/damaged-file-error.ts";
import { CURRENT, type LiveFiles, readLiveFiles, verifyLiveFiles } from "./leveldb/live-files.ts";

/** A compaction ends in between once in a while, not that often. */
const MAX_ATTEMPTS = 20;

/** Where a snapshot is built: it gets its name when it is whole. What a crash leaves, the next one to that name removes. */
export function partialFolder(folder: string): string {
  return `${folder}.partial`;
}

/**
 * Copies the files of an open LevelDB that nothing is written to meanwhile, but that goes on compacting: what it was a
 * moment ago is enough, as long as all files are of the same moment. Tables never change, so they are linked where the
 * file system can.
 */
export async function copyLiveFiles(source: string, partial: string): Promise<LiveFiles> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o750 });
    const files = await tryCopy(source, partial);
    if (files !== undefined) return files;
  }
  throw new Error(`the files in ${source} changed ${MAX_ATTEMPTS} times while they were copied`);
}

/** Checks the copy, and gives it its name. */
export async function completeSnapshot(partial: string, folder: string, files: LiveFiles): Promise<void> {
  await verifyLiveFiles(partial, files);
  await syncToDisk(partial);
  // Replaces an empty folder, and refuses a full one.
  await rename(partial, folder);
  await syncToDisk(dirname(folder));
}

/** `undefined` when a compaction replaced files in between. */
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
