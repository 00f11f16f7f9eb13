import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Program } from "./program.ts";

const SCRIPT = `
import { requestShutdown, shutdownRequested, shutdownSignal } from ${JSON.stringify(new URL("shutdown-signal.ts", import.meta.url).href)};
const keepAlive = setInterval(() => {}, 1000);
console.log("aborted:", shutdownSignal.aborted);
if (process.argv[2] === "by-itself") requestShutdown();
await shutdownRequested;
console.log("aborted:", shutdownSignal.aborted);
clearInterval(keepAlive);
`;

// In a process of its own: imported here, it would keep Ctrl-C from the test run.
describe("shutdownSignal", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "app-cli-"));
    writeFileSync(join(folder, "waiting.mjs"), SCRIPT);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "is aborted by %s, which does not end the process",
    async (name) => {
      await using program = new Program(pathToFileURL(join(folder, "waiting.mjs")), []);
      await program.prints("aborted: false");
      program.signal(name);
      expect(await program.ended).toEqual({
        exitCode: 0,
        signal: null,
        stdout: "aborted: false\naborted: true\n",
        stderr: "",
      });
    },
  );

  it("is aborted when the program asks for it", async () => {
    await using program = new Program(pathToFileURL(join(folder, "waiting.mjs")), ["by-itself"]);
    expect(await program.ended).toMatchObject({ exitCode: 0, stdout: "aborted: false\naborted: true\n", stderr: "" });
  });
});
