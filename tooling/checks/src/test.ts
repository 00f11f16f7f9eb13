import { checkSteps } from "./check-steps.ts";
import { runProgram } from "./program.ts";
import { runSteps } from "./step.ts";
import { addCounts, closingLine, countTests } from "./test-counts.ts";
import { runVitest } from "./vitest-run.ts";

await runProgram(async () => {
  // Unlike `pnpm check` this goes on after a failure: a long line must not hide what the broker suites have to say.
  const checks = await runSteps(checkSteps(), {
    onFailure: "continue",
    write: (text) => process.stdout.write(text),
  });

  process.stdout.write("tests on a real broker …\n");
  const { exitCode, report } = await runVitest(["--project", "broker"], { output: "shown" });
  const counts = addCounts(checks.counts, countTests(report, exitCode));

  if (checks.failedSteps.length > 0) console.log(`Failed checks: ${checks.failedSteps.join("; ")}`);
  console.log(closingLine(counts));
  return counts.failed === 0 ? 0 : 1;
});
