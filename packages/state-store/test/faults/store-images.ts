import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@eos/core";
import { openLevelEngine } from "../../src/engine/level-engine.ts";
import type { StoreEngine } from "../../src/engine/store-engine.ts";
import { commitOf, differences, writeCommits } from "./reference.ts";
import { SMALL_BUFFER_BYTES, StoreWriter } from "./store-writer.ts";

/** A clean stop lies behind this commit. */
const STOPPED_AFTER = 120;
export const COMMITS = 420;

/**
 * What became of a store: `detected`, `unchanged`, `older` as it was after an earlier commit, from where it rolled
 * forward to the same contents. Anything else is a `wrong` one.
 */
export type Outcome = "detected" | "unchanged" | "older" | "wrong";

export interface Verdict {
  readonly outcome: Outcome;
  /** The reason of the `CorruptStoreError`, or what differs. */
  readonly detail: string;
}

/** What `kill -9` leaves of a store; copies of it are damaged. */
export class StoreImages implements AsyncDisposable {
  readonly #parent: string;
  readonly #image: string;
  #copies = 0;

  private constructor(parent: string) {
    this.#parent = parent;
    this.#image = join(parent, "image");
  }

  /** @param writeBufferBytes when it is large, all commits behind the clean stop are in the log, and otherwise the last ones */
  static async create(writeBufferBytes: number): Promise<StoreImages> {
    const images = new StoreImages(await mkdtemp(join(tmpdir(), "eos-faults-")));
    await using writer = new StoreWriter(images.#image, {
      beforeStop: STOPPED_AFTER,
      inAll: COMMITS,
      writeBufferBytes,
    });
    await writer.reached(COMMITS);
    return images;
  }

  async copy(): Promise<string> {
    const folder = join(this.#parent, `copy-${++this.#copies}`);
    await cp(this.#image, folder, { recursive: true });
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#parent, { recursive: true });
  }
}

/** What `kill -9` would leave of a store that is open, and still at this moment. */
export async function copyOpenFolder(folder: string, copy: string): Promise<void> {
  // POSIX ends a process's lock of a file when the process closes any handle of it.
  await cp(folder, copy, { recursive: true, filter: (path) => !path.endsWith("LOCK") });
}

export function openStore(folder: string): Promise<StoreEngine> {
  return openLevelEngine({ folder, logger: silentLogger, clock: systemClock, writeBufferBytes: SMALL_BUFFER_BYTES });
}

/** Opens it, compares everything with the reference, rolls it forward and compares again; removes it. */
export async function judge(folder: string): Promise<Verdict> {
  let engine: StoreEngine;
  try {
    engine = await openStore(folder);
  } catch (error) {
    const { code, reason, message } = error as { code?: string; reason?: string; message: string };
    return { outcome: code === "EOS_STORE_CORRUPT" ? "detected" : "wrong", detail: reason ?? `${code}: ${message}` };
  }
  const commit = commitOf(engine);
  const found = await differences(engine);
  await writeCommits(engine, COMMITS);
  found.push(...(await differences(engine)).map((difference) => `rolled forward: ${difference}`));
  await engine.close();
  await rm(folder, { recursive: true });
  if (found.length > 0) return { outcome: "wrong", detail: `at commit ${commit}: ${found.slice(0, 3).join(", ")} …` };
  return { outcome: commit === COMMITS ? "unchanged" : "older", detail: `commit ${commit}` };
}

/** Files of the state in the order of their names, without locks and LevelDB's own notes. */
export async function stateFiles(
  folder: string,
  kind: "table" | "log" | "manifest" | "any" = "any",
): Promise<string[]> {
  const pattern = {
    table: /\.ldb$/,
    log: /\.log$/,
    manifest: /^MANIFEST/,
    any: /^(CURRENT|MANIFEST.*|.*\.(ldb|log))$/,
  };
  return (await readdir(folder)).filter((name) => pattern[kind].test(name)).toSorted();
}
