import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readLastUsedMs, writeLastUsedMs } from "./last-used.ts";
import { ManualClock } from "./manual-clock-fixture.ts";
import { createStateDirectory } from "./state-directory.ts";
import type { TaskDirectory } from "./task-directory.ts";

// What runs beside may take the disk for a while.
vi.setConfig({ testTimeout: 30_000 });

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let stateDir: string;
let clock: ManualClock;
let task: TaskDirectory;
const warn = vi.fn();

async function acquire(): Promise<TaskDirectory> {
  const logger = { ...silentLogger, warn };
  return createStateDirectory({ stateDir, applicationId: "app", clock, logger }).acquire("0_0");
}

/** Lets time pass, and waits for what is done about it. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await vi.waitFor(() => expect(clock.sleeping).toBe(1), { interval: 1, timeout: 10_000 });
}

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "eos-store-"));
  clock = new ManualClock(NOW);
  warn.mockClear();
  task = await acquire();
});

afterEach(async () => {
  await task.release();
  await rm(stateDir, { recursive: true, force: true });
});

describe("a store's directory", () => {
  it("is as old as its beginning until it is current, then at most two minutes old while it is open", async () => {
    const store = await task.store("counts");
    expect(await store.lastUsedMs()).toBe(NOW);
    await pass(5 * MINUTE);
    expect(await store.lastUsedMs()).toBe(NOW);
    await store.markCurrent();
    expect(await store.lastUsedMs()).toBe(NOW + 5 * MINUTE);
    for (let minute = 6; minute < 20; minute++) {
      await pass(MINUTE);
      expect(await store.lastUsedMs()).toBe(NOW + (minute - 1) * MINUTE);
    }
    await task.release();
    clock.advance(DAY);
    task = await acquire();
    expect(await (await task.store("counts")).lastUsedMs()).toBe(NOW + 18 * MINUTE);
  });

  it("gets older while it may lack something", async () => {
    const store = await task.store("counts");
    await store.markCurrent();
    await pass(MINUTE);
    store.markBehind();
    for (let minute = 0; minute < 5; minute++) await pass(MINUTE);
    expect(await store.lastUsedMs()).toBe(NOW);
    await store.markCurrent();
    expect(await store.lastUsedMs()).toBe(NOW + 6 * MINUTE);
  });

  it("is not young again when a process that was frozen for a day comes back, and is told then that the task has gone", async () => {
    const store = await task.store("counts");
    await store.markCurrent();
    await pass(DAY);
    expect(await store.lastUsedMs()).toBe(NOW);
    await task.release();
    task = await acquire();
    expect(await (await task.store("counts")).lastUsedMs()).toBe(NOW);
  });

  it("is of an unknown age when nobody has said it, or the file says nothing", async () => {
    await mkdir(join(task.path, "counts"));
    const store = await task.store("counts");
    expect(await store.lastUsedMs()).toBeNull();
    for (const text of ["", "soon\n", "-1\n", "1e3\n", "17"]) {
      await writeFile(join(store.path, "last-used"), text);
      expect(await store.lastUsedMs()).toBeNull();
    }
  });

  it("keeps its age in a copy of the folder", async () => {
    const store = await task.store("counts");
    clock.advance(MINUTE);
    await cp(store.path, join(stateDir, "copy"), { recursive: true });
    expect(await readLastUsedMs(join(stateDir, "copy"))).toBe(NOW);
    await writeLastUsedMs(join(stateDir, "copy"), 7);
    expect(await readLastUsedMs(join(stateDir, "copy"))).toBe(7);
    expect(await readdir(join(stateDir, "copy"))).toEqual(["last-used"]);
  });

  it("is empty, new and behind after a wipe, and other stores are as they were", async () => {
    const store = await task.store("counts");
    const other = await task.store("counts-2");
    await store.markCurrent();
    for (const { path } of [store, other]) await writeFile(join(path, "CURRENT"), "x");
    await pass(DAY);
    await store.wipe();
    expect(await readdir(task.path)).toEqual(["counts", "counts-2"]);
    expect(await readdir(store.path)).toEqual(["last-used"]);
    expect(await readFile(join(other.path, "CURRENT"), "latin1")).toBe("x");
    expect(await store.lastUsedMs()).toBe(NOW + DAY);
    await pass(MINUTE);
    await pass(MINUTE);
    expect(await store.lastUsedMs()).toBe(NOW + DAY);
    await rm(store.path, { recursive: true });
    await store.wipe();
    expect(await readdir(store.path)).toEqual(["last-used"]);
  });

  it("cannot be wiped or marked by who has let go of it", async () => {
    const store = await task.store("counts");
    await task.release();
    await expect(store.wipe()).rejects.toThrow(/counts was released/);
    await expect(store.markCurrent()).rejects.toThrow(TypeError);
    expect(await readdir(store.path)).toEqual(["last-used"]);
  });

  it("goes on without a mark that cannot be written", async () => {
    const store = await task.store("counts");
    await rm(store.path, { recursive: true });
    await store.markCurrent();
    expect(warn.mock.calls[0]?.[1]).toMatch(/could not be written down/);
  });

  it("tells what the file system refused", async () => {
    const store = await task.store("counts");
    await mkdir(join(store.path, "sub"));
    await rm(join(store.path, "last-used"));
    await mkdir(join(store.path, "last-used"));
    await expect(store.lastUsedMs()).rejects.toMatchObject({ code: "EOS_STATE_DIRECTORY_IO", folder: store.path });
  });
});
