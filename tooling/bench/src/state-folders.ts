import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders = new Set<string>();

/** An empty folder for a rival's state. */
export async function createStateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eos-bench-"));
  folders.add(folder);
  return folder;
}

export async function removeStateFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  folders.delete(folder);
}

// A run that is interrupted never comes to its disposal.
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
