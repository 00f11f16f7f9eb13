import { constants } from "node:os";
import { InterruptedError } from "./command.ts";

/** Runs a command-line program whose result is its exit code: after an interruption the one that shells expect. */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    process.exitCode = 128 + constants.signals[error.signal];
  }
}
