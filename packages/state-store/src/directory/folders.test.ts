import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { removeFolder, removeLeftovers } from "./folders.ts";

vi.mock(import("node:fs/promises"), async (original) => {
  const actual = await original();
  return { ...actual, rm: vi.fn(actual.rm) };
});

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "eos-folders-"));
  await mkdir(join(parent, "counts"));
  for (const file of ["CURRENT", "LOCK"]) await writeFile(join(parent, "counts", file), "x");
});

afterEach(() => rm(parent, { recursive: true, force: true }));

describe("removing a folder", () => {
  it("takes its name away before anything in it, so that a crash in the middle leaves nothing that opens", async () => {
    vi.mocked(rm).mockRejectedValueOnce(new Error("killed"));
    await expect(removeFolder(parent, "counts")).rejects.toThrow("killed");
    const [left, ...others] = await readdir(parent);
    expect(others).toEqual([]);
    expect(left).toMatch(/^\.deleted-/);
    expect(await readdir(join(parent, left ?? ""))).toEqual(["CURRENT", "LOCK"]);
    await removeLeftovers(parent);
    expect(await readdir(parent)).toEqual([]);
  });

  it("does nothing when there is none", async () => {
    await removeFolder(parent, "other");
    expect(await readdir(parent)).toEqual(["counts"]);
  });
});
