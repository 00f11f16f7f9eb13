import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClassicLevel } from "classic-level";
import { Level } from "level";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LiveFiles, readLiveFiles, verifyLiveFiles } from "./live-files.ts";
import { readManifest } from "./manifest.ts";
import { verifyTable } from "./table-format.ts";

const FOOTER_BYTES = 48;
const MAGIC_BYTES = 8;

describe("the files of a LevelDB", () => {
  let folder: string;
  let files: LiveFiles;
  let table: Buffer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "eos-leveldb-"));
    const db = new Level(folder, { compression: false, blockSize: 512 }) as unknown as ClassicLevel;
    for (let i = 0; i < 40; i++) await db.put(`key-${i}`, "v".repeat(50));
    // Three tables, then a few writes in the log.
    for (let i = 0; i < 3; i++) {
      await db.put(`key-${i}`, "again");
      await db.compactRange("~", "~");
    }
    await db.put("last", "value");
    await db.close();
    files = (await readLiveFiles(folder)) as LiveFiles;
    table = await readFile(join(folder, files.tables[0]!.name));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("are read from its MANIFEST, and are sound", async () => {
    expect(files.tables.length).toBeGreaterThan(1);
    expect(files.logs.length).toBe(1);
    expect(files.manifest.lastSequence).toBeGreaterThan(40);
    await expect(verifyLiveFiles(folder, files)).resolves.toBeUndefined();
  });

  it("a table is refused after a change of any of its bytes but the padding", () => {
    const accepted: number[] = [];
    for (let at = 0; at < table.length; at++) {
      const changed = Buffer.from(table);
      changed[at]! ^= 0x04;
      if (isSound(() => verifyTable(changed))) accepted.push(at);
    }
    // Between the two handles and the magic number there is nothing.
    const padding = accepted.filter((at) => at < table.length - FOOTER_BYTES + 4 || at >= table.length - MAGIC_BYTES);
    expect(padding).toEqual([]);
  });

  it("a table is refused when it is cut off, or its blocks are not all of it", () => {
    for (let length = 0; length < table.length; length += 7) {
      expect(isSound(() => verifyTable(table.subarray(0, length)))).toBe(false);
    }
    expect(isSound(() => verifyTable(Buffer.concat([Buffer.alloc(16), table])))).toBe(false);
    const middle = table.length - FOOTER_BYTES;
    const stuffed = Buffer.concat([table.subarray(0, middle), Buffer.alloc(16), table.subarray(middle)]);
    expect(isSound(() => verifyTable(stuffed))).toBe(false);
  });

  it("a MANIFEST with any byte changed is refused, or ends there as one that a crash cut off does", () => {
    const whole = readManifest(files.manifestBytes);
    for (let at = 0; at < files.manifestBytes.length; at++) {
      const changed = Buffer.from(files.manifestBytes);
      changed[at]! ^= 0x40;
      if (!isSound(() => readManifest(changed))) continue;
      expect(readManifest(changed).lastSequence).toBeLessThan(whole.lastSequence);
    }
  });

  it("lack a log when the MANIFEST is an older one than the rest", async () => {
    const [log] = files.logs as [string];
    const text = await readFile(join(folder, log));
    await rm(join(folder, log));
    await expect(readLiveFiles(folder)).rejects.toThrow(/^the log \d+ that MANIFEST-\d+ names is missing$/);
    await writeFile(join(folder, log), text);
  });

  it("are none in an empty folder", async () => {
    const empty = await mkdtemp(join(tmpdir(), "eos-leveldb-"));
    expect(await readLiveFiles(empty)).toBeUndefined();
    await rm(empty, { recursive: true });
  });
});

function isSound(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
