import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether this user may mount one: on Linux, as root, outside of most containers. */
export async function canMountDisks(): Promise<boolean> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    await using _disk = await SmallDisk.mount(1);
    return true;
  } catch {
    return false;
  }
}

/** A file system in memory of a few megabytes, to be filled and made read-only. */
export class SmallDisk implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async mount(megabytes: number): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), "eos-disk-"));
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
    return new SmallDisk(folder);
  }

  async makeReadOnly(): Promise<void> {
    await run("mount", ["-o", "remount,ro", this.folder]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: a store that a failed test left open must not hide why it failed.
    await run("umount", ["-l", this.folder]);
    await rm(this.folder, { recursive: true });
  }
}
