import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@eos/core";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commit, write } from "../../test/engine-suite.ts";
import { openLevelEngine } from "./level-engine.ts";
import type { StoreEngine } from "./store-engine.ts";
import { CHECKPOINT_KEY, commitKey, encodeNumbers, FORMAT_KEY, POSITION_KEY } from "./store-metadata.ts";

/** The files are sound, for LevelDB writes them: what lies in them is not. */
describe("a store whose files are sound, but not what it wrote", () => {
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "eos-engine-"));
    folder = join(parent, "store");
    const origin = join(parent, "origin");
    const engine = await openLevelEngine({ folder: origin, logger: silentLogger, clock: systemClock });
    for (let n = 1; n <= 5; n++) await commit(engine, [write("\x01a", `a${n}`), write("\x01b", `b${n}`)]);
    // As kill -9 leaves it: a clean stop would remove the keys of the commits.
    await cp(origin, folder, { recursive: true, filter: (path) => !path.endsWith("LOCK") });
    await engine.close();
  });
  afterEach(() => rm(parent, { recursive: true }));

  const open = (): Promise<StoreEngine> => openLevelEngine({ folder, logger: silentLogger, clock: systemClock });

  async function change(edit: (db: Level<Buffer, Buffer>) => Promise<void>): Promise<void> {
    const db = new Level<Buffer, Buffer>(folder, { keyEncoding: "buffer", valueEncoding: "buffer" });
    await edit(db);
    await db.close();
  }

  it("is opened when nothing was changed", async () => {
    const engine = await open();
    expect(engine.commitNumber).toBe(5);
    await engine.close();
  });

  it("is corrupt when a commit in the middle is missing", async () => {
    await change((db) => db.del(commitKey(3)));
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason: "commit 4 follows commit 2" });
  });

  it("is corrupt when the first commit behind the checkpoint is missing", async () => {
    await change((db) => db.del(commitKey(1)));
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason: "commit 2 follows commit 0" });
  });

  it("is corrupt when its last commit is not that of its position", async () => {
    await change((db) => db.del(commitKey(5)));
    const reason = "its position is that of commit 5, and its last commit is 4";
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
  });

  it.for([
    ["position", POSITION_KEY],
    ["checkpoint", CHECKPOINT_KEY],
  ] as const)("is corrupt when a bit of its %s has changed, or it is gone", async ([, key]) => {
    const reason = "its position is not the one that was written";
    await change(async (db) => {
      const value = (await db.get(key))!;
      value[5]! ^= 1;
      await db.put(key, value);
    });
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
    await change((db) => db.del(key));
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
  });

  it("is corrupt, with both versions, when its format is another", async () => {
    await change((db) => db.put(FORMAT_KEY, encodeNumbers(FORMAT_KEY, 7)));
    const reason = "its format version is 7, and 1 is the one read here";
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
  });

  it("is corrupt when something else wrote the folder", async () => {
    await change((db) => db.clear());
    await change((db) => db.put(Buffer.from("foreign"), Buffer.from("data")));
    const reason = "it holds data, but no format version";
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
  });

  it("refuses a value that lies under another's key, in a get and in a scan", async () => {
    await change(async (db) => db.put(Buffer.from("\x01a"), (await db.get(Buffer.from("\x01b")))!));
    const engine = await open();
    expect(() => engine.get(Buffer.from("\x01a"))).toThrow(expect.objectContaining({ code: "EOS_STORE_CORRUPT" }));
    expect(engine.get(Buffer.from("\x01b"))?.bytes().toString()).toBe("b5");
    await expect(engine.iterate({}, "forward").next()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT" });
    await engine.close();
  });

  it("can be opened again after each refusal, once it is repaired", async () => {
    await change((db) => db.del(commitKey(3)));
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT" });
    await rm(folder, { recursive: true });
    const engine = await open();
    expect(engine.commitNumber).toBe(0);
    await engine.close();
  });
});
