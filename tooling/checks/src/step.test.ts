import { describe, expect, it } from "vitest";
import { InterruptedError } from "./command.ts";
import { runSteps, type Step } from "./step.ts";

const good: Step = { name: "good", run: async () => ({ passed: true, output: "quiet" }) };
const bad: Step = { name: "bad", run: async () => ({ passed: false, output: "what is wrong\n" }) };
const broken: Step = {
  name: "broken",
  run: async () => {
    throw new Error("it threw");
  },
};
const tests: Step = {
  name: "tests",
  run: async () => ({ passed: false, output: "two red", tests: { passed: 5, failed: 2, skipped: 1 } }),
};

async function run(onFailure: "stop" | "continue", ...steps: Step[]) {
  let written = "";
  const outcome = await runSteps(steps, { onFailure, write: (text) => (written += text) });
  return { ...outcome, written };
}

describe("runSteps", () => {
  it("announces each step with its duration and shows the output of a failed one only", async () => {
    const { written } = await run("stop", good, bad);
    expect(written).toMatch(/^good … ok \(\d+\.\d s\)\nbad … FAILED \(\d+\.\d s\)\nwhat is wrong\n$/);
  });

  it("stops at the first failure when told so", async () => {
    expect(await run("stop", bad, tests)).toMatchObject({ failedSteps: ["bad"], counts: { passed: 0, failed: 1 } });
  });

  it("counts a failed step as one failure and a step of tests by its tests", async () => {
    expect(await run("continue", bad, good, tests)).toMatchObject({
      failedSteps: ["bad", "tests"],
      counts: { passed: 5, failed: 3, skipped: 1 },
    });
  });

  it("treats a step that throws as failed", async () => {
    const { failedSteps, written } = await run("continue", broken, good);
    expect(failedSteps).toEqual(["broken"]);
    expect(written).toContain("it threw");
  });

  it("goes no further after an interruption", async () => {
    const interrupted: Step = {
      name: "interrupted",
      run: async () => {
        throw new InterruptedError("SIGTERM");
      },
    };
    await expect(run("continue", interrupted, good)).rejects.toThrow("interrupted by SIGTERM");
  });
});
