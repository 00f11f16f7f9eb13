import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commitOf, differences, writeCommits } from "./reference.ts";
import { canMountDisks, SmallDisk } from "./small-disk.ts";
import { openStore } from "./store-images.ts";

const ioError = expect.objectContaining({ code: "EOS_STORE_IO", severity: "retriable" });

describe.skipIf(!(await canMountDisks()))("a disk that refuses (skipped unless this user may mount one)", () => {
  it("a full one fails the commit and all that follow, also with space again, until the store is opened anew; nothing is lost", async () => {
    await using disk = await SmallDisk.mount(2);
    const folder = join(disk.folder, "store");
    const ballast = join(disk.folder, "ballast");
    await writeFile(ballast, Buffer.alloc(1_800 * 1024));
    const full = await openStore(folder);
    const failure: unknown = await writeCommits(full, 5_000).catch((error: unknown) => error);
    expect(failure).toEqual(ioError);
    const acknowledged = commitOf(full);
    expect(acknowledged).toBeGreaterThan(0);
    expect(acknowledged).toBeLessThan(5_000);

    await rm(ballast);
    // The same error: LevelDB was not asked again.
    await expect(writeCommits(full, 5_000)).rejects.toBe(failure);
    await expect(full.clear({})).rejects.toBe(failure);
    expect(commitOf(full)).toBe(acknowledged);
    await full.close();

    const reopened = await openStore(folder);
    expect(commitOf(reopened)).toBe(acknowledged);
    expect(await differences(reopened)).toEqual([]);
    await writeCommits(reopened, acknowledged + 50);
    expect(await differences(reopened)).toEqual([]);
    await reopened.close();
  });

  it("a full one fails a snapshot, and the store goes on", async () => {
    await using disk = await SmallDisk.mount(4);
    await using target = await SmallDisk.mount(1);
    const engine = await openStore(join(disk.folder, "store"));
    await writeCommits(engine, 600);
    await writeFile(join(target.folder, "ballast"), Buffer.alloc(900 * 1024));
    await expect(engine.snapshot(join(target.folder, "snapshot"))).rejects.toEqual(ioError);
    expect(await readdir(target.folder)).toEqual(["ballast"]);
    await writeCommits(engine, 650);
    expect(await differences(engine)).toEqual([]);
    await engine.close();
  });

  it("a read-only one fails the opening, of a store that is there and of a new one", async () => {
    await using disk = await SmallDisk.mount(4);
    const folder = join(disk.folder, "store");
    const engine = await openStore(folder);
    await writeCommits(engine, 10);
    await engine.close();
    await disk.makeReadOnly();
    await expect(openStore(folder)).rejects.toEqual(ioError);
    await expect(openStore(join(disk.folder, "new"))).rejects.toEqual(ioError);
  });
});
