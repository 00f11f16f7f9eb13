import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@eos/core";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commit, write } from "../../test/engine-suite.ts";
import { openLevelEngine } from "./level-engine.ts";
import type { StoreEngine } from "./store-engine.ts";
import { CHECKPOINT_KEY, commitKey, encodeNumbers, FORMAT_KEY, IDENTITY_KEY, POSITION_KEY } from "./store-metadata.ts";

const IDENTITY = "app-counts-changelog-0 key-value";

/** The files are sound, for LevelDB writes them: what lies in them is not. */
describe("a store whose files are sound, but not what it wrote", () => {
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "eos-engine-"));
    folder = join(parent, "store");
    const origin = join(parent, "origin");
    const engine = await openLevelEngine({
      folder: origin,
      identity: IDENTITY,
      logger: silentLogger,
      clock: systemClock,
    });
    for (let n = 1; n <= 5; n++) await commit(engine, [write("\x01a", `a${n}`), write("\x01b", `b${n}`)]);
    // As kill -9 leaves it: a clean stop would remove the keys of the commits.
    await cp(origin, folder, { recursive: true, filter: (path) => !path.endsWith("LOCK") });
    await engine.close();
  });
  afterEach(() => rm(parent, { recursive: true }));

  const open = (identity = IDENTITY): Promise<StoreEngine> =>
    openLevelEngine({ folder, identity, logger: silentLogger, clock: systemClock });

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

  it.each(["app-counts-changelog-1 key-value", "app-counts-changelog-0 window segment=60000 ms", ""])(
    "is corrupt, with both names, when it is another store than %j",
    async (other) => {
      const reason = `it is of "${IDENTITY}", not of "${other}"`;
      await expect(open(other)).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
    },
  );

  it("is opened by whoever does not say which store it is to be", async () => {
    const engine = await openLevelEngine({ folder, logger: silentLogger, clock: systemClock });
    expect(engine.commitNumber).toBe(5);
    await engine.close();
  });

  it("is what it was begun as, whoever has opened it since", async () => {
    const engine = await openLevelEngine({ folder, logger: silentLogger, clock: systemClock });
    await commit(engine, [write("\x01a", "a6")]);
    await engine.close();
    await expect(open("another")).rejects.toMatchObject({ reason: `it is of "${IDENTITY}", not of "another"` });
    const same = await open();
    expect(same.commitNumber).toBe(6);
    await same.close();
  });

  it("is corrupt when a bit of its identity has changed, or it is gone", async () => {
    const reason = "its identity is not the one that was written";
    await change(async (db) => {
      const value = (await db.get(IDENTITY_KEY))!;
      value[5]! ^= 1;
      await db.put(IDENTITY_KEY, value);
    });
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
    await change((db) => db.put(IDENTITY_KEY, Buffer.from("xyz")));
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
    await change((db) => db.del(IDENTITY_KEY));
    await expect(open()).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT", reason });
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
