import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Program } from "./program.ts";

/** With a child that writes to the same streams: as long as either runs, these are open, and it has not ended. */
const WAITING = `
import { spawn } from "node:child_process";
spawn(process.execPath, ["-e", "console.log('child'); setInterval(() => {}, 1000)"], { stdio: "inherit" });
setInterval(() => {}, 1000);
process.on("SIGTERM", () => console.log("told to end"));
`;
const ENDING = `
console.log(process.argv[2], process.env.COLOUR);
console.error("to stderr");
process.exitCode = 3;
`;

describe("Program", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "app-cli-"));
    writeFileSync(join(folder, "waiting.mjs"), WAITING);
    writeFileSync(join(folder, "ending.mjs"), ENDING);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const script = (name: string): URL => pathToFileURL(join(folder, `${name}.mjs`));

  it("is given arguments and variables, and tells how it ended", async () => {
    await using program = new Program(script("ending"), ["apples"], { COLOUR: "green" });
    expect(await program.ended).toEqual({
      exitCode: 3,
      signal: null,
      stdout: "apples green\n",
      stderr: "to stderr\n",
    });
  });

  it("keeps what it printed on one stream apart from the other, also after its end", async () => {
    await using program = new Program(script("ending"), ["apples"]);
    await program.prints("to stderr", "stderr");
    await program.prints("apples");
    await expect(program.prints("to stderr")).rejects.toThrow("it ended without printing to stderr:\napples");
    await expect(program.prints("apples", "stderr")).rejects.toThrow("it ended without printing apples");
  });

  it("can be signalled alone, or with all that it has started", async () => {
    await using program = new Program(script("waiting"), []);
    await program.prints("child");
    program.signal("SIGTERM");
    await program.prints("told to end");
    program.signalGroup("SIGINT");
    expect(await program.ended).toMatchObject({ exitCode: null, signal: "SIGINT" });
  });

  it("leaves nothing running when it is disposed of", async () => {
    const program = new Program(script("waiting"), []);
    await program.prints("child");
    await program[Symbol.asyncDispose]();
    expect(await program.ended).toMatchObject({ exitCode: null, signal: "SIGKILL" });
  });
});
