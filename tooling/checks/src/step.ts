import { performance } from "node:perf_hooks";
import { InterruptedError } from "./command.ts";
import { addCounts, noTests, type TestCounts } from "./test-counts.ts";

export interface StepResult {
  readonly passed: boolean;
  /** What to show when it failed. */
  readonly output: string;
  /** Only of a step that runs tests. */
  readonly tests?: TestCounts;
}

export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

export interface StepsOutcome {
  readonly failedSteps: readonly string[];
  /** The tests that ran, and one failure for each failed step that has no tests. */
  readonly counts: TestCounts;
}

/** Runs steps one after the other; each is announced, and a failed one shows its output. */
export async function runSteps(
  steps: readonly Step[],
  { onFailure, write }: { readonly onFailure: "stop" | "continue"; readonly write: (text: string) => void },
): Promise<StepsOutcome> {
  const failedSteps: string[] = [];
  let counts = noTests;
  for (const step of steps) {
    write(`${step.name} … `);
    const startedAt = performance.now();
    const result = await resultOf(step);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    write(`${result.passed ? "ok" : "FAILED"} (${seconds} s)\n`);
    counts = addCounts(counts, result.tests ?? { ...noTests, failed: result.passed ? 0 : 1 });
    if (result.passed) continue;
    write(`${result.output.trimEnd()}\n`);
    failedSteps.push(step.name);
    if (onFailure === "stop") break;
  }
  return { failedSteps, counts };
}

async function resultOf(step: Step): Promise<StepResult> {
  try {
    return await step.run();
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return { passed: false, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
