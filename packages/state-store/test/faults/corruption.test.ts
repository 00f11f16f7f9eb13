import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@eos/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Arena } from "../../src/bytes/arena.ts";
import { NEVER } from "../../src/bytes/stored-value.ts";
import { openLevelEngine } from "../../src/engine/level-engine.ts";
import { Random } from "@tooling/faults";
import { COMMITS, copyOpenFolder, judge, openStore, type Outcome, stateFiles, StoreImages } from "./store-images.ts";
import { SMALL_BUFFER_BYTES } from "./store-writer.ts";

const FLIPS = 50;

describe("a store whose files were changed while it was closed", () => {
  /** Most of it in tables, the last commits in the log. */
  let images: StoreImages;
  /** All behind a clean stop in the log, which has many blocks. */
  let logImages: StoreImages;
  beforeAll(async () => {
    images = await StoreImages.create(SMALL_BUFFER_BYTES);
    logImages = await StoreImages.create(4 * 1024 * 1024);
  });
  afterAll(async () => {
    await images[Symbol.asyncDispose]();
    await logImages[Symbol.asyncDispose]();
  });

  it("is what it was when they were not, after kill -9 too", async () => {
    // How many there are is up to compaction, which may have merged all of them.
    expect((await stateFiles(await images.copy(), "table")).length).toBeGreaterThan(0);
    for (const origin of [images, logImages]) {
      expect(await judge(await origin.copy())).toEqual({ outcome: "unchanged", detail: `commit ${COMMITS}` });
    }
  });

  it("is corrupt when CURRENT is gone, which LevelDB takes for an empty store", async () => {
    const folder = await images.copy();
    await rm(join(folder, "CURRENT"));
    expect(await judge(folder)).toEqual({ outcome: "detected", detail: "CURRENT is missing" });
  });

  it.for(["garbage", "", "MANIFEST-000001", "../MANIFEST-000001\n"])(
    "is corrupt when CURRENT says %j",
    async (text) => {
      const folder = await images.copy();
      await writeFile(join(folder, "CURRENT"), text);
      expect(await judge(folder)).toEqual({ outcome: "detected", detail: "CURRENT does not name a MANIFEST" });
    },
  );

  it("is corrupt when CURRENT names another MANIFEST", async () => {
    const folder = await images.copy();
    await writeFile(join(folder, "CURRENT"), "MANIFEST-000001\n");
    expect(await judge(folder)).toEqual({ outcome: "detected", detail: "MANIFEST-000001 is missing" });
  });

  it("is never wrong when the MANIFEST is cut off, wherever that is", async () => {
    const outcomes: Outcome[] = [];
    const [manifest] = (await stateFiles(await images.copy(), "manifest")) as [string];
    const { length } = await readFile(join(await images.copy(), manifest));
    for (let i = 0; i < 24; i++) {
      const folder = await images.copy();
      await truncate(join(folder, manifest), Math.floor((length * i) / 24));
      outcomes.push((await judge(folder)).outcome);
    }
    expect(outcomes).not.toContain("wrong");
    expect(outcomes).toContain("detected");
  });

  it("is corrupt when a bit of the MANIFEST has changed", async () => {
    const folder = await images.copy();
    const [manifest] = (await stateFiles(folder, "manifest")) as [string];
    await flip(join(folder, manifest), () => 20);
    expect(await judge(folder)).toEqual({ outcome: "detected", detail: `${manifest}: a checksum in it is wrong` });
  });

  it("is corrupt when a table is gone", async () => {
    const folder = await images.copy();
    const [table] = (await stateFiles(folder, "table")) as [string];
    await rm(join(folder, table));
    expect(await judge(folder)).toEqual({ outcome: "detected", detail: `${table} is missing` });
  });

  it("is corrupt when a table is cut off", async () => {
    const folder = await images.copy();
    const [table] = (await stateFiles(folder, "table")) as [string];
    const { length } = await readFile(join(folder, table));
    await truncate(join(folder, table), length - 1);
    expect(await judge(folder)).toEqual({
      outcome: "detected",
      detail: `${table} has ${length - 1} bytes, not ${length}`,
    });
  });

  it("is corrupt when a bit of a table has changed, be it of a value, the filter, the index or the end", async () => {
    for (const part of [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99]) {
      const folder = await images.copy();
      const [table] = (await stateFiles(folder, "table")) as [string];
      await flip(join(folder, table), (length) => Math.floor(length * part));
      const { outcome, detail } = await judge(folder);
      expect(detail).toContain(table);
      expect(outcome).toBe("detected");
    }
  });

  it("is corrupt when a bit of the log has changed, with writes behind it that are sound", async () => {
    const folder = await logImages.copy();
    const [log] = (await stateFiles(folder, "log")) as [string];
    await flip(join(folder, log), (length) => Math.floor(length / 2));
    const detail = `${log}: writes in the middle of it are damaged`;
    expect(await judge(folder)).toEqual({ outcome: "detected", detail });
  });

  it("is as of an earlier commit when the log is cut off, wherever that is", async () => {
    const outcomes = new Set<Outcome>();
    for (let i = 0; i < 12; i++) {
      const folder = await logImages.copy();
      const [log] = (await stateFiles(folder, "log")) as [string];
      const { length } = await readFile(join(folder, log));
      await truncate(join(folder, log), Math.floor((length * i) / 12));
      outcomes.add((await judge(folder)).outcome);
    }
    expect(outcomes).toEqual(new Set(["older"]));
  });

  it("is corrupt when the log is gone", async () => {
    const folder = await images.copy();
    for (const log of await stateFiles(folder, "log")) await rm(join(folder, log));
    expect((await judge(folder)).detail).toMatch(/^the log \d+ that MANIFEST-\d+ names is missing$/);
  });

  it("is corrupt when the damaged part of the log is of a range delete, which no commit counts", async () => {
    const parent = await mkdtemp(join(tmpdir(), "eos-faults-"));
    const [folder, copy] = [join(parent, "store"), join(parent, "copy")];
    const engine = await openLevelEngine({ folder, logger: silentLogger, clock: systemClock });
    const keys = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`\x01${String(i).padStart(60, "k")}`));
    const commitOf = async (written: readonly Buffer[], changelogOffset: number): Promise<void> => {
      const batch = engine.batch();
      const arena = new Arena();
      for (const key of written) batch.put(arena.write(key, key.length, "v", 1, NEVER));
      await batch.write({ changelogOffset, streamTime: 1 });
    };
    await commitOf(keys, 1);
    await engine.clear({});
    await commitOf(keys.slice(0, 1), 2);
    await copyOpenFolder(folder, copy);
    await engine.close();

    // The deletes take the last third of the log or so, in many writes.
    const [log] = (await stateFiles(copy, "log")) as [string];
    await flip(join(copy, log), (length) => Math.floor(length * 0.8));
    await expect(openStore(copy)).rejects.toMatchObject({
      code: "EOS_STORE_CORRUPT",
      reason: `${log}: writes in the middle of it are damaged`,
    });
    await rm(parent, { recursive: true });
  });

  it(`is never wrong after any of ${FLIPS} flipped bits`, async () => {
    const random = new Random();
    const counts: Record<Outcome, number> = { detected: 0, unchanged: 0, older: 0, wrong: 0 };
    const wrong: string[] = [];
    for (let i = 0; i < FLIPS; i++) {
      const folder = await (i % 2 === 0 ? images : logImages).copy();
      const name = random.of(await stateFiles(folder));
      const at = await flip(join(folder, name), (length) => random.below(length), 1 << random.below(8));
      const { outcome, detail } = await judge(folder);
      counts[outcome]++;
      if (outcome === "wrong") wrong.push(`${name}@${at}: ${detail}`);
    }
    console.log(`flips: EOS_SEED=${random.seed} ${JSON.stringify(counts)}`);
    expect(wrong).toEqual([]);
    expect(counts.detected).toBeGreaterThan(0);
  });
});

async function flip(path: string, where: (length: number) => number, mask = 0x10): Promise<number> {
  const bytes = await readFile(path);
  const at = where(bytes.length);
  bytes[at]! ^= mask;
  await writeFile(path, bytes);
  return at;
}
