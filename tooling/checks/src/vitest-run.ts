import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandOptions, runCommand } from "./command.ts";
import type { VitestReport } from "./test-counts.ts";
import { readIfPresent } from "./workspace.ts";

export interface VitestRun {
  readonly exitCode: number;
  readonly output: string;
  /** Absent when vitest ended before it had written one. */
  readonly report: VitestReport | undefined;
}

/** Runs vitest with `args` and reads its JSON report beside what it prints. */
export async function runVitest(args: readonly string[], options: CommandOptions = {}): Promise<VitestRun> {
  const folder = mkdtempSync(join(tmpdir(), "eos-vitest-"));
  try {
    const file = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { exitCode, output } = await runCommand("vitest", ["run", ...reporters, ...args], options);
    const text = readIfPresent(file);
    return { exitCode, output, report: text === undefined ? undefined : (JSON.parse(text) as VitestReport) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
