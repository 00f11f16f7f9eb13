import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, silentLogger, systemClock } from "@eos/core";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commit, describeEngine, drain, write } from "../../test/engine-suite.ts";
import { openLevelEngine } from "./level-engine.ts";
import type { StoreEngine } from "./store-engine.ts";

const surroundings = { logger: silentLogger, clock: systemClock };

describeEngine("a store on LevelDB", async () => {
  const parent = await mkdtemp(join(tmpdir(), "eos-engine-"));
  let generation = 0;
  const folderNow = (): string => join(parent, String(generation));
  const subject = {
    engine: await openLevelEngine({ ...surroundings, folder: folderNow() }),
    async reopen() {
      await subject.engine.close();
      subject.engine = await openLevelEngine({ ...surroundings, folder: folderNow() });
    },
    async kill() {
      const killed = subject.engine;
      const left = folderNow();
      generation++;
      await copyFiles(left, folderNow());
      await killed.close();
      subject.engine = await openLevelEngine({ ...surroundings, folder: folderNow() });
    },
    async restoreSnapshot() {
      const source = subject.engine;
      generation++;
      await source.snapshot(folderNow());
      await source.close();
      subject.engine = await openLevelEngine({ ...surroundings, folder: folderNow() });
    },
    async dispose() {
      await subject.engine.close();
      await rm(parent, { recursive: true });
    },
  };
  return subject;
});

describe("a store on LevelDB", () => {
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "eos-engine-"));
    folder = join(parent, "store");
  });
  afterEach(() => rm(parent, { recursive: true }));

  const open = (options: { readonly clock?: Clock; readonly writeBufferBytes?: number } = {}): Promise<StoreEngine> =>
    openLevelEngine({ ...surroundings, ...options, folder });

  it("keeps the keys of at most ten thousand commits", async () => {
    const engine = await open();
    for (let n = 0; n < 10_050; n++) await commit(engine, [write("\x01a", String(n))]);
    expect(await commitKeys(join(parent, "copy"), folder)).toBe(50);
    await engine.close();
    expect(await commitKeys(join(parent, "copy"), folder)).toBe(0);
    const reopened = await open();
    expect(reopened.commitNumber).toBe(10_050);
    await reopened.close();
  }, 30_000);

  it("goes on with the numbers of commits after a crash behind a checkpoint", async () => {
    const first = await open();
    await commit(first, [write("\x01a", "1")]);
    await first.close();
    const second = await open();
    await commit(second, [write("\x01a", "2")]);
    await copyFiles(folder, join(parent, "copy"));
    await second.close();
    const copy = await openLevelEngine({ ...surroundings, folder: join(parent, "copy") });
    expect(copy.commitNumber).toBe(2);
    expect(copy.position).toMatchObject({ changelogOffset: 1, streamTime: 1 });
    await copy.close();
  });

  it("is not opened twice by one process, and stays locked for others when that was tried", async () => {
    const engine = await open();
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_LOCKED", folder });
    await engine.close();
    await (await open()).close();
  });

  it("takes a snapshot while batches are written and tables compacted", async () => {
    const engine = await open({ writeBufferBytes: 64 * 1024 });
    const value = "v".repeat(1_000);
    let isDone = false;
    const writing = (async () => {
      for (let n = 0; !isDone; n++) {
        await commit(
          engine,
          Array.from({ length: 20 }, (_, i) => write(`\x01${(n * 20 + i) % 1_000}`, value + n)),
        );
      }
    })();
    for (let i = 0; i < 5; i++) {
      const snapshot = join(parent, `snapshot-${i}`);
      await engine.snapshot(snapshot);
      const copy = await openLevelEngine({ ...surroundings, folder: snapshot });
      // Each commit n wrote its own number into twenty keys: the last one is whole, and none is newer.
      const numbers = (await drain(copy.iterate({}, "forward"))).map(({ value: v }) =>
        Number(v.bytes().subarray(1_000)),
      );
      expect(Math.max(-1, ...numbers)).toBe(copy.commitNumber - 1);
      expect(numbers.filter((n) => n === copy.commitNumber - 1)).toHaveLength(copy.commitNumber === 0 ? 0 : 20);
      await copy.close();
    }
    isDone = true;
    await writing;
    await engine.close();
  }, 30_000);

  it("tries a snapshot again when a table went away, and gives up in the end", async () => {
    const engine = await open({ writeBufferBytes: 64 * 1024 });
    for (let n = 0; n < 10; n++) await commit(engine, [write("\x01a", "v".repeat(20_000))]);
    const [table] = (await readdir(folder)).filter((name) => name.endsWith(".ldb")) as [string];
    await rm(join(folder, table));
    await expect(engine.snapshot(join(parent, "snapshot"))).rejects.toMatchObject({
      code: "EOS_STORE_CORRUPT",
      reason: "its files were not whole in any of 20 attempts to copy them",
    });
    expect(await readdir(parent)).toEqual(["store"]);
    await engine.close();
  });

  it("a snapshot has its name only once it is whole, and replaces what a crash left of one", async () => {
    const engine = await open();
    await commit(engine, [write("\x01a", "1")]);
    await cp(folder, join(parent, "snapshot.partial"), { recursive: true, filter: isNoLock });
    await rm(join(parent, "snapshot.partial", "CURRENT"));
    await engine.snapshot(join(parent, "snapshot"));
    await engine.close();
    expect((await readdir(parent)).toSorted()).toEqual(["snapshot", "store"]);
    const copy = await openLevelEngine({ ...surroundings, folder: join(parent, "snapshot") });
    expect(copy.commitNumber).toBe(1);
    await copy.close();
  });

  it("does not copy over a folder that has something in it", async () => {
    const engine = await open();
    await engine.snapshot(join(parent, "snapshot"));
    await expect(engine.snapshot(join(parent, "snapshot"))).rejects.toMatchObject({ code: "EOS_STORE_IO" });
    await engine.close();
  });

  it("estimates the number of entries from their size", async () => {
    const engine = await open({ writeBufferBytes: 64 * 1024 });
    for (let n = 0; n < 20; n++) {
      await commit(
        engine,
        Array.from({ length: 1_000 }, (_, i) => write(`\x01${n * 1_000 + i}`, "v".repeat(50))),
      );
    }
    expect(await engine.approximateBytes()).toBeGreaterThan(20_000 * 50);
    const entries = await engine.approximateNumEntries();
    expect(entries).toBeGreaterThan(10_000);
    expect(entries).toBeLessThan(40_000);
    await engine.close();
  });
});

function isNoLock(path: string): boolean {
  // To close a file of that name would end the lock: POSIX knows processes, not handles.
  return !path.endsWith("LOCK");
}

async function copyFiles(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: isNoLock });
}

async function commitKeys(copy: string, folder: string): Promise<number> {
  await copyFiles(folder, copy);
  const db = new Level<Buffer, Buffer>(copy, { keyEncoding: "buffer", valueEncoding: "buffer" });
  const keys = await db.keys({ gte: Buffer.from("\0commit/"), lt: Buffer.from("\0commit0") }).all();
  await db.close();
  await rm(copy, { recursive: true });
  return keys.length;
}
