import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commitOf, differences, writeCommits } from "./reference.ts";
import { openStore } from "./store-images.ts";
import { StoreWriter } from "./store-writer.ts";

const COMMITS = { beforeStop: 20, inAll: 200 };
const locked = expect.objectContaining({ code: "EOS_STORE_LOCKED", severity: "retriable" });

describe("two processes on one folder", () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "eos-faults-"));
    folder = join(parent, "store");
  });
  afterEach(() => rm(parent, { recursive: true }));

  it("the second is told that it is locked, and gets it once the first was killed", async () => {
    await using writer = new StoreWriter(folder, COMMITS);
    await writer.reached(COMMITS.inAll);
    await expect(openStore(folder)).rejects.toEqual(locked);
    await expect(openStore(folder)).rejects.toEqual(locked);
    await writer.kill();
    const engine = await openStore(folder);
    expect(commitOf(engine)).toBe(COMMITS.inAll);
    expect(await differences(engine)).toEqual([]);
    await engine.close();
  });

  it("what the first is writing is not taken for damage, after which its folder would be wiped", async () => {
    await using writer = new StoreWriter(folder, COMMITS);
    await writer.reached(COMMITS.inAll);
    const current = join(folder, "CURRENT");
    const text = await readFile(current);
    await writeFile(current, "half");
    await expect(openStore(folder)).rejects.toEqual(locked);
    await writer.kill();
    await expect(openStore(folder)).rejects.toMatchObject({ code: "EOS_STORE_CORRUPT" });
    await writeFile(current, text);
    const engine = await openStore(folder);
    expect(await differences(engine)).toEqual([]);
    await engine.close();
  });

  it("a second attempt within the first process leaves the lock in place", async () => {
    const engine = await openStore(folder);
    await expect(openStore(folder)).rejects.toEqual(locked);
    await using writer = new StoreWriter(folder, COMMITS);
    await expect(writer.reached(1)).rejects.toThrow("the store writer ended behind commit 0");
    await writeCommits(engine, 10);
    expect(await differences(engine)).toEqual([]);
    await engine.close();
  });
});
