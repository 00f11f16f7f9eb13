import { randomUUID } from "node:crypto";
import { chmod, cp, lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UnsafeStateDirectoryError } from "./directory-errors.ts";

const MODE = 0o750;
const REMOVED = /^\.deleted-[0-9a-f-]{36}$/;

/**
 * Creates a folder, and what it lies in, readable for the owner and the group. An existing one stays as it is.
 *
 * @returns whether it is new
 */
export async function createFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: MODE });
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return false;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    await createFolder(dirname(folder));
    return createFolder(folder);
  }
  // What mkdir is asked for is masked by the process' umask, which may take away what the owner needs.
  await chmod(folder, MODE);
  return true;
}

/**
 * Creates a folder of our own: one that is there must not be a link, through which files elsewhere would be written and
 * removed.
 *
 * @returns whether it is new
 * @throws UnsafeStateDirectoryError
 */
export async function createOwnFolder(folder: string): Promise<boolean> {
  if (await createFolder(folder)) return true;
  const stats = await lstat(folder);
  if (stats.isSymbolicLink()) throw new UnsafeStateDirectoryError(folder, "it is a symbolic link");
  if (!stats.isDirectory()) throw new UnsafeStateDirectoryError(folder, "it is not a folder");
  return false;
}

/** Others than the owner and the group can read it, or others than the owner write to it. */
export async function isWiderThanNeeded(folder: string): Promise<boolean> {
  return process.platform !== "win32" && ((await lstat(folder)).mode & 0o777 & ~MODE) !== 0;
}

/**
 * Removes a folder: it loses its name before anything in it, so that a crash in the middle leaves nothing that could be
 * taken for the whole. {@link removeLeftovers} finishes it then.
 */
export async function removeFolder(parent: string, name: string): Promise<void> {
  const removed = join(parent, `.deleted-${randomUUID()}`);
  try {
    await rename(join(parent, name), removed);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  await rm(removed, { recursive: true, force: true });
}

/**
 * Puts a copy of a folder from elsewhere in a folder's place. A crash in the middle leaves the one, the other, or none.
 *
 * @param check - looks at the copy first: what it throws leaves everything as it was
 */
export async function replaceFolder(
  parent: string,
  name: string,
  source: string,
  check: (copy: string) => Promise<void>,
): Promise<void> {
  const copy = join(parent, `.deleted-${randomUUID()}`);
  try {
    await cp(source, copy, { recursive: true });
    await check(copy);
    await removeFolder(parent, name);
    await rename(copy, join(parent, name));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

export async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (REMOVED.test(name)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

export function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
