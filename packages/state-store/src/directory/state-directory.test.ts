import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InvalidStateNameError, StateDirectoryInUseError, UnsafeStateDirectoryError } from "./directory-errors.ts";
import { ManualClock } from "./manual-clock-fixture.ts";
import { createStateDirectory, type StateDirectory, stateDirectoryOf } from "./state-directory.ts";

// What runs beside may take the disk for a while.
vi.setConfig({ testTimeout: 30_000 });

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const DELAY = 10 * MINUTE;

let stateDir: string;
let clock: ManualClock;
const warn = vi.fn();
const info = vi.fn();
const logger = { ...silentLogger, warn, info };

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "eos-state-"));
  clock = new ManualClock(NOW);
  warn.mockClear();
  info.mockClear();
});

afterEach(() => rm(stateDir, { recursive: true, force: true }));

function open(applicationId = "app"): StateDirectory {
  return createStateDirectory({ stateDir, applicationId, clock, logger });
}

function below(...names: string[]): string {
  return join(stateDir, "app", ...names);
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

/** A task's folder with something in it, last used then. */
async function leave(taskId: string, lastUsedMs: number): Promise<void> {
  await mkdir(below(taskId, "counts"), { recursive: true });
  await writeFile(below(taskId, "counts", "CURRENT"), "x");
  await utimes(below(taskId), lastUsedMs / 1_000, lastUsedMs / 1_000);
}

/** Everything that the upkeep does without waiting for time. */
async function upkeepToRest(): Promise<void> {
  await vi.waitFor(() => expect(clock.sleeping).toBe(1), { interval: 1, timeout: 10_000 });
}

describe("createStateDirectory", () => {
  it("names the option that is wrong", () => {
    const options = { stateDir, applicationId: "app", clock, logger };
    expect(() => createStateDirectory({ ...options, stateDir: "" })).toThrow(TypeError);
    expect(() => createStateDirectory({ ...options, stateCleanupDelayMs: 0 })).toThrow(/stateCleanupDelayMs/);
    expect(() => createStateDirectory({ ...options, applicationId: "../app" })).toThrow(InvalidStateNameError);
  });

  it("is one for all stores of a processor, and another for the next processor", () => {
    const host = { client: {}, stateDir, stateCleanupDelayMs: 1_000, applicationId: "app", clock, logger };
    expect(stateDirectoryOf({ ...host })).toBe(stateDirectoryOf(host));
    expect(stateDirectoryOf({ ...host, client: {} })).not.toBe(stateDirectoryOf(host));
  });
});

describe("a task's directory", () => {
  it.each([0o022, 0o777, 0o000, 0o077])("is made with mode 0750, whatever the umask (%o)", async (umask) => {
    stateDir = join(stateDir, "deep", "er");
    const before = process.umask(umask);
    try {
      const task = await open().acquire("0_0");
      const store = await task.store("counts");
      expect(store.path).toBe(below("0_0", "counts"));
      expect(task.path).toBe(below("0_0"));
      for (const path of [stateDir, join(stateDir, ".."), below(), task.path, store.path]) {
        expect(await modeOf(path)).toBe("750");
      }
      await task.release();
    } finally {
      process.umask(before);
      stateDir = join(stateDir, "..", "..");
    }
    expect(warn).not.toHaveBeenCalled();
  });

  it("is used with a warning, given once, where others may read it", async () => {
    await mkdir(below());
    await chmod(below(), 0o755);
    const directory = open();
    for (const taskId of ["0_0", "0_1"]) await (await directory.acquire(taskId)).release();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]).toMatchObject([{ folder: below() }, /chmod it to 0750/]);
    expect(await modeOf(below())).toBe("755");
  });

  it("is shared by the stores of a processor until the last lets go, also when they ask at the same time", async () => {
    const directory = open();
    const [first, second] = await Promise.all([directory.acquire("0_0"), directory.acquire("0_0")]);
    const third = await directory.acquire("0_0", { timeoutMs: 0 });
    await first.release();
    await first.release();
    await second.release();
    const stranger = open();
    await expect(stranger.acquire("0_0", { timeoutMs: 0 })).rejects.toMatchObject({
      code: "EOS_TASK_DIRECTORY_LOCKED",
    });
    await third.release();
    await (await stranger.acquire("0_0", { timeoutMs: 0 })).release();
  });

  it("leaves no timer behind when it is released", async () => {
    const directory = open();
    const task = await directory.acquire("0_0");
    expect(clock.sleeping).toBe(1);
    await task.release();
    expect(clock.sleeping).toBe(0);
  });

  it("is not reached through a symbolic link, of an application, a task, or a store", async () => {
    const elsewhere = join(stateDir, "elsewhere");
    await mkdir(elsewhere);
    await symlink(elsewhere, below());
    await expect(open().acquire("0_0")).rejects.toThrow(UnsafeStateDirectoryError);
    await rm(below());
    await mkdir(below());
    await symlink(elsewhere, below("0_0"));
    await expect(open().acquire("0_0")).rejects.toThrow(/0_0 is not used: it is a symbolic link/);
    await rm(below("0_0"));
    const task = await open().acquire("0_0", { timeoutMs: 0 });
    await symlink(elsewhere, below("0_0", "counts"));
    await expect(task.store("counts")).rejects.toMatchObject({ code: "EOS_UNSAFE_STATE_DIRECTORY", severity: "fatal" });
    await writeFile(below("0_0", "file"), "");
    await expect(task.store("file")).rejects.toThrow(/it is not a folder/);
    await task.release();
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it("is asked for by a valid name only", async () => {
    await expect(open().acquire("../0_0")).rejects.toThrow(InvalidStateNameError);
    const task = await open().acquire("0_0");
    await expect(task.store("../0_1")).rejects.toThrow(InvalidStateNameError);
    await task.release();
  });

  it("tells what the file system refused, and can be asked for again", async () => {
    await writeFile(join(stateDir, "file"), "");
    const directory = createStateDirectory({ stateDir: join(stateDir, "file"), applicationId: "app", clock, logger });
    await expect(directory.acquire("0_0")).rejects.toMatchObject({
      code: "EOS_STATE_DIRECTORY_IO",
      severity: "retriable",
    });
    await rm(join(stateDir, "file"));
    await (await directory.acquire("0_0")).release();
  });
});

describe("the upkeep of a state directory", () => {
  it("removes what nobody has used for the delay, when the delay has passed since the start", async () => {
    await leave("0_1", NOW - DELAY);
    await leave("0_2", NOW + DELAY - MINUTE);
    const task = await open().acquire("0_0");
    for (let minute = 1; minute < 10; minute++) {
      clock.advance(MINUTE);
      await upkeepToRest();
    }
    expect((await readdir(below())).toSorted()).toEqual([".locks", "0_0", "0_1", "0_2"]);
    clock.advance(MINUTE);
    await upkeepToRest();
    expect((await readdir(below())).toSorted()).toEqual([".locks", "0_0", "0_2"]);
    expect(info.mock.calls[0]).toMatchObject([{ taskId: "0_1" }, /removed the state/]);
    await task.release();
  });

  it("removes nothing that is held, here or elsewhere, however old it looks, and nothing that is not a task's", async () => {
    const stranger = await createStateDirectory({
      stateDir,
      applicationId: "app",
      clock: new ManualClock(NOW),
      logger,
    }).acquire("0_1");
    const task = await open().acquire("0_0");
    const old = (NOW - 100 * DELAY) / 1_000;
    await writeFile(below("notes.txt"), "");
    for (const name of ["mine", "0_x", ".deleted-mine", "00_3"]) await mkdir(below(name));
    for (const name of await readdir(below())) await utimes(below(name), old, old);
    const elsewhere = join(stateDir, "elsewhere");
    await mkdir(elsewhere);
    await utimes(elsewhere, old, old);
    await symlink(elsewhere, below("0_9"));
    const before = (await readdir(below())).toSorted();
    clock.advance(DELAY);
    await upkeepToRest();
    expect((await readdir(below())).toSorted()).toEqual(before);
    await stranger.release();
    await task.release();
  });

  it("counts the time from when a task was last here", async () => {
    const directory = open();
    const other = await directory.acquire("0_0");
    const task = await directory.acquire("0_1");
    for (let minute = 0; minute < 10; minute++) {
      clock.advance(MINUTE);
      await upkeepToRest();
    }
    await task.release();
    clock.advance(DELAY - 1);
    await upkeepToRest();
    expect(await readdir(below())).toContain("0_1");
    clock.advance(DELAY);
    await upkeepToRest();
    expect(await readdir(below())).not.toContain("0_1");
    await (await directory.acquire("0_1", { timeoutMs: 0 })).release();
    await other.release();
  });

  it("marks a held task as used every minute, so that it is not idle after a crash", async () => {
    const task = await open().acquire("0_0");
    clock.advance(MINUTE);
    await upkeepToRest();
    expect((await stat(task.path)).mtimeMs).toBe(NOW + MINUTE);
    await task.release();
  });

  it("finishes removals that a crash has interrupted, and goes on when one fails", async () => {
    const leftover = ".deleted-5f0f4d0e-0000-4000-8000-000000000000";
    await mkdir(below(leftover, "counts"), { recursive: true });
    await mkdir(below("0_0", leftover, "0001"), { recursive: true });
    const task = await open().acquire("0_0");
    expect(await readdir(below("0_0"))).toEqual([]);
    clock.advance(DELAY);
    await upkeepToRest();
    expect(await readdir(below())).not.toContain(leftover);

    await rm(below(), { recursive: true });
    clock.advance(DELAY);
    await upkeepToRest();
    expect(warn.mock.calls.at(-1)?.[1]).toMatch(/the upkeep of the state directory failed/);
    await task.release();
  });
});

describe("cleanUp", () => {
  it("removes the state of all tasks and nothing else", async () => {
    await leave("0_0", NOW);
    await leave("1_3", NOW);
    await writeFile(below("notes.txt"), "");
    const directory = open();
    await directory.cleanUp();
    expect((await readdir(below())).toSorted()).toEqual([".locks", "notes.txt"]);
    await (await directory.acquire("0_0", { timeoutMs: 0 })).release();
    await directory.cleanUp();
    await open("new").cleanUp();
  });

  it("removes nothing while a task is held, by this processor or another", async () => {
    await leave("0_0", NOW);
    const directory = open();
    for (const owner of [directory, open()]) {
      const task = await owner.acquire("0_1");
      const failure = directory.cleanUp();
      await expect(failure).rejects.toThrow(StateDirectoryInUseError);
      await expect(failure).rejects.toMatchObject({ code: "EOS_STATE_DIRECTORY_IN_USE", taskIds: ["0_1"] });
      // Its lock comes before its folder.
      await rm(task.path, { recursive: true });
      await expect(directory.cleanUp()).rejects.toThrow(/cleaned up: 0_1 in use; nothing was removed/);
      expect(await readdir(below("0_0", "counts"))).toEqual(["CURRENT"]);
      await task.release();
    }
    await directory.cleanUp();
    expect(await readdir(below())).toEqual([".locks"]);
  });
});
