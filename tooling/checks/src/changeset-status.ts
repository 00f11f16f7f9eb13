import { runCommand } from "./command.ts";
import type { StepResult } from "./step.ts";

/** Whether each changed package has a changeset. Without a main branch to compare with there is nothing to say. */
export async function changesetStatus(): Promise<StepResult> {
  const base = await firstBranch("origin/main", "main");
  if (base === undefined) return { passed: true, output: "" };
  const { exitCode, output } = await runCommand("changeset", ["status", `--since=${base}`]);
  return { passed: exitCode === 0, output };
}

async function firstBranch(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    const { exitCode } = await runCommand("git", ["rev-parse", "--verify", "--quiet", `${name}^{commit}`]);
    if (exitCode === 0) return name;
  }
  return undefined;
}
