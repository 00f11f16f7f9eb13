import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { silentLogger, systemClock } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TaskDirectoryLockedError } from "./directory-errors.ts";
import { createStateDirectory, type StateDirectory } from "./state-directory.ts";
import { tryLock } from "./task-lock.ts";

/** Another process that holds a task until its stdin ends; it says `held`, or the code of the error. */
const HOLDER = `
  import { silentLogger, systemClock } from "@eos/core";
  import { createStateDirectory } from ${JSON.stringify(new URL("./state-directory.ts", import.meta.url).href)};
  const [stateDir, timeoutMs] = process.argv.slice(1);
  const directory = createStateDirectory({ stateDir, applicationId: "app", clock: systemClock, logger: silentLogger });
  try {
    const task = await directory.acquire("0_0", { timeoutMs: Number(timeoutMs) });
    console.log("held");
    for await (const _ of process.stdin);
    await task.release();
  } catch (error) {
    console.log(error.code);
  }
`;

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

let stateDir: string;
let children: ChildProcess[];

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "eos-lock-"));
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  await rm(stateDir, { recursive: true, force: true });
});

async function startHolder(timeoutMs = 0): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const child = spawn(
    process.execPath,
    ["--conditions=@eos/source", "--import", "tsx", "--input-type=module", "-e", HOLDER, stateDir, String(timeoutMs)],
    { cwd: PACKAGE, stdio: ["pipe", "pipe", "inherit"] },
  );
  children.push(child);
  const [said] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, said };
}

function open(logger = silentLogger): StateDirectory {
  return createStateDirectory({ stateDir, applicationId: "app", clock: systemClock, logger });
}

describe("the lock of a task's directory", { timeout: 30_000 }, () => {
  it("is kept from others by a process that has it, also while it is frozen, and goes to who waits when it lets go", async () => {
    const { child, said } = await startHolder();
    expect(said).toBe("held");
    const directory = open();
    await expect(directory.acquire("0_0", { timeoutMs: 0 })).rejects.toThrow(TaskDirectoryLockedError);
    const other = await directory.acquire("0_1", { timeoutMs: 0 });
    await other.release();

    child.kill("SIGSTOP");
    await expect(directory.acquire("0_0", { timeoutMs: 300 })).rejects.toMatchObject({
      code: "EOS_TASK_DIRECTORY_LOCKED",
      severity: "retriable",
      taskId: "0_0",
    });
    const waiting = directory.acquire("0_0");
    child.kill("SIGCONT");
    child.stdin?.end();
    const task = await waiting;
    await task.release();
  });

  it("is free at once when its process was killed, and for the next process of any id", async () => {
    const { child } = await startHolder();
    const directory = open();
    const waiting = directory.acquire("0_0");
    await expect(directory.acquire("0_0", { timeoutMs: 100 })).rejects.toThrow(TaskDirectoryLockedError);
    child.kill("SIGKILL");
    const task = await waiting;
    const second = await startHolder();
    expect(second.said).toBe("EOS_TASK_DIRECTORY_LOCKED");
    await task.release();
    const third = await startHolder();
    expect(third.said).toBe("held");
  });

  it("is free when its process was killed while it was frozen", async () => {
    const { child } = await startHolder();
    child.kill("SIGSTOP");
    const waiting = open().acquire("0_0");
    child.kill("SIGKILL");
    const task = await waiting;
    await task.release();
  });

  it("survives that another processor of this process asks for it", async () => {
    const task = await open().acquire("0_0");
    const stranger = open();
    await expect(stranger.acquire("0_0", { timeoutMs: 0 })).rejects.toThrow(TaskDirectoryLockedError);
    // An attempt of LevelDB's own would have closed a descriptor of the file, and with it the lock.
    const { said } = await startHolder();
    expect(said).toBe("EOS_TASK_DIRECTORY_LOCKED");
    await task.release();
    await (await stranger.acquire("0_0", { timeoutMs: 0 })).release();
  });

  it("is the same by whatever name its folder is called", async () => {
    const link = `${stateDir}-link`;
    await symlink(stateDir, link);
    try {
      const task = await open().acquire("0_0");
      const byLink = createStateDirectory({
        stateDir: link,
        applicationId: "app",
        clock: systemClock,
        logger: silentLogger,
      });
      await expect(byLink.acquire("0_0", { timeoutMs: 0 })).rejects.toThrow(TaskDirectoryLockedError);
      await task.release();
    } finally {
      await rm(link);
    }
  });

  it("is waited for with a warning after five seconds", async () => {
    const owner = await open().acquire("0_0");
    const warn = vi.fn();
    let ms = 0;
    const clock = {
      ...systemClock,
      monotonicMs: () => ms,
      sleep: async (sleepMs: number, signal?: AbortSignal) => {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        ms += sleepMs;
      },
    };
    const logger = { ...silentLogger, warn };
    const stranger = createStateDirectory({ stateDir, applicationId: "app", clock, logger });
    await expect(stranger.acquire("0_0", { timeoutMs: 4_900 })).rejects.toThrow(/still held elsewhere after 4900 ms/);
    expect(warn).not.toHaveBeenCalled();
    await expect(stranger.acquire("0_0", { timeoutMs: 60_000 })).rejects.toThrow(TaskDirectoryLockedError);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatchObject({ taskId: "0_0", waitedMs: 5_000 });
    await owner.release();
  });

  it("is not waited for any longer when the signal fires", async () => {
    const owner = await open().acquire("0_0");
    const controller = new AbortController();
    const waiting = open().acquire("0_0", { signal: controller.signal });
    const reason = new Error("the task has gone");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await owner.release();
    await expect(open().acquire("0_0", { signal: controller.signal })).rejects.toBe(reason);
  });

  it("is let go again when the signal fires while it is being taken", async () => {
    const controller = new AbortController();
    const directory = open();
    const taking = directory.acquire("0_0", { signal: controller.signal });
    controller.abort(new Error("too late"));
    await expect(taking).rejects.toThrow("too late");
    await (await open().acquire("0_0", { timeoutMs: 1_000 })).release();
  });

  it("is taken for a second store when the signal of the first fires while it is being taken for both", async () => {
    const controller = new AbortController();
    const directory = open();
    const first = directory.acquire("0_0", { signal: controller.signal });
    const second = directory.acquire("0_0");
    controller.abort(new Error("too late"));
    await expect(first).rejects.toThrow("too late");
    const task = await second;
    await expect(open().acquire("0_0", { timeoutMs: 200 })).rejects.toThrow(TaskDirectoryLockedError);
    await task.release();
    await (await open().acquire("0_0", { timeoutMs: 1_000 })).release();
  });

  it("does not mind what a crash of the machine has left in its folder, but never removes the locked file", async () => {
    const folder = join(await realpath(stateDir), "lock");
    await (await tryLock(folder))?.release();
    const damaged = (await readdir(folder)).filter((name) => name !== "LOCK");
    expect(damaged).toContain("CURRENT");
    for (const name of damaged) await writeFile(join(folder, name), "garbage");
    await writeFile(join(folder, "LOCK"), "the same file");
    const lock = await tryLock(folder);
    expect(lock).not.toBeNull();
    await lock?.release();
    expect(await readFile(join(folder, "LOCK"), "latin1")).toBe("the same file");
  });

  it("cannot be had where nothing can be written, which is told with its cause, and can once that is mended", async () => {
    const folder = join(stateDir, "file", "lock");
    await writeFile(join(stateDir, "file"), "");
    const failure = { code: "EOS_STATE_DIRECTORY_IO", severity: "retriable", cause: { code: "ENOTDIR" } };
    await expect(tryLock(folder)).rejects.toMatchObject(failure);
    await rm(join(stateDir, "file"));
    const lock = await tryLock(folder);
    expect(lock).not.toBeNull();
    await lock?.release();
  });
});
