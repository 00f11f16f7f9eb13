import { performance } from "node:perf_hooks";
import { runVitest } from "../vitest-run.ts";
import { isTestFile } from "../workspace.ts";
import type { Mutant } from "./mutant.ts";
import { createMutatedCopy } from "./mutated-copy.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

export interface MutantResult {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  readonly seconds: number;
  /** What vitest printed. */
  readonly output: string;
}

/** Whether the mutant's test is one of those on the real broker. */
export function needsBroker({ test }: Mutant): boolean {
  return isTestFile(test.file) && /\/test\//.test(test.file);
}

/** Tries each mutant in a copy of the working tree, after its test has passed there without it. */
export async function runMutants(
  mutants: readonly Mutant[],
  onResult: (result: MutantResult) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  using copy = createMutatedCopy();
  const runTest = async (mutant: Mutant) => {
    const project = needsBroker(mutant) ? "broker" : "unit";
    const pattern = mutant.test.title.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const run = await runVitest(["--project", project, mutant.test.file, "-t", pattern], { cwd: copy.root, env });
    return { verdict: verdictOf(run.report, mutant.test.title), output: run.output };
  };
  const isGreen = new Map<string, boolean>();
  for (const mutant of mutants) {
    const startedAt = performance.now();
    const finish = (verdict: Verdict, output: string): void =>
      onResult({ mutant, verdict, seconds: (performance.now() - startedAt) / 1000, output });

    const test = `${mutant.test.file} ${mutant.test.title}`;
    if (!isGreen.has(test)) {
      const healthy = await runTest(mutant);
      isGreen.set(test, healthy.verdict === "survived");
      if (healthy.verdict !== "survived") {
        finish("broken", `Without the mutant the test does not pass:\n${healthy.output}`);
        continue;
      }
    }
    if (isGreen.get(test) === false) {
      finish("broken", "Without the mutant the test does not pass.");
      continue;
    }
    const { verdict, output } = await copy.withMutant(mutant, () => runTest(mutant));
    finish(verdict, output);
  }
}
