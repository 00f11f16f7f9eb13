import { setTimeout as sleep } from "node:timers/promises";
import type { RunningProgram } from "./running-program.ts";

const LOOK_MS = 10;
const RUNS_WITHIN_MS = 120_000;

/** What a program says when it runs. */
export interface RestoreReport {
  readonly restored: number;
  readonly restoreMs: number;
}

/** What was seen of a program until it ran. */
export interface StoreRestore {
  readonly report: RestoreReport;
  /** From the first look at which it was restoring until it ran; 0 when it was not seen restoring. */
  readonly cpuSeconds: number;
  readonly ranAtMs: number;
}

/** Looks every 10 ms, until the program says that it runs. @throws Error when it ends, or does not run within two minutes */
export async function watchRestore(program: RunningProgram): Promise<StoreRestore> {
  const untilMs = performance.now() + RUNS_WITHIN_MS;
  let before: number | undefined;
  while (performance.now() < untilMs) {
    const { hasEnded } = program;
    if (program.hasPrinted("restoring")) before ??= program.usage().cpuSeconds;
    const report = program.allJson().find((line) => isReport(line));
    if (report !== undefined) {
      const { cpuSeconds } = program.usage();
      return { report, cpuSeconds: cpuSeconds - (before ?? cpuSeconds), ranAtMs: performance.now() };
    }
    if (hasEnded) throw program.failed("ended before it ran");
    await sleep(LOOK_MS);
  }
  throw program.failed(`did not run within ${RUNS_WITHIN_MS} ms`);
}

function isReport(line: unknown): line is RestoreReport {
  return typeof line === "object" && line !== null && "restored" in line;
}
