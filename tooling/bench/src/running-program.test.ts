import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningProgram } from "./running-program.ts";

describe("RunningProgram", () => {
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "eos-bench-test-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("does not read a line that is still being written", async () => {
    const output = `process.stdout.write(${JSON.stringify('begun\n{"whole":1}\n{"half":')})`;
    const program = new RunningProgram(
      "node",
      { command: process.execPath, args: ["-e", output] },
      join(folder, "log"),
    );
    await program.finished();
    expect(program.allJson()).toEqual([{ whole: 1 }]);
    expect(program.hasPrinted("begun")).toBe(true);
    expect(program.hasPrinted('{"half":')).toBe(false);
  });
});
