import { checkSteps } from "./check-steps.ts";
import { runProgram } from "./program.ts";
import { runSteps } from "./step.ts";

await runProgram(async () => {
  const { failedSteps } = await runSteps(checkSteps(), {
    onFailure: "stop",
    write: (text) => process.stdout.write(text),
  });
  return failedSteps.length === 0 ? 0 : 1;
});
